//! The life of an app: its one start, its one stop, and the result when they meet.

use super::App;
use super::begin::problem;
use super::choice::Choice;
use crate::error::RunError;
use fastkafka_core::{Plan, Problems};
use fastkafka_kafka::Embedded;
use fastkafka_runtime::Runtime;
use fastkafka_runtime::platform::Platform;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock};
use tokio::sync::watch;
use tokio::time::Instant;

/// The state of an app: the choices before its start, the phase, and what the start has made.
#[derive(Default)]
pub(crate) struct Life {
    pub(super) choice: Mutex<Choice>,
    /// One for each cluster, by its name.
    pub(super) embedded: Mutex<Vec<(String, Embedded)>>,
    /// Set when the groups are joined, also if that failed: there may be consumers to end.
    pub(super) runtime: OnceLock<Runtime>,
    phase: watch::Sender<Phase>,
    /// The result of the end, once there is one. A start or a stop holds the lock while it works, so that
    /// others wait for its result.
    end: tokio::sync::Mutex<Option<Result<(), RunError>>>,
}

/// `New -> Starting -> Started -> Stopping`, or `New -> Never`. From every phase a request to stop leads to
/// one of the last two, and nothing leads out of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    #[default]
    New,
    Starting,
    Started,
    /// Asked to stop, or stopped.
    Stopping,
    /// Asked to stop before it was started: it will never start.
    Never,
}

impl Life {
    /// Goes from one phase to the next; false if the app is in another phase by now.
    fn advance(&self, from: Phase, to: Phase) -> bool {
        self.phase.send_if_modified(|phase| {
            let goes = *phase == from;
            if goes {
                *phase = to;
            }
            goes
        })
    }
}

impl App {
    /// True from the first assignment of every group until the stop.
    pub fn is_started(&self) -> bool {
        *self.inner.life.phase.borrow() == Phase::Started
    }

    /// Ends when the app is started, or when it never will be: its start has failed, or it was asked to
    /// stop. [`App::is_started`] tells which.
    pub async fn started(&self) {
        let mut phase = self.inner.life.phase.subscribe();
        let _ = phase.wait_for(|phase| *phase >= Phase::Started).await;
    }

