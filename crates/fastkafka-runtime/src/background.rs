//! `#[run_in_background]`: functions that run beside the handlers, from the moment the app is started
//! until it is asked to stop.

use crate::health::TaskHealth;
use crate::lock::lock;
use fastkafka_core::{
    Ambient, AppContext, BackgroundDef, CatchRun, Restart, Scoped, Task, TaskFailure, one_line,
    panic_text,
};
use fastkafka_engine::growing;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
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
    /// `None` once [`Ending`] has it.
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
            list.tasks.push(Running {
                task: task.clone(),
                state,
                handle: Some(tokio::spawn(work)),
            });
        }
    }

    /// Cancels the tasks where they await.
    pub(crate) fn end(&self) -> Ending {
        self.abort();
        let mut list = self.list();
        let taken = |running: &mut Running| Some((running.task.def, running.handle.take()?));
        Ending(list.tasks.iter_mut().filter_map(taken).collect())
    }

    /// Cancels the tasks without waiting; nothing starts after that.
    pub(crate) fn abort(&self) {
        let mut list = self.list();
        list.over = true;
        let handles = list.tasks.iter().filter_map(|task| task.handle.as_ref());
        handles.for_each(JoinHandle::abort);
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
                Err(panic) => (
                    one_line(format_args!("panicked: {}", panic_text(&*panic))),
                    true,
                ),
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

/// Tasks that were cancelled, and are not known to be gone.
#[derive(Debug)]
pub(crate) struct Ending(Vec<(&'static BackgroundDef, JoinHandle<()>)>);

impl Ending {
    /// Waits until they are gone, at most until then.
    pub(crate) async fn wait(&mut self, until: Instant) {
        let mut left = Vec::new();
        for (def, mut handle) in std::mem::take(&mut self.0) {
            // Cancelled or ended by itself: either way it is gone.
            if tokio::time::timeout_at(until, &mut handle).await.is_err() {
                left.push((def, handle));
            }
        }
        self.0 = left;
    }

    /// Names those that are left.
    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(def, _)| {
            format!(
                "background task `{}` ({}) did not end in time: it blocks its thread",
                def.name, def.location
            )
        })
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
