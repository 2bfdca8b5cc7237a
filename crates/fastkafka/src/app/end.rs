//! The end of an app: it is one, it goes on by itself, and all who wait for it are told the same.
//!
//! A task works at it, and so does everybody who waits: a dropped `run`, `start` or `stop` cannot leave it half
//! done, an app that ends by itself needs nobody who listens, and handlers that block all threads of tokio
//! keep only the task from it.

use super::App;
use super::life::{Ending, Work};
use crate::error::RunError;
use crate::lock::lock;
use fastkafka_core::{CatchRun, Problem, panic_text};
use fastkafka_runtime::Runtime;
use futures_util::FutureExt;
use std::convert::Infallible;
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};

impl App {
    /// Cancels background tasks, drains, commits, disconnects and runs the stop hooks.
    ///
    /// An app has one stop, within `shutdown_timeout` of the first request: called again, or by several tasks
    /// at once, each call waits for it and returns the same result, that of [`App::ended`]. During a
    /// [`start`](Self::start) it ends the start and waits for it; before one it keeps the app from starting. If
    /// the future is dropped, the stop goes on.
    ///
    /// It waits for the handlers, so no handler may call it: a handler calls [`App::shut_down`].
    ///
    /// # Errors
    /// Names each record that was cut, each task that did not end in time, each offset that was not committed,
    /// and each hook that failed. When the app has ended by itself, or did not start, the reason comes first.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn stop(&self) -> Result<(), RunError> {
        self.shut_down();
        // A start that nobody polls does not end: it is waited for as long as a stop may take.
        let within = self.inner.shutdown_timeout;
        drop(timeout(within, self.inner.life.starting.lock()).await);
        self.ending().await
    }

    /// The end; it begins with the first call.
    fn ending(&self) -> impl Future<Output = Result<(), RunError>> + Send + use<> {
        let life = &self.inner.life;
        let mut ending = lock(&life.ending);
        let ended = life.end.borrow().clone();
        let work = match (&ended, &*ending) {
            (Some(_), _) => None,
            (None, Some(ending)) if !ending.task.is_finished() => Some(ending.work.clone()),
            // The first, or the tokio runtime of the first is gone, and its timers with it.
            (None, _) => {
                let work: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(self.clone().end());
                let work: Work = work.shared();
                let task = tokio::spawn(work.clone());
                *ending = Some(Ending {
                    work: work.clone(),
                    task,
                });
                Some(work)
            }
        };
        async move {
            match work {
                Some(work) => work.await,
                None => ended.unwrap_or(Ok(())),
            }
        }
    }

    /// Ends the app when the runtime has a reason to, and when it is asked to.
    pub(super) fn watch(&self, runtime: &Runtime) {
        let (stopping, failed) = (self.stopping(), runtime.failed());
        // An app that everybody has let go of ends with its runtime.
        let inner = Arc::downgrade(&self.inner);
        tokio::spawn(async move {
            let reason = tokio::select! {
                biased;
                () = stopping => None,
                reason = failed => Some(reason),
            };
            let Some(inner) = inner.upgrade() else { return };
            let app = Self { inner };
            if let Some(reason) = reason {
                app.fail(reason);
            }
            // Whoever wants to know asks for it.
            let _ = app.stop().await;
        });
    }

    /// Asks the app to stop when the runtime has a reason to, without a task.
    pub(super) async fn fail_with(&self, runtime: &Runtime) -> Infallible {
        self.fail(runtime.failed().await);
        pending().await
    }

    /// The app has to end, and nobody has asked for it.
    fn fail(&self, reason: String) {
        let title = &self.inner.spec.info.title;
        let line = format!("{title} ends: {reason}");
        let cause = (Instant::now(), RunError::Ended(reason));
        if self.inner.life.cause.set(cause).is_ok() {
            tracing::error!("{line}");
        }
        self.shut_down();
    }

    async fn end(self) -> Result<(), RunError> {
        let life = &self.inner.life;
        let within = self.inner.shutdown_timeout;
        let deadline = *life.deadline.get_or_init(|| Instant::now() + within);
        let work = CatchRun::new(Box::pin(async {
            // The handlers have the other half, so that a request that hangs costs no record.
            let served = self.end_server(within / 2).await;
            [served, self.undo(deadline).await]
        }));
        let undone = work.await.unwrap_or_else(|panic| {
            let what = format!("it panicked: {}", panic_text(&*panic));
            [None, Some(RunError::Stop(what))]
        });
        let cause = life.cause.get().map(|(_, cause)| cause.clone());
        let reasons = [cause].into_iter().chain(undone);
        let title = &self.inner.spec.info.title;
        let end = match reasons.flatten().reduce(with) {
            None => {
                tracing::info!("{title} is stopped");
                Ok(())
            }
            Some(error) => {
                tracing::error!("{title} is stopped: {error}");
                let _ = life.unclean.set((Instant::now(), error.clone()));
                Err(error)
            }
        };
        life.set_end(end.clone());
        end
    }

    /// Ends what the start has begun: the runtime first, then the hooks.
    async fn undo(&self, deadline: Instant) -> Option<RunError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let stopped = match self.inner.life.runtime.get() {
            Some(runtime) => runtime.stop(left).await,
            None => Ok(()),
        };
        let released = self.inner.hooks.stop(self, deadline).await;
        let problems = [stopped, released].into_iter().filter_map(Result::err);
        let problems: Vec<_> = problems.collect();
        (!problems.is_empty()).then(|| RunError::Stop(problems.join("; ")))
    }
}

