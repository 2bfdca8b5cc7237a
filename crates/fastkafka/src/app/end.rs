//! The end of an app: it is one, it goes on by itself, and all who wait for it are told the same.
//!
//! A task works at it, and so does everybody who waits: a dropped `run`, `start` or `stop` cannot leave it half
//! done, an app that ends by itself needs nobody who listens, and handlers that block all threads of tokio
//! keep only the task from it. When the tokio runtime of the task is gone, it goes on elsewhere
//! ([`super::dropped`]).

use super::App;
use super::dropped::Relay;
use super::life::{Ending, Work};
use crate::error::RunError;
use crate::hook::LEAST;
use crate::lock::lock;
use fastkafka_core::{CatchRun, Problem};
use fastkafka_runtime::Runtime;
use futures_util::FutureExt;
use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::thread;
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};

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
        loop {
            if let Some(end) = self.ending().await {
                return end;
            }
        }
    }

    /// The end; it begins with the first call, and again when the tokio runtime of that is gone.
    fn ending(&self) -> impl Future<Output = Option<Result<(), RunError>>> + Send + use<> {
        let life = &self.inner.life;
        let gone = |ending: &mut Ending| *ending.gone.borrow();
        let former = lock(&life.ending).take_if(gone);
        // What it holds has to be free, also where nobody polls it any more.
        if let Some(former) = former {
            drop(former.work.now_or_never());
        }
        let mut ending = lock(&life.ending);
        let ended = life.end.borrow().clone();
        let begun = ending.as_ref().filter(|ending| !*ending.gone.borrow());
        let work = match (&ended, begun) {
            (Some(_), _) => None,
            (None, Some(ending)) => Some(ending.work.clone()),
            (None, None) => {
                let relay = Relay::new(self);
                let gone = relay.gone();
                let work = within(Handle::current(), end_unless(gone.clone(), relay.app()));
                let work: Work =
                    (Box::pin(work) as Pin<Box<dyn Future<Output = _> + Send>>).shared();
                *ending = Some(Ending {
                    work: work.clone(),
                    gone,
                });
                tokio::spawn(relay.carry({
                    let work = work.clone();
                    async move |_| drop(work.await)
                }));
                Some(work)
            }
        };
        async move {
            match work {
                Some(work) => work.await,
                None => ended,
            }
        }
    }

    /// Ends the app when the runtime has a reason to, when it is asked to, and when its last handle is dropped.
    pub(super) fn watch(&self, runtime: &Runtime) {
        let (stopping, failed) = (self.stopping(), runtime.failed());
        let mut held = self.held.subscribe();
        tokio::spawn(Relay::with_handlers(self).carry(async move |app| {
            tokio::select! {
                biased;
                () = stopping => {}
                reason = failed => app.fail(reason),
                // The last of those who could change it is gone.
                _ = held.changed() => if !app.is_let_go() { return },
            }
            // Whoever wants to know asks for it.
            let _ = app.stop().await;
        }));
    }

    /// Asks the app to stop when the runtime has a reason to, without a task.
    pub(super) async fn fail_with(&self, runtime: &Runtime) -> Infallible {
        self.fail(runtime.failed().await);
        pending().await
    }

    /// The app has to end, and nobody has asked for it.
    pub(super) fn fail(&self, reason: String) {
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
        #[cfg(feature = "admin")]
        self.end_asking();
        let work = CatchRun::new(Box::pin(async {
            // The handlers have the other half, so that a request that hangs costs no record.
            let served = life.served.get_or_init(|| self.end_server(within / 2));
            [served.await.clone(), self.undo(deadline).await]
        }));
        let undone = work.await.unwrap_or_else(|panic| {
            let what = format!("it panicked: {panic}");
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
        #[cfg(feature = "admin")]
        self.close_admin(deadline).await;
        life.set_end(end.clone());
        end
    }

    /// Ends what the start has begun: the runtime first, then the hooks, and the broker in the process last.
    async fn undo(&self, deadline: Instant) -> Option<RunError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let stopped = match self.inner.life.runtime.get() {
            Some(runtime) => runtime.stop(left).await,
            None => Ok(()),
        };
        let released = self.inner.hooks.stop(self, deadline).await;
        let ended = self.end_embedded(deadline).await;
        let problems = [stopped, released, ended]
            .into_iter()
            .filter_map(Result::err);
        let problems: Vec<_> = problems.collect();
        (!problems.is_empty()).then(|| RunError::Stop(problems.join("; ")))
    }

    /// Ends the brokers in the process. A client of librdkafka takes its time to end.
    async fn end_embedded(&self, deadline: Instant) -> Result<(), String> {
        let brokers = std::mem::take(&mut *self.embedded());
        if brokers.is_empty() {
            return Ok(());
        }
        let (over, ended) = oneshot::channel::<Infallible>();
        let thread = thread::Builder::new().name("fk-embedded".to_owned());
        // Not one of tokio's: others may have all of those. Where there is none, this drops them here.
        let _ = thread.spawn(move || {
            drop(brokers);
            drop(over);
        });
        let deadline = deadline.max(Instant::now() + LEAST);
        // An error is the end.
        let ended = timeout_at(deadline, ended).await.map(drop);
        ended.map_err(|_| "the embedded broker did not end in time".to_owned())
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

/// `None` when the tokio runtime is gone that it was begun on. It is looked at before each step: timers of a
/// runtime that is gone panic.
async fn end_unless(mut gone: watch::Receiver<bool>, app: App) -> Option<Result<(), RunError>> {
    tokio::select! {
        biased;
        _ = gone.wait_for(|gone| *gone) => None,
        end = app.end() => Some(end),
    }
}

/// Polled in that tokio runtime, wherever the one who polls is: the timers of the work are to go with the
/// runtime that is watched, and with no other.
async fn within<T>(tokio: Handle, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|cx| {
        let _entered = tokio.enter();
        work.as_mut().poll(cx)
    })
    .await
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
