//! The seam of a test kit: it sees the calls and outputs of an app, and may put something in place of
//! its handlers.
//!
//! Users meet it through `fastkafka-tester`. An app without an [`Interceptor`] pays one load per run
//! and per output for it.

use super::around::{Around, HandlerCall, HandlerFuture};
use super::call::{Run, RunFuture};
use super::definition::{ConsumerDef, ProducerDef};
use crate::delivery::error::ProduceError;
use crate::delivery::failure::Rejection;
use crate::delivery::sink::OutRecord;
use crate::record::TopicPartition;
use std::fmt;

/// Sees every call and every output of an app; set once, by
/// [`AppContext::intercept`](crate::AppContext::intercept).
pub trait Interceptor: Send + Sync {
    /// Handles a run: with the definition's function, or with another in its place.
    fn run<'r>(
        &'r self,
        handler: &'static ConsumerDef,
        run: &'r Run<'r>,
        hooks: Hooks<'r>,
    ) -> RunFuture<'r>;

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

    /// A record has come to its end without its handler having accepted it. Told before anything behind
    /// it in its order unit begins.
    fn ended(
        &self,
        handler: &'static ConsumerDef,
        place: &'static TopicPartition,
        offset: i64,
        how: RecordEnd,
    );

    /// A record was handed to the client, which took it or refused it with `error`.
    fn produced(
        &self,
        producer: &'static ProducerDef,
        record: &OutRecord<'_>,
        error: Option<&ProduceError>,
    );

    /// A background task has failed.
    fn task_failed(&self, failure: &TaskFailure);
}

/// The end of a record that its handler has not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordEnd {
    /// Its dead letter is written.
    DeadLettered,
    /// It is skipped, as `on_failure` says.
    Skipped,
}

/// The failure of a background task.
#[derive(Clone, Debug)]
pub struct TaskFailure {
    /// Names the task, its place and what went wrong.
    pub message: String,
    /// It panicked; otherwise it returned an error.
    pub panicked: bool,
    /// It is not started again: the app has to end.
    pub is_final: bool,
}

/// The interceptor and the hook around an app's calls; an app may have neither.
#[derive(Clone, Copy, Default)]
pub struct Hooks<'r> {
    interceptor: Option<&'r dyn Interceptor>,
    around: Option<&'r dyn Around>,
}

impl<'r> Hooks<'r> {
    pub(crate) fn new(
        interceptor: Option<&'r dyn Interceptor>,
        around: Option<&'r dyn Around>,
    ) -> Self {
        Self {
            interceptor,
            around,
        }
    }

    /// No call needs a future of its own.
    pub(crate) fn is_empty(&self) -> bool {
        self.interceptor.is_none() && self.around.is_none()
    }

    pub(crate) fn call<'a>(
        &'a self,
        call: HandlerCall<'a>,
        next: HandlerFuture<'a>,
    ) -> HandlerFuture<'a> {
        match (self.interceptor, self.around) {
            (Some(interceptor), around) => interceptor.call(call, around, next),
            (None, Some(around)) => around.around(call, next),
            (None, None) => next,
        }
    }

    pub(crate) fn undecoded(&self, call: &HandlerCall<'_>, rejection: &Rejection) {
        if let Some(interceptor) = self.interceptor {
            interceptor.undecoded(call, rejection);
        }
    }
}

impl fmt::Debug for Hooks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("intercepted", &self.interceptor.is_some())
            .field("around", &self.around.is_some())
            .finish()
    }
}
