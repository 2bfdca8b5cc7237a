//! Runs that were started and are not closed: a record of theirs is still open.

use fastkafka_core::{FailureKind, Fetched, ScopeRef, StopFlag};
use fastkafka_engine::{RunId, Time};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// The started runs of a partition, in the order of their numbers.
#[derive(Debug, Default)]
pub(crate) struct StartedRuns(VecDeque<StartedRun>);

#[derive(Debug)]
pub(crate) struct StartedRun {
    pub(crate) run: RunId,
    pub(crate) offsets: Offsets,
    /// The offset after the last record, as the engine counts.
    pub(crate) next: i64,
    pub(crate) scope: ScopeRef,
    /// The stop flag of its cut.
    pub(crate) stop: Arc<StopFlag>,
    /// When it was handed over.
    pub(crate) begun: Time,
    /// Its records were handed over in batches.
    in_batches: bool,
    /// The number of records, from the first on, that the engine knows to be settled.
    settled: usize,
    /// The first record that will not settle, of those that the engine was told of.
    broken: Option<usize>,
}

/// The offsets of a run's records.
#[derive(Debug)]
pub(crate) enum Offsets {
    /// A run of one record. It may stay open for long, and does not keep its block for that.
    One(i64),
    Of(Arc<dyn Fetched>, Range<usize>),
    /// The block is given back.
    Noted(Box<[i64]>),
}

/// News of a run that goes on.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) run: RunId,
    /// The offset of the first record that is not settled.
    pub(crate) prefix: i64,
    pub(crate) lost: Option<Lost>,
}

/// A record, or a batch, that was handled and will not settle.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) at: i64,
    /// The offset after it.
    pub(crate) next: i64,
    pub(crate) kind: FailureKind,
    pub(crate) why: String,
}

impl Offsets {
    fn let_go(&mut self) {
        if let Self::Of(block, range) = self {
            let offsets = range.clone().map(|at| block.offset(at));
            *self = Self::Noted(offsets.collect());
        }
    }
}

impl StartedRuns {
    pub(crate) fn push(&mut self, run: StartedRun) {
        self.0.push_back(run);
    }

    /// Takes out a run that is closed. `None`: its assignment has ended, or its lane has forgotten it.
    pub(crate) fn close(&mut self, run: RunId) -> Option<StartedRun> {
        let at = self.0.binary_search_by_key(&run, |started| started.run);
        self.0.remove(at.ok()?)
    }

    pub(crate) fn has(&self, run: RunId) -> bool {
        let at = self.0.binary_search_by_key(&run, |started| started.run);
        at.is_ok()
    }

    /// The lane has forgotten what it was given after this run.
    pub(crate) fn forget_after(&mut self, run: RunId) {
        self.0.retain(|started| started.run <= run);
    }

    /// The lane has forgotten what begins at or after this offset.
    pub(crate) fn forget_from(&mut self, at: i64) {
        self.0.retain(|started| started.offset(0) < at);
    }

    /// Forgets all; their results do not count any more.
    pub(crate) fn release(&mut self) {
        // Runs of earlier cuts are not over either while something keeps their records open.
        self.0.drain(..).for_each(|run| run.stop.release());
    }

    /// Keeps no blocks: something may hold the runs open for long.
    pub(crate) fn let_go(&mut self) {
        for run in &mut self.0 {
            run.offsets.let_go();
        }
    }

    /// For the search of `proof`: runs by the names that `rename` gives them.
    #[cfg(feature = "proof")]
    pub(crate) fn write(
        &self,
        rename: &mut impl FnMut(RunId) -> u64,
        to: &mut impl std::fmt::Write,
    ) -> std::fmt::Result {
        for run in &self.0 {
            let (first, stops) = (run.offset(0), run.stop.stopping());
            let (next, settled, broken) = (run.next, run.settled, run.broken);
            write!(
                to,
                "{} {first} {next} {settled} {broken:?} {stops};",
                rename(run.run)
            )?;
        }
        Ok(())
    }

    /// The first offset of each run that was handled and is not settled, where that `counts`. `handled` is
    /// how many records of a run were, at most.
    pub(crate) fn unsettled(
        &self,
        handled: impl Fn(RunId) -> usize,
        counts: impl Fn(RunId, i64) -> bool,
    ) -> Vec<i64> {
        let unsettled = self.0.iter().filter_map(|started| {
            let settled = started.scope.progress(started.settled);
            let handled = handled(started.run).min(started.records());
            let at = (settled < handled).then(|| started.offset(settled))?;
            counts(started.run, at).then_some(at)
        });
        unsettled.collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &StartedRun> + ExactSizeIterator {
        self.0.iter()
    }

    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut StartedRun> {
        self.0.get_mut(at)
    }
}

impl StartedRun {
    pub(crate) fn new(
        run: RunId,
        offsets: Offsets,
        next: i64,
        scope: ScopeRef,
        stop: Arc<StopFlag>,
        (begun, in_batches): (Time, bool),
    ) -> Self {
        Self {
            run,
            offsets,
            next,
            scope,
            stop,
            begun,
            in_batches,
            settled: 0,
            broken: None,
        }
    }

    /// True when the engine does not know yet that the record at `index` will not settle. It expects
    /// nothing of the records behind one that it was told of.
    pub(crate) fn is_news(&self, index: usize) -> bool {
        self.broken.is_none_or(|told| index < told)
    }

    /// The record at `index` was handled and will not settle. It stands for its batch, whose records all fail
    /// with it: which of them has lost an output, nobody knows.
    pub(crate) fn lost(&self, index: usize, kind: FailureKind, why: String) -> Lost {
        let records = match self.in_batches {
            true => self.scope.batch(index),
            false => 1,
        };
        Lost {
            at: self.offset(index),
            next: self.offset(index + records),
            kind,
            why,
        }
    }

    /// The offset of the first record that is not settled, as far as that is known.
    pub(crate) fn first_open(&self) -> i64 {
        self.offset(self.settled)
    }

    /// The offset of the record in hand, and the one after all that are in hand.
    pub(crate) fn in_hand(&self) -> (i64, i64) {
        let at = self.scope.current();
        (self.offset(at), self.offset(at + self.scope.taken()))
    }

    /// The offset of the record at `index` of the run; of the end, the one after the last record.
    pub(crate) fn offset(&self, index: usize) -> i64 {
        match &self.offsets {
            Offsets::One(at) if index == 0 => *at,
            Offsets::Of(block, range) if index < range.len() => block.offset(range.start + index),
            Offsets::Noted(offsets) if index < offsets.len() => offsets[index],
            _ => self.next,
        }
    }

    fn records(&self) -> usize {
        match &self.offsets {
            Offsets::One(_) => 1,
            Offsets::Of(_, range) => range.len(),
            Offsets::Noted(offsets) => offsets.len(),
        }
    }

    /// The news since the last call, if there are any.
    pub(crate) fn progress(&mut self) -> Option<Progress> {
        let settled = self.scope.progress(self.settled);
        let lost = self.scope.lost();
        let lost = lost.filter(|(index, ..)| self.is_news(*index));
        if settled <= self.settled && lost.is_none() {
            return None;
        }
        self.settled = settled;
        if let Some((index, ..)) = lost {
            self.broken = Some(index);
        }
        Some(Progress {
            run: self.run,
            prefix: self.offset(settled),
            lost: lost.map(|(index, kind, why)| self.lost(index, kind, why)),
        })
    }
}
