//! Results for the records of a line: settled, failed, handled again, ended.

use std::collections::BTreeMap;

use super::{Keyed, Line};
use crate::event::{Failure, Key, PartIndex, RunId, Time};
use crate::piece::{Past, State};
use crate::policy::Policy;
use crate::tasks::Tasks;

impl Keyed {
    /// The records from `first` up to `prefix` that still belong to `run` are terminal.
    pub(crate) fn settle(&mut self, run: RunId, first: i64, prefix: i64, tasks: &Tasks) {
        let owned: Vec<i64> = self.owned(run, first, prefix).collect();
        for at in owned {
            self.finish(at, tasks);
        }
    }

    fn owned(&self, run: RunId, first: i64, next: i64) -> impl Iterator<Item = i64> + '_ {
        let slots = self.slots.range(first..next.max(first));
        slots
            .filter(move |(_, slot)| slot.state == State::Running(run))
            .map(|(&at, _)| at)
    }

    /// The task ended before it began these: they are queued again.
    pub(crate) fn unstart(&mut self, run: RunId, (from, next): (i64, i64), tasks: &Tasks) {
        // Only a batch has a rest, and its records have no keys.
        let rest: Vec<i64> = self.owned(run, from, next).collect();
        for at in rest {
            self.running -= 1;
            self.slots.get_mut(&at).expect("just found").state = State::Queued;
            self.list(None, at, tasks);
        }
    }

    /// A failed attempt of `[at, next)`, unless it belongs to another run by now. The records behind
    /// it in its line are handled after it once more.
    pub(crate) fn fail(
        &mut self,
        run: RunId,
        (at, next): (i64, i64),
        failure: Failure,
        alone: bool,
        (policy, part, now): (&Policy, PartIndex, Time),
        tasks: &Tasks,
    ) {
        let unit: Vec<i64> = self.owned(run, at, next).collect();
        for &record in &unit {
            let slot = self.slots.get_mut(&record).expect("just found");
            slot.past.alone |= alone;
            let place = (part, unit[0]);
            slot.state = slot.past.fail(failure, policy, place, unit.len() > 1, now);
            let key = slot.key;
            self.running -= 1;
            match key {
                None => self.list(None, record, tasks),
                Some(key) => self.replay(key, record, tasks),
            }
        }
    }

    /// `from`, which is not running any more, and everything behind it in its line is queued again.
    fn replay(&mut self, key: Key, from: i64, tasks: &Tasks) {
        self.unlist_head(key);
        let line = self.lines.get_mut(&key).expect("a key with a slot");
        let Some(i) = line.started.iter().position(|&o| o == from) else {
            return;
        };
        // Started records come before the waiting ones in the line, so order is kept.
        let mut again = line.started.split_off(i);
        for &at in again.iter().skip(1) {
            let slot = self.slots.get_mut(&at).expect("a line names slots");
            let running = matches!(slot.state, State::Running(_));
            self.running -= usize::from(running);
            // Also what is settled: its output would otherwise stand before the repeated one.
            slot.state = State::Queued;
        }
        again.append(&mut line.waiting);
        line.waiting = again;
        self.list_head(key, tasks);
    }

    /// The lowest record without attempts that may end, and its attempts.
    pub(crate) fn ending(&self) -> Option<(i64, u32)> {
        let at = *self.exhausted.first()?;
        Some((at, self.slots[&at].past.failures))
    }

    /// The record that `ending` returned stops, or waits for its dead letter.
    pub(crate) fn end_as(&mut self, at: i64, state: State) {
        self.exhausted.remove(&at);
        self.letters += usize::from(matches!(state, State::WritingDeadLetter(_)));
        self.slots.get_mut(&at).expect("it was exhausted").state = state;
    }

    /// The record that `ending` returned is skipped, or its dead letter is written: it is terminal.
    pub(crate) fn complete(&mut self, at: i64, tasks: &Tasks) {
        let slot = self.slots.get_mut(&at).expect("it was exhausted");
        self.exhausted.remove(&at);
        self.letters -= usize::from(matches!(slot.state, State::WritingDeadLetter(_)));
        let line = slot.key.and_then(|key| self.lines.get_mut(&key));
        slot.state = State::Terminal;
        if let Some(line) = line {
            if line.waiting.front() == Some(&at) {
                line.waiting.pop_front();
            } else {
                line.waiting.retain(|&o| o != at);
            }
            line.started.push_front(at);
        }
        self.leave(at, tasks);
    }

    /// Whether the dead letter `run` of `at` is the one that counts.
    pub(crate) fn awaits_dead_letter(&self, at: i64, run: RunId) -> bool {
        let slot = self.slots.get(&at);
        slot.is_some_and(|slot| slot.state == State::WritingDeadLetter(run))
    }

    /// The dead letter of `at` could not be written: again later, or never. Returns the attempts.
    pub(crate) fn dead_letter_failed(
        &mut self,
        at: i64,
        again: bool,
        (policy, part, now): (&Policy, PartIndex, Time),
        tasks: &Tasks,
    ) -> u32 {
        self.letters -= 1;
        let slot = self.slots.get_mut(&at).expect("just found");
        slot.state = if again {
            slot.past.dead_letter_failed(policy, (part, at), now)
        } else {
            State::Stopped
        };
        let (key, attempts) = (slot.key, slot.past.failures);
        self.list(key, at, tasks);
        attempts
    }

    /// The records that have stopped are tried again, as if they had not failed.
    pub(crate) fn restart(&mut self, tasks: &Tasks) {
        let stopped: Vec<i64> = self.stopped().map(|failed| failed.at).collect();
        for at in stopped {
            let slot = self.slots.get_mut(&at).expect("just found");
            slot.state = State::Queued;
            slot.past = Past {
                alone: slot.past.alone,
                ..Past::default()
            };
            let key = slot.key;
            self.list(key, at, tasks);
        }
    }

    /// A running record is settled.
    fn finish(&mut self, at: i64, tasks: &Tasks) {
        let slot = self.slots.get_mut(&at).expect("the caller found it");
        self.running -= usize::from(matches!(slot.state, State::Running(_)));
        slot.state = State::Terminal;
        self.leave(at, tasks);
    }

    /// Removes the terminal records at the front of the line of `at`.
    fn leave(&mut self, at: i64, tasks: &Tasks) {
        let Some(key) = self.slots[&at].key else {
            return self.free(at);
        };
        // Not `at` itself if something before it is open: that could still fail, and `at` would have
        // to be handled again.
        let mut gone = Vec::new();
        let line = self.lines.get_mut(&key).expect("a key with a slot");
        let slots = &self.slots;
        let done = |o: &i64| slots[o].state == State::Terminal;
        while let Some(front) = line.started.pop_front_if(|o| done(o)) {
            gone.push(front);
        }
        gone.into_iter().for_each(|at| self.free(at));
        if line_is_empty(&self.lines, key) {
            self.lines.remove(&key);
        } else {
            self.list_head(key, tasks);
        }
    }

    fn free(&mut self, at: i64) {
        if let Some(slot) = self.slots.remove(&at) {
            self.bytes -= slot.bytes;
            self.freed.push(at);
        }
    }
}

fn line_is_empty(lines: &BTreeMap<Key, Line>, key: Key) -> bool {
    let line = lines.get(&key);
    line.is_some_and(|line| line.started.is_empty() && line.waiting.is_empty())
}
