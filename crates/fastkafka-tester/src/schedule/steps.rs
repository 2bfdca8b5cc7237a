//! The steps of a run, as its tasks and its clusters meet them.

use super::choice::{Choice, Deviation, Schedule};
use super::turns::{Due, Kind, State, Step, Task};
use crate::lock::lock;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

/// How long a `blocking` handler may take, by the machine's clock.
const BLOCKED: Duration = Duration::from_secs(10);

/// The steps of a run that is explored; of any other test there are none. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Steps(Option<Arc<Shared>>);

struct Shared {
    thread: ThreadId,
    state: Mutex<State>,
}

impl Steps {
    /// Those of a run on this thread.
    pub(crate) fn new(schedule: &Schedule, allowed: &BTreeSet<Deviation>) -> Self {
        let state = State {
            schedule: schedule.0.iter().copied().collect(),
            allowed: allowed.clone(),
            ..State::default()
        };
        Self(Some(Arc::new(Shared {
            thread: thread::current().id(),
            state: Mutex::new(state),
        })))
    }

    pub(crate) fn are_made(&self) -> bool {
        self.0.is_some()
    }

    fn state(&self) -> Option<MutexGuard<'_, State>> {
        self.0.as_ref().map(|shared| lock(&shared.state))
    }

    pub(crate) fn is_on_its_thread(&self) -> bool {
        let shared = self.0.as_ref();
        shared.is_some_and(|shared| shared.thread == thread::current().id())
    }

    /// From here on faults may come. An outage may meet each of so many clusters.
    pub(crate) fn begin(&self, clusters: usize) {
        if let Some(mut state) = self.state() {
            (state.faults, state.clusters) = (true, clusters);
        }
    }

    pub(crate) fn end(&self) {
        if let Some(mut state) = self.state() {
            state.faults = false;
        }
    }

    /// The steps that were taken.
    pub(crate) fn taken(&self) -> Vec<Step> {
        let mut state = self.state();
        state
            .as_mut()
            .map(|state| std::mem::take(&mut state.taken))
            .unwrap_or_default()
    }

    /// The tasks that go on, of processes that have not crashed.
    pub(crate) fn left(&self) -> Vec<String> {
        let Some(state) = self.state() else {
            return Vec::new();
        };
        let tasks = state.tasks.values();
        let left = tasks.filter(|task| !state.crashed.contains(&task.process));
        left.map(|task| task.name.clone()).collect()
    }

    /// The number of the next step.
    pub(crate) fn number(&self) -> usize {
        self.state().map_or(0, |state| state.taken.len())
    }

    /// Why the run says nothing: it waits for what nobody can repeat.
    pub(crate) fn refused(&self) -> Option<String> {
        self.state()?.refused.clone()
    }

    /// Why the schedule is of another run.
    pub(crate) fn misfit(&self) -> Option<String> {
        let state = self.state()?;
        let unused = state.schedule.front().map(|(step, choice)| {
            format!("the schedule does not fit: there is no step {step} for `{choice}`")
        });
        state.misfit.clone().or(unused)
    }

    /// Something has happened that a test can see.
    pub(crate) fn note(&self) {
        if let Some(mut state) = self.state() {
            state.quiet.clear();
        }
    }

    /// What happens to a call that may fail with one of these; `None`: it goes well.
    pub(crate) fn ask(&self, what: &str, choices: &[Choice]) -> Option<Choice> {
        let mut state = self.state()?;
        if !state.faults {
            return None;
        }
        let mut choices = choices.to_vec();
        choices.retain(|choice| state.allowed.contains(&choice.deviation()));
        state.quiet.clear();
        state.step(what, choices)
    }

    /// A task is about to be spawned, and is ready.
    pub(super) fn add(&self, name: String, process: u32, kind: Kind) -> u64 {
        let Some(mut state) = self.state() else {
            return 0;
        };
        state.last_task += 1;
        let id = state.last_task;
        let task = Task {
            name,
            process,
            kind,
            waker: None,
            paused: false,
        };
        state.tasks.insert(id, task);
        state.wake(id);
        id
    }

    /// A task is gone.
    pub(super) fn remove(&self, id: u64) {
        let Some(mut state) = self.state() else {
            return;
        };
        let gone = state.tasks.remove(&id);
        state.ready.retain(|(_, ready)| *ready != id);
        if state.at_work == Some(id) {
            (state.at_work, state.is_polled) = (None, false);
            state.go_on();
        }
        drop(state);
        // Its waker may be the last to hold the task.
        drop(gone);
    }

    /// True when it is the turn of this task. Otherwise its waker is woken when that comes.
    pub(super) fn begin_poll(&self, id: u64, waker: &Waker) -> bool {
        let Some(mut state) = self.state() else {
            return true;
        };
        let is_next = state.at_work == Some(id);
        state.is_polled = is_next;
        let task = state.tasks.get_mut(&id);
        let before = task.and_then(|task| task.waker.replace(waker.clone()));
        drop(state);
        drop(before);
        is_next
    }

    pub(super) fn end_poll(&self, id: u64) {
        if let Some(mut state) = self.state()
            && state.at_work == Some(id)
        {
            (state.at_work, state.is_polled) = (None, false);
            state.go_on();
        }
    }

    pub(super) fn wake(&self, id: u64) {
        let here = self.is_on_its_thread();
        if let Some(mut state) = self.state() {
            if !here && !state.blocked && state.refused.is_none() {
                state.refused = state.tasks.get(&id).map(|task| {
                    format!(
                        "{} was woken by another thread. What a thread or a foreign service does cannot be repeated: put a fake in its place that answers by itself, and `blocking` on a handler that blocks",
                        task.name
                    )
                });
            }
            state.wake(id);
        }
    }

    /// Before an output: the task waits once, so that a crash may come between what it did before and that.
    pub(crate) fn pause(&self, cx: &mut Context<'_>) -> Poll<()> {
        // Whoever does not wait only asks whether there is room, with a waker that is none. There is one in each
        // crate, so that they are not equal; they hold nothing.
        if !self.is_on_its_thread() || cx.waker().data().is_null() {
            return Poll::Ready(());
        }
        let pauses = self.state().is_some_and(|mut state| {
            let at_work = state.at_work.filter(|_| state.is_polled && state.faults);
            let task = at_work.and_then(|id| state.tasks.get_mut(&id));
            task.is_some_and(|task| {
                task.paused = !task.paused;
                task.paused
            })
        });
        if pauses {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Whoever performs faults is woken by this.
    pub(crate) fn perform_by(&self, waker: &Waker) {
        if let Some(mut state) = self.state() {
            state.main = Some(waker.clone());
        }
    }

    /// The fault that is to be performed now: nothing goes on before [`Steps::go_on`].
    pub(crate) fn due(&self) -> Option<Due> {
        self.state()?.due.clone()
    }

    /// The fault has begun.
    pub(crate) fn go_on(&self) {
        if let Some(mut state) = self.state() {
            state.due = None;
            state.go_on();
        }
    }

    /// Of this process nothing goes on from here but its consumers, which end it.
    pub(crate) fn crashed(&self, process: u32) {
        if let Some(mut state) = self.state() {
            state.crashed.insert(process);
        }
    }

    pub(crate) fn has_crashed(&self, process: u32) -> bool {
        let state = self.state();
        state.is_some_and(|state| state.crashed.contains(&process))
    }

    /// No crash, rebalance or outage begins while this lives.
    pub(crate) fn hold(&self) -> Hold {
        self.count(|state| &mut state.held)
    }

    /// No rebalance or outage begins while this lives. A crash may.
    pub(crate) fn starting(&self) -> Hold {
        self.count(|state| &mut state.starting)
    }

    fn count(&self, counter: Counter) -> Hold {
        if let Some(mut state) = self.state() {
            *counter(&mut state) += 1;
        }
        Hold(self.clone(), counter)
    }

    /// Tasks that have gone on before others since the last call.
    pub(crate) fn overtaken(&self) -> Vec<String> {
        let mut state = self.state();
        state
            .as_mut()
            .map(|state| std::mem::take(&mut state.overtaken))
            .unwrap_or_default()
    }

    /// Runs what a `blocking` handler does, as one step: on a thread, for which all else waits.
    pub(crate) fn block(&self, work: Box<dyn FnOnce() + Send>) {
        let set = |blocked| {
            if let Some(mut state) = self.state() {
                state.blocked = blocked;
            }
        };
        set(true);
        let (over, is_over) = mpsc::channel::<()>();
        thread::spawn(move || {
            let _over = over;
            work();
        });
        if is_over.recv_timeout(BLOCKED) == Err(mpsc::RecvTimeoutError::Timeout)
            && let Some(mut state) = self.state()
        {
            state.refused.get_or_insert_with(|| {
                format!("a `blocking` handler has not returned in {BLOCKED:?}: in an exploration all else waits for it")
            });
        }
        set(false);
    }
}

type Counter = fn(&mut State) -> &mut usize;

/// See [`Steps::hold`] and [`Steps::starting`].
pub(crate) struct Hold(Steps, Counter);

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(mut state) = self.0.state() {
            *self.1(&mut state) -= 1;
        }
    }
}
