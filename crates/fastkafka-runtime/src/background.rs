//! `#[run_in_background]`: functions that run beside the handlers, from the moment the app is started
//! until it is asked to stop.

use crate::health::TaskHealth;
use crate::lock::lock;
use crate::tasks;
use fastkafka_core::{
    Ambient, AppContext, AppTask, CatchRun, Restart, Scoped, Task, TaskFailure, one_line,
};
use fastkafka_engine::growing;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// The background tasks of an app.
#[derive(Debug)]
pub(crate) struct Background {
    app: Arc<AppContext>,
    list: Mutex<List>,
    /// Why the app must end.
    failure: watch::Sender<Option<String>>,
}

#[derive(Debug, Default)]
struct List {
    /// The tasks were ended: none starts any more.
    over: bool,
    tasks: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    task: Task,
    state: Arc<Mutex<State>>,
    /// `None` once it is known to be gone.
    handle: Option<JoinHandle<()>>,
}

/// The facts that the health of a task is made of.
#[derive(Debug)]
struct State {
    /// Since when it runs; `None` while it waits for its restart.
    begun: Option<Instant>,
    ended: bool,
    /// When the failures in a row began, their number, and the last one.
    failing: Option<(Instant, u32, String)>,
}

impl Background {
    pub(crate) fn new(app: Arc<AppContext>) -> Arc<Self> {
        Arc::new(Self {
            app,
            list: Mutex::default(),
            failure: watch::Sender::new(None),
        })
    }

    fn list(&self) -> MutexGuard<'_, List> {
        lock(&self.list)
    }

    /// Starts the tasks, unless they were ended already.
    pub(crate) fn start(self: &Arc<Self>, tasks: &[Task]) {
        let mut list = self.list();
        if list.over {
            return;
        }
        for task in tasks {
            let state = Arc::new(Mutex::new(State {
                begun: None,
                ended: false,
                failing: None,
            }));
            let work = self.clone().keep_running(task.clone(), state.clone());
            let name = AppTask::Background(task.def.name);
            let handle = tasks::spawn(&self.app, &Handle::current(), name, work);
            list.tasks.push(Running {
                task: task.clone(),
                state,
                handle: Some(handle),
            });
        }
    }

    /// Cancels the tasks where they await, and waits for nothing; nothing starts after that.
    pub(crate) fn abort(&self) {
        let mut list = self.list();
        list.over = true;
        let handles = list.tasks.iter().filter_map(|task| task.handle.as_ref());
        handles.for_each(JoinHandle::abort);
    }

    /// Waits until the tasks are gone, at most until then.
    pub(crate) async fn wait(&self, until: Instant) {
        let gone = poll_fn(|cx| {
            let mut list = self.list();
            for running in &mut list.tasks {
                // Cancelled or ended by itself: either way it is gone.
                let gone = |handle: &mut JoinHandle<()>| Pin::new(handle).poll(cx).is_ready();
                running.handle.take_if(gone);
            }
            if list.tasks.iter().any(|running| running.handle.is_some()) {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        });
        let _ = tokio::time::timeout_at(until, gone).await;
    }

    /// Names those that are not gone.
    pub(crate) fn problems(&self) -> Vec<String> {
        let list = self.list();
        let left = list.tasks.iter().filter(|running| running.handle.is_some());
        let problems = left.map(|Running { task, .. }| {
            format!(
                "background task `{}` ({}) did not end in time: it blocks its thread",
                task.def.name, task.def.location
            )
        });
        problems.collect()
    }

    /// Ends when the app must end, with the reason.
    pub(crate) async fn failed(&self) -> String {
        let mut told = self.failure.subscribe();
        // The sender is in `self`: it cannot be gone.
        let failure = told.wait_for(Option::is_some).await;
        failure
            .ok()
            .and_then(|reason| reason.clone())
            .unwrap_or_default()
    }

    /// Why the app must end, once that is so.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.borrow().clone()
    }

    pub(crate) fn health(&self) -> Vec<TaskHealth> {
        self.list().tasks.iter().map(Running::health).collect()
    }

    /// Runs a task until it returns, and again after each failure where that is wanted.
    async fn keep_running(self: Arc<Self>, task: Task, state: Arc<Mutex<State>>) {
        loop {
            let begun = Instant::now();
            lock(&state).begun = Some(begun);
            let ambient = Ambient::of_app(self.app.clone());
            // The future is made inside: a panic of the function itself is caught as well.
            let (run, states) = (task.def.run, self.app.states().clone());
            let work = CatchRun::new(Box::pin(async move { run(states).await }));
            let (what, panicked) = match Scoped::new(ambient, work).await {
                Ok(Ok(())) => {
                    let mut state = lock(&state);
                    (state.begun, state.ended, state.failing) = (None, true, None);
                    return;
                }
                Ok(Err(failure)) => (format!("failed: {}", failure.message()), false),
                Err(panic) => (one_line(format_args!("panicked: {panic}")), true),
            };
            let def = task.def;
            let failure = TaskFailure {
                message: format!("background task `{}` ({}) {what}", def.name, def.location),
                panicked,
                is_final: task.restart == Restart::Never,
            };
            let pause = {
                let mut state = lock(&state);
                state.begun = None;
                state.ended = failure.is_final;
                state.fail(&task, begun, what)
            };
            if let Some(interceptor) = self.app.interceptor() {
                interceptor.task_failed(&failure);
            }
            if failure.is_final {
                tracing::error!("{}", failure.message);
                let first = |reason: &mut Option<String>| {
                    let first = reason.is_none();
                    reason.get_or_insert(failure.message);
                    first
                };
                self.failure.send_if_modified(first);
                return;
            }
            tracing::warn!("{}; it starts again in {pause:?}", failure.message);
            tokio::time::sleep(pause).await;
        }
    }
}

impl State {
    /// Counts a failure. Returns how long to wait after it.
    fn fail(&mut self, task: &Task, begun: Instant, what: String) -> Duration {
        let before = self.failing.take().filter(|_| !recovered(task, begun));
        let (since, failures) = match before {
            Some((since, failures, _)) => (since, failures.saturating_add(1)),
            None => (Instant::now(), 1),
        };
        self.failing = Some((since, failures, what));
        // Processes that failed together do not come back in step.
        let place = u64::from(std::process::id());
        growing(task.backoff, task.backoff_max, failures, place)
    }
}

/// A run that lasts as long as the longest pause counts as a recovery.
fn recovered(task: &Task, begun: Instant) -> bool {
    begun.elapsed() >= task.backoff_max
}

impl Running {
    fn health(&self) -> TaskHealth {
        let state = lock(&self.state);
        let well = state
            .begun
            .is_some_and(|begun| recovered(&self.task, begun));
        let failing = state.failing.as_ref().filter(|_| !well);
        TaskHealth {
            task: self.task.def.path(),
            ended: state.ended,
            failing: failing.map(|(since, _, what)| (since.elapsed(), what.clone())),
        }
    }
}
