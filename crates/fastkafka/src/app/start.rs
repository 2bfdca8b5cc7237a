//! The one start of an app, what lies between that and its end, and who is told of it.

use super::App;
use super::begin::problem;
use super::dropped::EndOnDrop;
use super::life::Phase;
use crate::error::RunError;
use fastkafka_core::{Plan, Problems};
use fastkafka_runtime::platform::Platform;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::time::Instant;

impl App {
    /// True from the first assignment of every group until the app is asked to stop, or ends by itself.
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

    /// Ends when the app has ended, after [`App::stopping`], and says how: any number of tasks may wait for
    /// it, also when it is over. An app ends when it is asked to, or by itself: a record under
    /// `on_failure = "exit"`, a background task that failed, a client that cannot go on.
    ///
    /// It asks for nothing: an app that nobody stops goes on.
    ///
    /// # Errors
    /// Those of [`App::stop`]: `stop` and this return one result.
    pub async fn ended(&self) -> Result<(), RunError> {
        let mut end = self.inner.life.end.subscribe();
        let end = end.wait_for(Option::is_some).await;
        // The sender is in the app: it cannot be gone.
        end.ok().and_then(|end| end.clone()).unwrap_or(Ok(()))
    }

    /// Asks the app to stop and returns at once. The stop goes on in the background; [`App::stop`] and
    /// [`App::ended`] wait for it.
    ///
    /// A handler that wants its app to end calls this.
    pub fn shut_down(&self) {
        let mut never = false;
        self.inner.life.phase.send_modify(|phase| {
            *phase = match phase {
                Phase::New | Phase::Never => Phase::Never,
                Phase::Starting | Phase::Started | Phase::Stopping => Phase::Stopping,
            };
            never = *phase == Phase::Never;
        });
        if never {
            self.inner.life.set_end(Ok(()));
        }
    }

    /// Starts, runs until [`App::shut_down`] or until the app ends by itself, and stops.
    ///
    /// A stop that is asked for while the app starts, or before, is a stop as any other: the start ends, what
    /// it has begun is stopped, and the result is `Ok` if that went well.
    ///
    /// If the future is dropped, as by `select!`, the app is asked to stop; the stop goes on in the background,
    /// and [`App::stop`] waits for it.
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
    /// background tasks run. From then on [`App::ended`] says when and why it ends by itself.
    ///
    /// When it fails, the app is stopped again: a group that has joined before another could not finishes the
    /// records in hand, then the hooks of the stop run. If the future is dropped, the same is done in the
    /// background, and [`App::stop`] waits for it.
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
        let dropped = EndOnDrop::new(self);
        // A stop that is asked for meanwhile waits here for the end of this start.
        let starting = life.starting.lock().await;
        let begun = async {
            let plan = plan()?;
            self.begin(&plan, platform).await.map(|()| plan)
        };
        let begun = tokio::select! {
            biased; // A stop that was asked for is not overtaken by a start that is just done.
            () = self.stopping() => Err(RunError::Stopped),
            begun = begun => begun,
        };
        match begun {
            Ok(plan) if life.advance(Phase::Starting, Phase::Started) => {
                dropped.disarm();
                if let Some(runtime) = life.runtime.get() {
                    runtime.run_in_background(&plan.tasks);
                    self.watch(runtime);
                }
                tracing::info!("{} is started", self.inner.spec.info.title);
                return Ok(());
            }
            // Asked to stop, perhaps between the end of the start and here.
            Ok(_) | Err(RunError::Stopped) => {}
            Err(error) => drop(life.cause.set((Instant::now(), error))),
        }
        drop(starting);
        let end = self.stop().await;
        dropped.disarm();
        // The stop was asked for; if it failed, that is news.
        end.and(Err(RunError::Stopped))
    }
}
