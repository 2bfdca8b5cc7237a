//! The records of one assigned partition in order by key: one slot for each, from the watermark on.
//!
//! A *line* is the records of one key, in offset order; a record without a key is a line of its own.
//! What was started of a line comes first, then what waits; only the first that waits, the *head*,
//! can start or come to its end, and only heads stand in the three indexes. A slot leaves when it is
//! terminal and so is everything before it in its line: until then a lost output of an earlier
//! record could ask for it again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::assigned::{Failed, Load};
use crate::event::{Failure, Key, Part, Read, RunId, Span, Time};
use crate::mutant::{Mutant, Planted};
use crate::piece::{Past, State};
use crate::policy::Policy;
use crate::tasks::{Task, Tasks};

#[derive(Clone, Debug, Default)]
pub(crate) struct Keyed {
    /// By offset. The lowest is not terminal after a step.
    slots: BTreeMap<i64, Slot>,
    lines: BTreeMap<Key, Line>,
    /// Heads that may start: queued, and nothing of their key at work.
    ready: BTreeSet<i64>,
    /// Heads that wait for a date.
    due: BTreeSet<(Time, i64)>,
    /// Heads without attempts, everything before them in their line being terminal.
    doomed: BTreeSet<i64>,
    running: usize,
    letters: usize,
    bytes: u64,
    end: Option<i64>,
    /// Offsets of slots that left, to be told.
    pub(crate) freed: Vec<i64>,
    planted: Planted,
}

#[derive(Clone, Debug)]
struct Slot {
    key: Option<Key>,
    bytes: u64,
    /// First offset of what was read together, and the place in it: a batch is made of neighbours.
    origin: i64,
    index: u32,
    state: State,
    past: Past,
}

#[derive(Clone, Debug, Default)]
struct Line {
    /// Running or terminal, in order.
    started: VecDeque<i64>,
    /// Everything else, in order.
    waiting: VecDeque<i64>,
}

/// What a new task takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) span: Span,
    pub(crate) key: Option<Key>,
    pub(crate) attempt: u32,
    pub(crate) single: bool,
}

impl Keyed {
    pub(crate) fn new(planted: Planted) -> Self {
        Keyed {
            planted,
            ..Keyed::default()
        }
    }

    pub(crate) fn end(&self) -> Option<i64> {
        self.end
    }

    /// The lowest record that is not done.
    pub(crate) fn lowest(&self) -> Option<i64> {
        self.slots.keys().next().copied()
    }

    pub(crate) fn load(&self) -> Load {
        let span = match (self.lowest(), self.end) {
            (Some(first), Some(end)) => end - first,
            _ => 0,
        };
        Load {
            records: self.slots.len() as u64,
            bytes: self.bytes,
            span,
        }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.running == 0 && self.letters == 0
    }

    /// Nothing of it is at work or could be.
    pub(crate) fn waits(&self) -> bool {
        self.running == 0 && self.ready.is_empty()
    }

    pub(crate) fn due(&self) -> Option<Time> {
        self.due.first().map(|&(due, _)| due)
    }

    pub(crate) fn has_work(&self) -> bool {
        !self.ready.is_empty() || !self.doomed.is_empty()
    }

