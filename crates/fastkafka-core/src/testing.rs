//! What a test kit sees of an app, and may put in place of its handlers.
//!
//! Users meet it through `fastkafka-tester`. An app without a [`Interceptor`] pays one load per run and
//! per output for it.

use crate::app::{AppCore, States};
use crate::delivery::error::ProduceError;
use crate::delivery::failure::Rejection;
use crate::delivery::slot::DeliveryScope;
use crate::function::around::{Around, HandlerCall, HandlerFuture};
use crate::function::background::BackgroundDef;
use crate::function::consumer::Consumer;
use crate::function::definition::{ConsumerDef, ProducerDef};
use crate::function::dispatch::RunFuture;
use crate::function::probe::shape::InputOf;
use crate::function::producer::{OutRecord, Producer};
use crate::function::registry::Registry;
use crate::record::partition::TopicPartition;
use crate::record::{CallContext, Fetched, Header, Record, Run};
use std::ops::Range;

/// Sees every call and every output of an app; set once, by [`AppCore::watch_by`].
pub trait Interceptor: Send + Sync {
    /// Handles a run: with the definition's function, or with another in its place.
    fn run<'r>(&'r self, handler: &'static ConsumerDef, run: &'r Run<'r>) -> RunFuture<'r>;

    /// A call: of `hook` around `next` where the app has a hook, of `next` alone where it has none.
    fn call<'a>(
        &'a self,
        call: HandlerCall<'a>,
        hook: Option<&'a dyn Around>,
        next: HandlerFuture<'a>,
    ) -> HandlerFuture<'a>;

    /// Runs what a `blocking` handler does on a thread that may wait, as tokio's `spawn_blocking`.
    fn block(&self, work: Box<dyn FnOnce() + Send>);

    /// A record did not decode, so that there is no call.
    fn undecoded(&self, call: &HandlerCall<'_>, rejection: &Rejection);

    /// A record was handed to the client, which took it or refused it with `error`.
    fn produced(
        &self,
        producer: &'static ProducerDef,
        record: &OutRecord<'_>,
        error: Option<&ProduceError>,
    );

    /// A background task has failed.
    fn task_failed(&self, task: &'static BackgroundDef, failure: &TaskFailure);
}

/// What came of a background task.
#[derive(Clone, Debug)]
pub struct TaskFailure {
    /// Names the task, its place and what went wrong.
    pub message: String,
    /// It panicked; otherwise it returned an error.
    pub panicked: bool,
    /// It is not started again: the app has to end.
    pub is_final: bool,
}

/// What stands around the calls of an app.
#[derive(Clone, Copy)]
pub(crate) struct Hooks<'r> {
    watch: Option<&'r dyn Interceptor>,
    around: Option<&'r dyn Around>,
}

impl<'r> Hooks<'r> {
    /// `None` where nothing does: asked once per run.
    pub(crate) fn new(app: &'r AppCore) -> Option<Self> {
        let (watch, around) = (app.watch(), app.around.as_deref());
        (watch.is_some() || around.is_some()).then_some(Self { watch, around })
    }

    pub(crate) fn call<'a>(
        &'a self,
        call: HandlerCall<'a>,
        next: HandlerFuture<'a>,
    ) -> HandlerFuture<'a> {
        match *self {
            Self {
                watch: Some(watch),
                around,
            } => watch.call(call, around, next),
            Self {
                watch: None,
                around: Some(around),
            } => around.around(call, next),
            Self {
                watch: None,
                around: None,
            } => next,
        }
    }

    pub(crate) fn undecoded(&self, call: &HandlerCall<'_>, rejection: &Rejection) {
        if let Some(watch) = self.watch {
            watch.undecoded(call, rejection);
        }
    }
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
    let cx = CallContext::new(&run, 0, records.len());
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

/// A function under `#[run_in_background]`: see [`Register::Kind`](crate::Register::Kind).
#[derive(Debug)]
pub enum RunsInBackground {}

/// The tester, as the mirrors of an app's functions see it: each function has a trait with one method,
/// `to_<topic>` or `on_<topic>`, for everything that implements this.
pub trait MirrorHost {
    /// What a producer has sent.
    type Received<P: Producer>;

    /// What a producer has sent.
    #[track_caller]
    fn received<P: Producer>(&self) -> Self::Received<P>;
}

/// A tester that can write what a consumer reads.
pub trait Sends<C: Consumer>: MirrorHost {
    /// A record on its way.
    type Sending<'a>
    where
        Self: 'a;

    /// Sends to a topic of the consumer's.
    #[track_caller]
    fn sending(&self, topic: &'static str, payload: C::Payload) -> Self::Sending<'_>;
}
