//! The engine's view of the tasks that handle a partition's records by key.
//!
//! They outlive assignments, as lanes do: the partition may come straight back to this process,
//! and two tasks would then handle one key at once (S5). So a key stays locked until the task that
//! holds it has ended, even when its partition was revoked.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Key, RunId, Span};
use crate::keyed::Taken;

/// The tasks of one partition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks {
    /// Runs that have not ended or are not closed.
    runs: BTreeMap<RunId, Task>,
    /// Keys of the tasks that have not ended.
    locked: BTreeSet<Key>,
    /// The records without a key in such tasks: each is locked for itself.
    in_hand: BTreeSet<i64>,
    running: usize,
    /// Records of the runs that are not closed.
    records: u64,
    /// Dead letters being written, with the offsets of their records.
    letters: BTreeMap<RunId, i64>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    pub(crate) key: Option<Key>,
    /// Offset of its first record.
    pub(crate) first: i64,
    /// The offset after its last record.
    pub(crate) next: i64,
    records: u32,
    ended: bool,
    closed: bool,
    /// The offset after its first record that is known to have lost an output.
    lost: Option<i64>,
}

impl Tasks {
    /// Records of the runs that are not closed.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// Tasks that have not ended.
    pub(crate) fn running(&self) -> usize {
        self.running
    }

    /// Tasks that have not ended, runs that are not closed, and dead letters being written.
    pub(crate) fn busy(&self) -> usize {
        self.runs.len() + self.letters.len()
    }

    /// Whether a task of this key, or of this very record, has not ended.
    pub(crate) fn is_locked(&self, key: Option<Key>, at: i64) -> bool {
        match key {
            Some(key) => self.locked.contains(&key),
            None => self.in_hand.contains(&at),
        }
    }

    pub(crate) fn get(&self, run: RunId) -> Option<Task> {
        self.runs.get(&run).copied()
    }

    /// The record before `next` has lost an output.
    pub(crate) fn lose(&mut self, run: RunId, next: i64) {
        if let Some(task) = self.runs.get_mut(&run) {
            task.lost = Some(task.lost.map_or(next, |lost| lost.min(next)));
        }
    }

    /// Where the records of `run` begin that nothing more is expected of, its task `task` being known: all of
    /// it when the task has ended and nothing is open; what is behind a lost output when the task has ended,
    /// for that will not settle with this run whatever is still open of it.
    pub(crate) fn rest(&self, run: RunId, task: &Task) -> Option<i64> {
        match self.runs.get(&run) {
            None => Some(task.first),
            Some(task) => task.lost.filter(|_| task.ended),
        }
    }

    pub(crate) fn begin(&mut self, run: RunId, taken: &Taken) {
        let Span {
            first,
            next,
            records,
            ..
        } = taken.span;
        match taken.key {
            Some(key) => self.locked.extend([key]),
            None => self.in_hand.extend(first..next),
        }
        self.running += 1;
        self.records += u64::from(records);
        let task = Task {
            key: taken.key,
            first,
            next,
            records,
            ended: false,
            closed: false,
            lost: None,
        };
        self.runs.insert(run, task);
    }

    /// The task of `run` has returned, so its key is free. `None` if that was known.
    pub(crate) fn end(&mut self, run: RunId) -> Option<Task> {
        let task = self.runs.get_mut(&run).filter(|task| !task.ended)?;
        task.ended = true;
        let task = *task;
        self.running -= 1;
        match task.key {
            Some(key) => {
                self.locked.remove(&key);
            }
            None => {
                for at in task.first..task.next {
                    self.in_hand.remove(&at);
                }
            }
        }
        self.sweep(run, task);
        Some(task)
    }

    /// Nothing of `run` is open any more. Returns its records.
    pub(crate) fn close(&mut self, run: RunId) -> u64 {
        let Some(task) = self.runs.get_mut(&run).filter(|task| !task.closed) else {
            return 0;
        };
        task.closed = true;
        let task = *task;
        self.records -= u64::from(task.records);
        self.sweep(run, task);
        u64::from(task.records)
    }

    /// The end of a task and the close of its run come in either order; the later one removes it.
    fn sweep(&mut self, run: RunId, task: Task) {
        if task.ended && task.closed {
            self.runs.remove(&run);
        }
    }

    pub(crate) fn begin_letter(&mut self, run: RunId, at: i64) {
        self.letters.insert(run, at);
    }

    /// A dead letter has an outcome. Returns the offset of its record, `None` if it was not under way.
    pub(crate) fn end_letter(&mut self, run: RunId) -> Option<i64> {
        self.letters.remove(&run)
    }

    #[cfg(feature = "proof")]
    pub(crate) fn digest<H: std::hash::Hasher>(&self, d: &mut crate::proof::Digest<'_, H>) {
        d.put((self.runs.len(), self.letters.len()));
        for (&run, task) in &self.runs {
            d.run(run);
            d.put((task.key, task.first, task.records));
            d.put((task.ended, task.closed, task.lost));
        }
        for (&run, &at) in &self.letters {
            d.run(run);
            d.put(at);
        }
        d.put((&self.locked, &self.in_hand));
    }
}