    pub(crate) fn stopped(&self) -> impl Iterator<Item = Failed> + '_ {
        let stopped = |(_, slot): &(&i64, &Slot)| slot.state == State::Stopped;
        let slots = self.slots.iter().filter(stopped);
        slots.map(|(&at, slot)| slot.past.report(at, slot.state))
    }

    pub(crate) fn waiting(&self) -> impl Iterator<Item = Failed> + '_ {
        let open = |slot: &Slot| !matches!(slot.state, State::Terminal | State::Stopped);
        let slots = self.slots.iter().filter(move |(_, slot)| open(slot));
        let failed = slots.map(|(&at, slot)| slot.past.report(at, slot.state));
        failed.filter(|failed| failed.wait.is_some())
    }

    /// Appends what was read together.
    pub(crate) fn read(&mut self, records: &[Read], tasks: &Tasks) {
        let Some(origin) = records.first().map(|first| first.offset) else {
            return;
        };
        for (index, read) in (0..).zip(records) {
            let slot = Slot {
                key: read.key,
                bytes: read.bytes,
                origin,
                index,
                state: State::Queued,
                past: Past::default(),
            };
            self.bytes += read.bytes;
            self.end = Some(read.offset + 1);
            self.slots.insert(read.offset, slot);
            if let Some(key) = read.key {
                self.lines
                    .entry(key)
                    .or_default()
                    .waiting
                    .push_back(read.offset);
            }
            self.list(read.key, read.offset, tasks);
        }
    }

    /// The log was read again: forgets what is held from `first` on.
    pub(crate) fn truncate(&mut self, first: i64, tasks: &Tasks) {
        let gone = self.slots.split_off(&first);
        for (&at, slot) in gone.iter().rev() {
            self.unlist_slot(at, slot.state);
            self.running -= usize::from(matches!(slot.state, State::Running(_)));
            self.letters -= usize::from(matches!(slot.state, State::Disposing(_)));
            self.bytes -= slot.bytes;
            if let Some(line) = slot.key.and_then(|key| self.lines.get_mut(&key)) {
                line.started.retain(|&o| o < first);
                line.waiting.retain(|&o| o < first);
            }
        }
        self.lines
            .retain(|_, line| !line.started.is_empty() || !line.waiting.is_empty());
        self.end = self.end.map(|end| end.min(first));
        for (_, slot) in gone {
            if let Some(key) = slot.key {
                self.list_head(key, tasks);
            }
        }
    }

    /// Whatever is due may start, or be written, again.
    pub(crate) fn wake(&mut self, now: Time, tasks: &Tasks) {
        while let Some(&(due, at)) = self.due.first()
            && (due <= now || self.planted.is(Mutant::RetryTooEarly))
        {
            self.due.pop_first();
            let slot = self.slots.get_mut(&at).expect("an index names slots");
            slot.state = match slot.state {
                State::Undisposed { .. } => State::Doomed,
                _ => State::Queued,
            };
            let key = slot.key;
            self.list(key, at, tasks);
        }
    }

    /// The lowest record that may start, with the neighbours that make a batch of it; they belong to
    /// `run` then.
    pub(crate) fn start(&mut self, run: RunId, batch: bool) -> Option<Taken> {
        let first = self.ready.pop_first()?;
        let head = self.slots.get_mut(&first).expect("an index names slots");
        head.state = State::Running(run);
        let head = head.clone();
        let single = head.past.single;
        let mut span = Span {
            first,
            next: first + 1,
            records: 1,
            bytes: head.bytes,
        };
        if let Some(key) = head.key {
            let line = self.lines.entry(key).or_default();
            line.waiting.pop_front();
            line.started.push_back(first);
        } else if batch && !single {
            let rest = self.slots.range_mut(first + 1..);
            for (index, (&at, slot)) in (head.index + 1..).zip(rest) {
                let joins = slot.origin == head.origin
                    && slot.index == index
                    && slot.state == State::Queued
                    && self.ready.contains(&at)
                    && !slot.past.single
                    && slot.past.failures == head.past.failures;
                if !joins {
                    break;
                }
                self.ready.remove(&at);
                slot.state = State::Running(run);
                span.next = at + 1;
                span.records += 1;
                span.bytes += slot.bytes;
            }
        }
        self.running += span.records as usize;
        Some(Taken {
            span,
            key: head.key,
            attempt: head.past.failures.saturating_add(1),
            single,
        })
    }

    /// A task has ended: what waited for its key, or for its records, may start.
    pub(crate) fn unlocked(&mut self, task: &Task, tasks: &Tasks) {
        if let Some(key) = task.key {
            return self.list_head(key, tasks);
        }
        let slots = self.slots.range(task.first..task.next);
        let queued: Vec<i64> = slots
            .filter(|(_, slot)| slot.key.is_none() && slot.state == State::Queued)
            .map(|(&at, _)| at)
            .collect();
        queued.into_iter().for_each(|at| self.list(None, at, tasks));
    }

    /// What `run` still owns from `first` up to `prefix` is terminal.
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

    /// The task ended before it began these: they wait again.
    pub(crate) fn unstart(&mut self, run: RunId, from: i64, tasks: &Tasks) {
        // Only a batch has a rest, and its records have no keys.
        let rest: Vec<i64> = self.owned(run, from, i64::MAX).collect();
        for at in rest {
            self.running -= 1;
            self.slots.get_mut(&at).expect("just found").state = State::Queued;
            self.list(None, at, tasks);
        }
    }

    /// A failed attempt of `[at, next)`, unless it belongs to `run` no more. What is behind it in its
    /// line is handled after it once more.
    pub(crate) fn fail(
        &mut self,
        run: RunId,
        (at, next): (i64, i64),
        failure: Failure,
        alone: bool,
        (policy, part, now): (&Policy, Part, Time),
        tasks: &Tasks,
    ) {
        let unit: Vec<i64> = self.owned(run, at, next).collect();
        for &record in &unit {
            let slot = self.slots.get_mut(&record).expect("just found");
            slot.past.alone |= alone && !self.planted.is(Mutant::BrokenNotAlone);
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

    /// `from`, which is not running any more, and everything behind it in its line waits again.
    fn replay(&mut self, key: Key, from: i64, tasks: &Tasks) {
        self.unlist_head(key);
        let line = self.lines.get_mut(&key).expect("a key with a slot");
        let Some(i) = line.started.iter().position(|&o| o == from) else {
            return;
        };
        let mut again = line.started.split_off(i);
        let planted = self.planted;
        for &at in again.iter().skip(1) {
            let slot = self.slots.get_mut(&at).expect("a line names slots");
            let running = matches!(slot.state, State::Running(_));
            let forgotten = planted.is(Mutant::ReplayOnlyTheFailed)
                || running && planted.is(Mutant::ReplayForgetsTheRunning)
                || !running && planted.is(Mutant::ReplayForgetsTheSettled);
            if !forgotten {
                self.running -= usize::from(running);
                slot.state = State::Queued;
            }
        }
        // What a planted bug left as it was stays started.
        let mut back = VecDeque::new();
        again.retain(|at| {
            let kept = matches!(self.slots[at].state, State::Running(_) | State::Terminal);
            if kept {
                back.push_back(*at);
            }
            !kept
        });
        line.started.append(&mut back);
        again.append(&mut line.waiting);
        line.waiting = again;
        self.list_head(key, tasks);
    }

    /// The lowest record that has come to its end.
    pub(crate) fn ending(&self) -> Option<(i64, u32)> {
        let at = *self.doomed.first()?;
        Some((at, self.slots[&at].past.failures))
    }

    /// What `ending` named stands still, or waits for its dead letter.
    pub(crate) fn end_as(&mut self, at: i64, state: State) {
        self.doomed.remove(&at);
        self.letters += usize::from(matches!(state, State::Disposing(_)));
        self.slots.get_mut(&at).expect("it was doomed").state = state;
    }

    /// What `ending` named is skipped, or its dead letter is written.
    pub(crate) fn bury(&mut self, at: i64, tasks: &Tasks) {
        let slot = self.slots.get_mut(&at).expect("it was doomed");
        self.doomed.remove(&at);
        self.letters -= usize::from(matches!(slot.state, State::Disposing(_)));
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
    pub(crate) fn is_disposing(&self, at: i64, run: RunId) -> bool {
        let slot = self.slots.get(&at);
        slot.is_some_and(|slot| slot.state == State::Disposing(run))
    }

    /// The dead letter of `at` is not written: again later, or never.
    pub(crate) fn keep_letter(
        &mut self,
        at: i64,
        again: bool,
        (policy, part, now): (&Policy, Part, Time),
        tasks: &Tasks,
    ) -> u32 {
        self.letters -= 1;
        let slot = self.slots.get_mut(&at).expect("just found");
        slot.state = match again {
            true => slot.past.keep_letter(policy, (part, at), now),
            false => State::Stopped,
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

    /// For planted bugs.
    pub(crate) fn forget_dates(&mut self) {
        self.due.clear();
    }

    /// For planted bugs.
    pub(crate) fn run_at(&self, at: i64) -> Option<RunId> {
        match self.slots.get(&at)?.state {
            State::Running(run) => Some(run),
            _ => None,
        }
    }

    #[cfg(feature = "proof")]
    pub(crate) fn digest<H: std::hash::Hasher>(&self, d: &mut crate::proof::Digest<'_, H>) {
        d.put((self.slots.len(), self.end));
        for (&at, slot) in &self.slots {
            d.put((at, slot.key, slot.bytes, slot.origin, slot.index));
            d.state(slot.state);
            d.past(&slot.past);
        }
        // Lines and indexes follow from the slots, but for what a planted bug left.
        d.put((&self.ready, &self.doomed, self.due.len()));
        for (key, line) in &self.lines {
            d.put((key, &line.started, &line.waiting));
        }
    }

    /// A running record is settled.
    fn finish(&mut self, at: i64, tasks: &Tasks) {
        let slot = self.slots.get_mut(&at).expect("the caller found it");
        self.running -= usize::from(matches!(slot.state, State::Running(_)));
        slot.state = State::Terminal;
        self.leave(at, tasks);
    }

    /// Lets go of what is terminal from the front of the line of `at`.
    fn leave(&mut self, at: i64, tasks: &Tasks) {
        let Some(key) = self.slots[&at].key else {
            return self.free(at);
        };
        let early = self.planted.is(Mutant::FreedTooEarly);
        let mut gone = Vec::new();
        let line = self.lines.get_mut(&key).expect("a key with a slot");
        let slots = &self.slots;
        let done = |o: &i64| slots[o].state == State::Terminal;
        if early {
            line.started.retain(|&o| o != at);
            gone.push(at);
        }
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

    fn list_head(&mut self, key: Key, tasks: &Tasks) {
        let head = self.lines.get(&key).and_then(|line| line.waiting.front());
        if let Some(&at) = head {
            self.list(Some(key), at, tasks);
        }
    }

    /// Enters `at` into the index of its state if it is the head of its line. Idempotent.
    fn list(&mut self, key: Option<Key>, at: i64, tasks: &Tasks) {
        let mut free = !tasks.is_locked(key, at);
        let mut first = true;
        if let Some(line) = key.and_then(|key| self.lines.get(&key)) {
            let overtakes = self.planted.is(Mutant::RetryOvertaken)
                && line
                    .waiting
                    .front()
                    .is_some_and(|head| matches!(self.slots[head].state, State::Waiting { .. }));
            if line.waiting.front() != Some(&at) && !overtakes {
                return;
            }
            // A record that runs alone lets nothing start behind it until it is settled.
            let alone = line.started.back().map(|last| &self.slots[last]);
            free &= !alone.is_some_and(|s| s.past.alone && s.state != State::Terminal);
            first = line.started.is_empty() || self.planted.is(Mutant::DeadLetterOvertakes);
        }
        match self.slots[&at].state {
            State::Queued if free => drop(self.ready.insert(at)),
            State::Waiting { due } | State::Undisposed { due } => {
                self.due.insert((due, at));
            }
            State::Doomed if first => drop(self.doomed.insert(at)),
            _ => {}
        }
    }

    fn unlist_head(&mut self, key: Key) {
        let head = self.lines.get(&key).and_then(|line| line.waiting.front());
        if let Some(&at) = head {
            self.unlist_slot(at, self.slots[&at].state);
        }
    }

    fn unlist_slot(&mut self, at: i64, state: State) {
        self.ready.remove(&at);
        self.doomed.remove(&at);
        if let State::Waiting { due } | State::Undisposed { due } = state {
            self.due.remove(&(due, at));
        }
    }
}

fn line_is_empty(lines: &BTreeMap<Key, Line>, key: Key) -> bool {
    let line = lines.get(&key);
    line.is_some_and(|line| line.started.is_empty() && line.waiting.is_empty())
}
