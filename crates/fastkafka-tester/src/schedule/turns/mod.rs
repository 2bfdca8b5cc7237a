//! Whose turn it is: a machine without a clock, a thread or a runtime.
//!
//! A task that is woken is ready, and goes on when all that were ready before have done so. One of them is at work at a
//! time, until it waits again. Whoever is about to go on makes a step, and so does a call that may fail: at each of
//! them the schedule may say that something else happens.

use super::choice::{Choice, Deviation};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::task::Waker;

/// A step that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// What might have happened instead.
    pub(crate) choices: Vec<Choice>,
    /// Of all that led here: equal runs have equal numbers.
    pub(crate) path: u64,
}

/// A fault that the run is to perform before anything goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) choice: Choice,
    /// The process of the task that was about to go on, and what that is.
    pub(crate) process: u32,
    pub(crate) before: String,
}

pub(super) struct Task {
    pub(super) name: String,
    pub(super) process: u32,
    pub(super) kind: Kind,
    /// Tokio's. `None` before tokio has polled it.
    pub(super) waker: Option<Waker>,
    /// It has paused before the output that it is about to send.
    pub(super) paused: bool,
}

/// What a crash of its process is for a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is told of it, and ends the others.
    Consumer,
    /// It ends by itself, once the consumer has told it to.
    Blocking,
    /// It does not go on.
    Other,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) schedule: VecDeque<(usize, Choice)>,
    pub(super) allowed: BTreeSet<Deviation>,
    pub(super) clusters: usize,
    /// The scenario runs: faults may come. Before and behind it only the order of tasks is another.
    pub(super) faults: bool,
    pub(super) taken: Vec<Step>,
    pub(super) path: DefaultHasher,
    pub(super) tasks: BTreeMap<u64, Task>,
    pub(super) last_task: u64,
    /// Since which turn, and the task.
    pub(super) ready: BTreeSet<(u64, u64)>,
    pub(super) turn: u64,
    /// The task whose turn it is, and whether it is being polled.
    pub(super) at_work: Option<u64>,
    pub(super) is_polled: bool,
    pub(super) due: Option<Due>,
    /// So many calls are under way that change who reads what: no other may begin meanwhile.
    pub(super) held: usize,
    /// So many processes start in the place of those that have crashed. Each may crash as well.
    pub(super) starting: usize,
    /// Wakes whoever performs faults.
    pub(super) main: Option<Waker>,
    pub(super) crashed: BTreeSet<u32>,
    /// Consumers that have taken a turn since anything last happened.
    pub(super) quiet: BTreeSet<u64>,
    /// A thread of a handler is waited for.
    pub(super) blocked: bool,
    /// Tasks that have gone on before others, for the transcript.
    pub(super) overtaken: Vec<String>,
    /// Why the run says nothing: it waits for what nobody can repeat.
    pub(super) refused: Option<String>,
    /// The schedule is of another run.
    pub(super) misfit: Option<String>,
}

impl State {
    pub(super) fn wake(&mut self, id: u64) {
        let known = self.ready.iter().any(|(_, ready)| *ready == id);
        if !known && self.tasks.contains_key(&id) {
            self.ready.insert((self.turn, id));
            self.go_on();
        }
    }

    fn may_go_on(&self, id: u64) -> bool {
        let Some(task) = self.tasks.get(&id) else {
            return false;
        };
        if !self.crashed.contains(&task.process) {
            return true;
        }
        let is_told = || {
            let mut ready = self.ready.iter().filter_map(|(_, id)| self.tasks.get(id));
            !ready.any(|other| other.process == task.process && other.kind == Kind::Consumer)
        };
        match task.kind {
            Kind::Consumer => true,
            Kind::Blocking => is_told(),
            Kind::Other => false,
        }
    }

    /// Lets the next task go on, unless one is at work or a fault comes first.
    pub(super) fn go_on(&mut self) {
        if self.at_work.is_some() || self.due.is_some() {
            return;
        }
        let ready = self.ready.iter().copied();
        let ready: Vec<_> = ready.filter(|(_, id)| self.may_go_on(*id)).collect();
        let Some(&(_, first)) = ready.first() else {
            return;
        };
        let mut next = ready[0];
        let task = &self.tasks[&first];
        let (name, process) = (task.name.clone(), task.process);
        let choices = self.choices(ready.len(), self.quiet.contains(&first));
        match self.step(&name, choices) {
            None => {}
            Some(Choice::Task(number)) => {
                next = ready[number];
                let sooner = &self.tasks[&next.1].name;
                self.overtaken
                    .push(format!("{sooner} goes on before {name}"));
            }
            Some(choice) => {
                self.due = Some(Due {
                    choice,
                    process,
                    before: name,
                });
                self.quiet.clear();
                if let Some(main) = &self.main {
                    main.wake_by_ref();
                }
                return;
            }
        }
        self.ready.remove(&next);
        self.turn += 1;
        self.at_work = Some(next.1);
        match self.tasks.get(&next.1).map(|task| task.kind) {
            Some(Kind::Consumer) => drop(self.quiet.insert(next.1)),
            _ => self.quiet.clear(),
        }
        if let Some(waker) = self.tasks.get(&next.1).and_then(|task| task.waker.as_ref()) {
            waker.wake_by_ref();
        }
    }

    /// What may happen in the place of the first of so many ready tasks. An idle consumer looks around every
    /// second: between two looks nothing differs.
    fn choices(&self, ready: usize, is_quiet: bool) -> Vec<Choice> {
        let mut choices = Vec::new();
        if self.faults && self.held == 0 && !is_quiet {
            choices.push(Choice::Crash);
            if self.starting == 0 {
                choices.push(Choice::Rebalance);
                choices.extend((0..self.clusters).map(Choice::Outage));
            }
        }
        choices.extend((1..ready).map(Choice::Task));
        choices.retain(|choice| self.allowed.contains(&choice.deviation()));
        choices
    }

    /// Makes a step, unless there is nothing to choose.
    pub(super) fn step(&mut self, what: &str, choices: Vec<Choice>) -> Option<Choice> {
        (what, choices.len()).hash(&mut self.path);
        if choices.is_empty() {
            return None;
        }
        let number = self.taken.len();
        let is_now = self.schedule.front().is_some_and(|(at, _)| *at == number);
        let mut chosen = self
            .schedule
            .pop_front_if(|_| is_now)
            .map(|(_, choice)| choice);
        if let Some(choice) = chosen.take_if(|choice| !choices.contains(choice)) {
            let choices: Vec<_> = choices.iter().map(ToString::to_string).collect();
            self.misfit.get_or_insert(format!(
                "the schedule does not fit: at step {number}, before {what}, there is no `{choice}` but {}",
                choices.join(", ")
            ));
        }
        let path = self.path.finish();
        self.taken.push(Step { choices, path });
        chosen
    }
}

#[cfg(test)]
mod tests;
