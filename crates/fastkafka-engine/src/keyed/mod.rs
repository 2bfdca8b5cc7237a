//! The records of one assigned partition in order by key: one slot for each, from the watermark on.
//!
//! A *line* is the records of one key, in offset order; a record without a key is a line of its own.
//! The started records of a line come first, then the waiting ones. Only the first that waits, the
//! *head*, can start or end, and only heads are in the three indexes. A slot leaves when it is
//! terminal and so is everything before it in its line: until then a lost output of an earlier record
//! could make it run again.

mod heads;
mod results;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::assigned::{Failed, Load};
use crate::event::{Key, Read, RunId, Span, Time};
use crate::piece::{Past, State};
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
    /// Heads without attempts, where everything before them in their line is terminal.
    exhausted: BTreeSet<i64>,
    running: usize,
    letters: usize,
    bytes: u64,
    end: Option<i64>,
    /// Offsets of slots that have left; the step reports them with `Free`.
    pub(crate) freed: Vec<i64>,
}

#[derive(Clone, Debug)]
struct Slot {
    key: Option<Key>,
    bytes: u64,
    /// The first offset of the records read together, and the index in them: a batch takes
    /// neighbours.
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

/// The records of a new task.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) span: Span,
    pub(crate) key: Option<Key>,
    pub(crate) attempt: u32,
    pub(crate) single: bool,
}

impl Keyed {
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

    /// Whether nothing of it is at work or could start.
    pub(crate) fn waits(&self) -> bool {
        self.running == 0 && self.ready.is_empty()
    }

    /// Whether what is read next could start at once, if it is of another key.
    pub(crate) fn wants(&self) -> bool {
        self.ready.is_empty()
    }

    /// Whether records wait behind the one at `at` in its line.
    pub(crate) fn holds_up(&self, at: i64) -> bool {
        let key = self.slots.get(&at).and_then(|slot| slot.key);
        let line = key.and_then(|key| self.lines.get(&key));
        line.is_some_and(|line| !line.waiting.is_empty())
    }

    /// Whether records wait for this task: of its key, or without one the very records that it has.
    pub(crate) fn waits_for(&self, task: &Task) -> bool {
        match task.key {
            Some(key) => {
                let line = self.lines.get(&key);
                line.is_some_and(|line| !line.waiting.is_empty())
            }
            None => {
                let mut slots = self.slots.range(task.first..task.next);
                slots.any(|(_, slot)| slot.state == State::Queued)
            }
        }
    }

    /// The state of the record at `at`, while it is held.
    pub(crate) fn state(&self, at: i64) -> Option<State> {
        self.slots.get(&at).map(|slot| slot.state)
    }

    pub(crate) fn due(&self) -> Option<Time> {
        self.due.first().map(|&(due, _)| due)
    }

    pub(crate) fn has_work(&self) -> bool {
        !self.ready.is_empty() || !self.exhausted.is_empty()
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
            self.letters -= usize::from(matches!(slot.state, State::WritingDeadLetter(_)));
            self.bytes -= slot.bytes;
            if let Some(line) = slot.key.and_then(|key| self.lines.get_mut(&key)) {
                line.started.retain(|&o| o < first);
                line.waiting.retain(|&o| o < first);
            }
        }
        self.lines
            .retain(|_, line| !line.started.is_empty() || !line.waiting.is_empty());
        for (_, slot) in gone {
            if let Some(key) = slot.key {
                self.list_head(key, tasks);
            }
        }
    }

    /// The records that are due may start, or their dead letters be written, again.
    pub(crate) fn wake(&mut self, now: Time, tasks: &Tasks) {
        while let Some(&(due, at)) = self.due.first()
            && due <= now
        {
            self.due.pop_first();
            let slot = self.slots.get_mut(&at).expect("an index names slots");
            slot.state = match slot.state {
                State::DeadLetterFailed { .. } => State::Exhausted,
                _ => State::Queued,
            };
            let key = slot.key;
            self.list(key, at, tasks);
        }
    }

    /// Starts the lowest record that may start, and in a batch its neighbours with it: they belong to
    /// `run` from now on.
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
            // Records with a key wait for each other, so a batch is made of records without one. They
            // have to be equal in their attempts, because the batch has one number for all.
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

    #[cfg(feature = "proof")]
    pub(crate) fn digest<H: std::hash::Hasher>(&self, d: &mut crate::proof::Digest<'_, H>) {
        d.put((self.slots.len(), self.end));
        for (&at, slot) in &self.slots {
            d.put((at, slot.key, slot.bytes, slot.origin, slot.index));
            d.state(slot.state);
            d.past(&slot.past);
        }
        // Lines and indexes follow from the slots, unless a bug has let them differ.
        d.put((&self.ready, &self.exhausted, self.due.len()));
        for (key, line) in &self.lines {
            d.put((key, &line.started, &line.waiting));
        }
    }
}
