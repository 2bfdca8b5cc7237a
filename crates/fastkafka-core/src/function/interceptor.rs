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
use std::task::{Context, Poll};

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

    /// The gate of a task that is about to be spawned. `None`: it runs when tokio lets it.
    fn gate(&self, _task: AppTask<'_>) -> Option<Box<dyn TaskGate>> {
        None
    }
}

/// A task that the runtime spawns for an app.
#[derive(Clone, Copy, Debug)]
pub enum AppTask<'t> {
    /// Takes the turns of the consumer of this group. It is told of a crash of its process, and ends the rest.
    Consumer(&'t str),
    /// Handles the records of a partition in their order.
    Lane(&'static TopicPartition),
    /// Handles the record at this offset, or a batch that begins there.
    Record(&'static TopicPartition, i64),
    /// Either of them for a `blocking` handler. It is never aborted: it ends by itself when it is told to.
    Blocking(&'static TopicPartition),
    /// Writes the dead letter of the record at this offset.
    Letter(&'static TopicPartition, i64),
    /// Waits for calls that go on although their partition was given back.
    Straggler(&'static TopicPartition),
    /// Of `fastkafka::spawn`.
    Spawned,
    /// A background task, by its name.
    Background(&'static str),
}

impl fmt::Display for AppTask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consumer(group) => write!(f, "the consumer of `{group}`"),
            Self::Lane(place) | Self::Blocking(place) => write!(f, "the handler of {place}"),
            Self::Record(place, offset) => write!(f, "the handler of {place} offset {offset}"),
            Self::Letter(place, offset) => write!(f, "the dead letter of {place} offset {offset}"),
            Self::Straggler(place) => write!(f, "what waits for the last calls of {place}"),
            Self::Spawned => write!(f, "a spawned task"),
            Self::Background(name) => write!(f, "background task `{name}`"),
        }
    }
}

/// Stands before a task, and decides when it goes on. It is dropped with the task.
pub trait TaskGate: Send {
    /// Polls the task with `work`, or puts that off: then it wakes the task when its turn has come.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        work: &mut dyn FnMut(&mut Context<'_>) -> Poll<()>,
    ) -> Poll<()>;
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
