//! The life of an app: its one start, its one stop, and what comes of them when they meet.

use super::App;
use super::begin::problem;
use super::inner::Choice;
use crate::error::RunError;
use fastkafka_core::{Plan, Problems};
use fastkafka_kafka::Embedded;
use fastkafka_runtime::Runtime;
use fastkafka_runtime::platform::Platform;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock};
use tokio::sync::watch;
use tokio::time::Instant;

/// What changes while an app lives.
#[derive(Default)]
pub(crate) struct Life {
    pub(super) choice: Mutex<Choice>,
    /// One for each cluster, by its name.
    pub(super) embedded: Mutex<Vec<(String, Embedded)>>,
    /// From when the groups are joined.
    pub(super) runtime: OnceLock<Runtime>,
    phase: watch::Sender<Phase>,
    /// How the app has ended, once it has. Who starts or stops it holds the lock: the others wait for
    /// what comes of that.
    end: tokio::sync::Mutex<Option<Result<(), RunError>>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    #[default]
    New,
    Starting,
    Started,
    /// Asked to stop, or stopped.
    Stopping,
    /// Asked to stop before it was started: it never will be.
    Never,
}

impl Life {
    /// Goes on to `to`, unless it is not at `from`.
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

    /// Ends when the app is started, or will not be any more: its start has failed, or it was asked to
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
    /// A stop that is asked for while it starts, or before, is one as any other: the start is given up,
    /// what was begun is ended, and the result is `Ok` if that went well.
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
    /// When it fails, what was begun is ended again: a group that has joined before another could not
    /// finishes what it has in hand, then the hooks of the stop run. A start that is dropped is given up:
    /// its groups are left, and [`App::stop`] does the rest.
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
        let unheard = GivenUp(self);
        let mut end = life.end.lock().await;
        let begun = async {
            let plan = plan()?;
            self.begin(&plan, platform).await.map(|()| plan)
        };
        let begun = tokio::select! {
            biased;
            () = self.stopping() => Err(RunError::Stopped),
            begun = begun => begun,
        };
        let error = match begun {
            Ok(plan) if life.advance(Phase::Starting, Phase::Started) => {
                std::mem::forget(unheard);
                if let Some(runtime) = life.runtime.get() {
                    runtime.run_in_background(&plan.tasks);
                }
                tracing::info!("{} is started", self.inner.spec.info.title);
                return Ok(());
            }
            Ok(_) => RunError::Stopped,
            Err(error) => error,
        };
        self.shut_down();
        let undone = self.undo(self.deadline()).await;
        *end = Some(undone.clone());
        match (error, undone) {
            // Whoever has asked for the stop hears how it went.
            (RunError::Stopped, Err(problem)) => Err(problem),
            // The first error is the one to report.
            (error, _) => Err(error),
        }
    }

    /// Cancels background tasks, drains, commits, disconnects and runs the stop hooks.
    ///
    /// An app has one stop: called again, or by several tasks at once, all wait for it and are told the
    /// same. During a [`start`](Self::start) it ends that, and waits for it; before one it is all that
    /// there is, as the app will not start any more. A stop that is dropped is gone on with by the next.
    ///
    /// It waits for the handlers, so none may call it: [`App::shut_down`] is for them.
    ///
    /// # Errors
    /// What did not end in time, could not be committed, or failed in a hook.
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

    /// Ends whatever the start has come to.
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

    /// When a stop that begins now is to be over.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.inner.shutdown_timeout
    }
}

/// Ends an app whose start is dropped: nobody would hear of it.
struct GivenUp<'a>(&'a App);

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        self.0.shut_down();
        if let Some(runtime) = self.0.inner.life.runtime.get() {
            runtime.shut_down();
        }
    }
}
