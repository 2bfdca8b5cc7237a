//! What a test kit sees of an app, and may put in place of its handlers.
//!
//! Users meet it through `fastkafka-tester`. An app without a [`Watch`] pays one load per run, per
//! call and per output for it.

use crate::app::{AppCore, States};
use crate::around::HandlerCall;
use crate::consumer::{Consumer, Outcome};
use crate::definition::{ConsumerDef, ProducerDef};
use crate::dispatch::RunFuture;
use crate::error::ProduceError;
use crate::failure::Rejection;
use crate::producer::{OutRecord, Producer};
use crate::record::{Cx, Fetched, Header, Record, Run, TopicPartition};
use crate::registry::Registry;
use crate::shape::InputOf;
use crate::slot::DeliveryScope;
use std::ops::Range;
use std::pin::Pin;

/// Sees every call and every output of an app; set once, by [`AppCore::watch_by`].
pub trait Watch: Send + Sync {
    /// Handles a run: with the definition's function, or with another in its place.
    fn run<'r>(&'r self, handler: &'static ConsumerDef, run: &'r Run<'r>) -> RunFuture<'r>;

    /// A call is about to begin, around the hook of the app; or a record was not decoded.
    fn called(&self, call: &HandlerCall<'_>) -> Box<dyn Watching>;

    /// A record was handed to the client, which took it or refused it with `error`.
    fn produced(
        &self,
        producer: &'static ProducerDef,
        record: &OutRecord<'_>,
        error: Option<&ProduceError>,
    );
}

/// Sees one call. Dropped without [`Watching::ended`]: the handler panicked, or its run was given up.
pub trait Watching: Send + Sync {
    /// The hook of the app lets the call through; one that skips it does not.
    fn begun(&self);

    /// What has to pass before the function is called: slow handlers are made of it.
    fn delay(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>>;

    /// The record did not fit the parameters: the function is not called.
    fn refused(&self);

    /// What came of the call.
    fn ended(&self, outcome: &Outcome);
}

/// A [`Watching`], if anybody watches.
pub(crate) type Watched = Option<Box<dyn Watching>>;

/// Tells of a call that is about to begin.
#[inline]
pub(crate) fn watched<C: Consumer>(cx: &Cx<'_>) -> Watched {
    let watch = cx.app().watch()?;
    Some(watch.called(&HandlerCall::new(const { &C::DEF }, cx)))
}

/// Tells that the call is made.
#[inline]
pub(crate) async fn begun(watched: &Watched) {
    if let Some(watching) = watched {
        watching.begun();
        if let Some(delay) = watching.delay() {
            delay.await;
        }
    }
}

/// Tells that the function is not called, which is the outcome.
#[cold]
pub(crate) fn refused(watched: &Watched, rejection: Rejection) -> Outcome {
    if let Some(watching) = watched {
        watching.refused();
    }
    Err((0, rejection.into()))
}

/// A consumer whose first parameter borrows nothing from its record, so that it can be kept.
/// Implemented by the attribute, where that is so.
#[diagnostic::on_unimplemented(
    message = "the payload of `{Self}` borrows from its record, so a test cannot keep it",
    label = "mocks, and assertions on the value, need a payload that owns its data",
    note = "`tester.spy::<{Self}>().records()` has the records as bytes"
)]
pub trait Owned: Consumer {
    /// The same, kept.
    fn owned(input: Self::Input<'_>) -> Self::Args;
}

/// Reads records once more into what the handler takes first: `headers` are those of `records`, one
/// by one.
///
/// # Errors
/// When the first record does not decode.
pub fn read_again<C: Owned>(
    place: &'static TopicPartition,
    records: &[Record<'_>],
    headers: &[Vec<Header<'_>>],
) -> Result<C::Args, Rejection> {
    let app = AppCore::new::<C::App>(Default::default(), Registry::default(), States::default());
    let run = Run {
        app: &app,
        place,
        records,
        fetched: &Again { records, headers },
        base: 0,
        scope: &DeliveryScope::collecting(),
        single: false,
        attempt: 1,
        expired: None,
    };
    let cx = Cx::new(&run, 0, records.len());
    C::Input::gather(&cx, C::decode).map(|(input, _)| C::owned(input))
}

#[derive(Debug)]
struct Again<'a> {
    records: &'a [Record<'a>],
    headers: &'a [Vec<Header<'a>>],
}

impl Fetched for Again<'_> {
    fn len(&self) -> usize {
        self.records.len()
    }
    fn offset(&self, at: usize) -> i64 {
        self.records[at].offset
    }
    fn records<'r>(&'r self, range: Range<usize>, into: &mut Vec<Record<'r>>) {
        into.extend_from_slice(&self.records[range]);
    }
    fn headers(&self, at: usize) -> Vec<Header<'_>> {
        self.headers[at].clone()
    }
}

/// A function under `#[consumes]`: see [`Register::Kind`](crate::Register::Kind).
#[derive(Debug)]
pub enum Consumes {}

/// A function under `#[produces]`: see [`Register::Kind`](crate::Register::Kind).
#[derive(Debug)]
pub enum Produces {}

/// What the mirrors of an app's functions ask of the tester. Each function has a trait with one
/// method, `to_<topic>` or `on_<topic>`, for everything that implements this.
pub trait MirrorHost {
    /// A record on its way to a consumer.
    type Sending<'a, C: Consumer>
    where
        Self: 'a;
    /// What a producer has sent.
    type Received<P: Producer>;

    /// Sends to a consumer's topic.
    #[track_caller]
    fn sending<C: Consumer>(&self, payload: C::Payload) -> Self::Sending<'_, C>;

    /// What a producer has sent.
    fn received<P: Producer>(&self) -> Self::Received<P>;
}
