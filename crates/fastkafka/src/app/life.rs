//! The state of an app's life: `start.rs` and `end.rs` go through it.

#[cfg(feature = "admin")]
use super::asking::Asking;
use super::choice::Choice;
#[cfg(feature = "admin")]
use crate::admin::listener::Listener;
use crate::error::RunError;
use fastkafka_kafka::Embedded;
use fastkafka_runtime::Runtime;
use futures_util::future::Shared;
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, OnceLock};
use tokio::sync::{OnceCell, watch};
use tokio::time::Instant;

/// The state of an app: the choices before its start, the phase, and what the start has made.
#[derive(Default)]
pub(crate) struct Life {
    pub(super) choice: Mutex<Choice>,
    /// One for each cluster, by its name.
    pub(super) embedded: Mutex<Vec<(String, Embedded)>>,
    /// From before the app connects until it has stopped.
    #[cfg(feature = "admin")]
    pub(super) admin: Mutex<Option<(Listener, Asking)>>,
    /// Set when the groups are joined, also if that failed: there may be consumers to end.
    pub(super) runtime: OnceLock<Runtime>,
    pub(super) phase: watch::Sender<Phase>,
    /// The server that ends before the app does.
    pub(super) server: watch::Sender<Server>,
    /// Held by the start while it works.
    pub(super) starting: tokio::sync::Mutex<()>,
    pub(super) ending: Mutex<Option<Ending>>,
    /// Nobody minds that it is dropped without an end: a test that is over.
    pub(super) may_be_dropped: AtomicBool,
    /// A thread works at the end, since a tokio runtime was dropped.
    pub(super) alone: AtomicBool,
    /// What was wrong with the server, once the end has waited for it: it may be begun again.
    pub(super) served: OnceCell<Option<RunError>>,
    /// When the end is to be over; known once it has begun.
    pub(super) deadline: OnceLock<Instant>,
    /// Why the app ends, if nobody has asked it to, and since when.
    pub(super) cause: OnceLock<(Instant, RunError)>,
    /// That it did not stop cleanly.
    pub(super) unclean: OnceLock<(Instant, RunError)>,
    /// The result of the end, once there is one.
    pub(super) end: watch::Sender<Option<Result<(), RunError>>>,
}

/// `New -> Starting -> Started -> Stopping`, or `New -> Never`. From every phase a request to stop leads to
/// one of the last two, and nothing leads out of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    #[default]
    New,
    Starting,
    Started,
    /// Asked to stop, or stopped.
    Stopping,
    /// Asked to stop before it was started: it will never start.
    Never,
}

/// A server that ends before the app does: a request in hand may send records, and wait for the answer of a
/// handler.
#[derive(Debug, Default)]
pub(super) enum Server {
    #[default]
    None,
    /// It is polled.
    Serves,
    /// It has ended, perhaps for a reason.
    Ended(Result<(), String>),
    /// The app waits for it no more, and for no other.
    LetGo,
}

/// `None` when the tokio runtime that has begun it is gone, and its timers with it.
pub(super) type Work = Shared<Pin<Box<dyn Future<Output = Option<Result<(), RunError>>> + Send>>>;

/// An end that has begun on a tokio runtime.
pub(super) struct Ending {
    pub(super) work: Work,
    /// True when that runtime is gone.
    pub(super) gone: watch::Receiver<bool>,
}

impl Life {
    /// Goes from one phase to the next; false if the app is in another phase by now.
    pub(super) fn advance(&self, from: Phase, to: Phase) -> bool {
        self.phase.send_if_modified(|phase| {
            let goes = *phase == from;
            if goes {
                *phase = to;
            }
            goes
        })
    }

    /// Sets the result of the end. The first one stays.
    pub(super) fn set_end(&self, result: Result<(), RunError>) {
        self.end.send_if_modified(|end| {
            let first = end.is_none();
            end.get_or_insert(result);
            first
        });
    }

    /// The server goes to another state from one of these; false if it is in another by now.
    pub(super) fn advance_server(&self, to: Server, from: impl FnOnce(&Server) -> bool) -> bool {
        self.server.send_if_modified(|now| {
            let goes = from(now);
            if goes {
                *now = to;
            }
            goes
        })
    }
}