/// The first error decides the variant. Of the second, what it does not say itself is added: a stop repeats
/// the reason of the end.
fn with(first: RunError, second: RunError) -> RunError {
    let (RunError::Ended(more) | RunError::Stop(more)) = second else {
        return first;
    };
    let known = first.to_string();
    let more = more.split("; ").filter(|more| !known.contains(more));
    let add = |what: String| {
        more.clone()
            .fold(what, |what, more| format!("{what}; {more}"))
    };
    match first {
        RunError::Ended(what) => RunError::Ended(add(what)),
        RunError::Stop(what) => RunError::Stop(add(what)),
        RunError::Start(mut problems) => {
            let more = more.map(|more| Problem::Broker(more.to_owned()));
            problems.0.extend(more);
            RunError::Start(problems)
        }
        RunError::Stopped => RunError::Stopped,
    }
}

/// Lets the end begin when a future is dropped whose caller would have seen to it.
pub(super) struct EndOnDrop {
    /// `None` once the caller has seen to it.
    app: Option<App>,
    tokio: Handle,
}

impl EndOnDrop {
    pub(super) fn new(app: &App) -> Self {
        Self {
            app: Some(app.clone()),
            tokio: Handle::current(),
        }
    }

    pub(super) fn disarm(mut self) {
        self.app = None;
    }
}

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        let Some(app) = self.app.take() else { return };
        app.shut_down();
        app.let_go_of_server();
        // Also where the tokio runtime ends with the future, and with it the task.
        if let Some(runtime) = app.inner.life.runtime.get() {
            runtime.shut_down();
        }
        self.tokio.spawn(async move { app.stop().await });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::Problems;

    #[test]
    fn an_end_with_several_reasons_tells_each_once_and_the_first_decides() {
        let ended = |what: &str| RunError::Ended(what.to_owned());
        let stop = |what: &str| RunError::Stop(what.to_owned());
        let failed = Problems(vec![Problem::Broker("no broker".to_owned())]);
        let cases = [
            (
                ended("no till"),
                stop("no till; a dirty page"),
                "the app ended: no till; a dirty page",
            ),
            (ended("no till"), stop("no till"), "the app ended: no till"),
            (
                stop("no till"),
                stop("a dirty page"),
                "the app did not stop cleanly: no till; a dirty page",
            ),
            (
                RunError::Start(failed),
                stop("no broker; a dirty page"),
                "the app cannot start: 2 problems\n  no broker\n  a dirty page",
            ),
        ];
        for (first, second, expected) in cases {
            assert_eq!(with(first, second).to_string(), expected);
        }
    }
}