    /// Ends when the app is to stop: by [`App::shut_down`] or [`App::stop`], a signal, or because it ends
    /// by itself or cannot start. For what lives beside the handlers and has to end with them: a server, a
    /// stream of answers, a loop.
    pub fn stopping(&self) -> impl Future<Output = ()> + Send + Sync + 'static + use<> {
        let mut phase = self.inner.life.phase.subscribe();
        async move {
            let _ = phase.wait_for(|phase| *phase >= Phase::Stopping).await;
        }
    }

    /// Asks the app to stop and returns at once. It is [`App::run`] that stops, or a [`App::start`] that
    /// is under way; who has called `start` calls [`App::stop`] as well.
    ///
    /// A handler that wants its app to end calls this.
    pub fn shut_down(&self) {
        self.inner.life.phase.send_modify(|phase| {
            *phase = match phase {
                Phase::New | Phase::Never => Phase::Never,
                Phase::Starting | Phase::Started | Phase::Stopping => Phase::Stopping,
            };
        });
    }

    /// Starts, runs until [`App::shut_down`] or until the app ends by itself, and stops.
    ///
    /// A stop that is asked for while the app starts, or before, is a stop as any other: the start ends, what
    /// it has begun is stopped, and the result is `Ok` if that went well.
    ///
    /// It installs no signal handlers; the command line does.
    ///
    /// # Errors
    /// When it does not start, ends by itself, or does not stop cleanly.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn run(&self) -> Result<(), RunError> {
        let nothing = self.stopping();
        self.run_beside(async {
            nothing.await;
            Ok::<_, Infallible>(())
        })
        .await
    }

    /// Runs the start hooks, connects and joins the groups. When it returns the app is started, and
    /// background tasks run.
    ///
    /// When it fails, the app is stopped again: a group that has joined before another could not finishes the
    /// records in hand, then the hooks of the stop run. If the future is dropped, the app leaves its groups,
    /// and [`App::stop`] does the rest.
    ///
    /// # Errors
    /// Every problem found; offline ones first, all at once, then those of the broker.
    /// [`RunError::Stopped`] when the app was asked to stop meanwhile, or before.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn start(&self) -> Result<(), RunError> {
        self.start_with(|| self.check(), None).await
    }

    pub(super) async fn start_with(
        &self,
        plan: impl FnOnce() -> Result<Plan, Problems>,
        platform: Option<Arc<dyn Platform>>,
    ) -> Result<(), RunError> {
        let life = &self.inner.life;
        if !life.advance(Phase::New, Phase::Starting) {
            return Err(match *life.phase.borrow() {
                Phase::Never => RunError::Stopped,
                _ => problem("an app is started once: build a new one to start again").into(),
            });
        }
        let dropped = ShutDownOnDrop(self);
        // A stop that is asked for meanwhile waits here for the result of this start.
        let mut end = life.end.lock().await;
        let begun = async {
            let plan = plan()?;
            self.begin(&plan, platform).await.map(|()| plan)
        };
        let begun = tokio::select! {
            biased; // A stop that was asked for is not overtaken by a start that is just done.
            () = self.stopping() => Err(RunError::Stopped),
            begun = begun => begun,
        };
        let error = match begun {
            Ok(plan) if life.advance(Phase::Starting, Phase::Started) => {
                std::mem::forget(dropped);
                if let Some(runtime) = life.runtime.get() {
                    runtime.run_in_background(&plan.tasks);
                }
                tracing::info!("{} is started", self.inner.spec.info.title);
                return Ok(());
            }
            // Asked to stop between the end of the start and here.
            Ok(_) => RunError::Stopped,
            Err(error) => error,
        };
        self.shut_down();
        let undone = self.undo(self.deadline()).await;
        *end = Some(undone.clone());
        match (error, undone) {
            // The stop was asked for; that it failed is news.
            (RunError::Stopped, Err(problem)) => Err(problem),
            // The reason that the start failed comes first.
            (error, _) => Err(error),
        }
    }

    /// Cancels background tasks, drains, commits, disconnects and runs the stop hooks.
    ///
    /// An app has one stop: called again, or by several tasks at once, each call waits for it and returns the
    /// same result. During a [`start`](Self::start) it ends the start and waits for it; before one it keeps
    /// the app from starting. If the future is dropped, the next call to `stop` continues where it left off.
    ///
    /// It waits for the handlers, so no handler may call it: a handler calls [`App::shut_down`].
    ///
    /// # Errors
    /// Names each task that did not end in time, each offset that was not committed, and each hook that failed.
    pub async fn stop(&self) -> Result<(), RunError> {
        self.stop_by(self.deadline()).await
    }

    pub(super) async fn stop_by(&self, deadline: Instant) -> Result<(), RunError> {
        self.shut_down();
        let mut end = self.inner.life.end.lock().await;
        if let Some(end) = &*end {
            return end.clone();
        }
        let undone = self.undo(deadline).await;
        *end = Some(undone.clone());
        undone
    }

    /// Ends what the start has begun: the runtime first, then the hooks.
    async fn undo(&self, deadline: Instant) -> Result<(), RunError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let stopped = match self.inner.life.runtime.get() {
            Some(runtime) => runtime.stop(left).await,
            None => Ok(()),
        };
        let released = self.inner.hooks.stop(self, deadline).await;
        tracing::info!("{} is stopped", self.inner.spec.info.title);
        let problems = [stopped, released].into_iter().filter_map(Result::err);
        match problems.collect::<Vec<_>>() {
            problems if problems.is_empty() => Ok(()),
            problems => Err(RunError::Stop(problems.join("; "))),
        }
    }

    /// The deadline of a stop that begins now.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.inner.shutdown_timeout
    }
}

/// Shuts the app down when the future of its start is dropped: no caller is left to stop what it has begun.
struct ShutDownOnDrop<'a>(&'a App);

impl Drop for ShutDownOnDrop<'_> {
    fn drop(&mut self) {
        self.0.shut_down();
        if let Some(runtime) = self.0.inner.life.runtime.get() {
            runtime.shut_down();
        }
    }
}
