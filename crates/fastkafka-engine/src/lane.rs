//! The engine's view of the task that runs a partition's handlers.
//!
//! A lane runs between two halts. It is halted by a failure, which its task reports, or by a cut,
//! which the engine asks for and the task answers with `Ended`. A halted lane forgets the runs it has
//! not begun.
//!
//! A lane outlives assignments on purpose: the partition may come straight back to this process,
//! and two tasks would then run it at once (S5).

use std::collections::VecDeque;

use crate::event::{RunId, Span};

#[derive(Clone, Debug)]
pub(crate) struct Lane {
    /// The number of halts. The task of the lane compares it, so it never starts over.
    cut: u32,
    state: State,
    /// Runs that are not closed, oldest first; also those from before a halt and of former
    /// assignments.
    open: VecDeque<Open>,
    /// The records of `open`.
    records: u64,
    /// The first run number since the last halt.
    since: RunId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing was started since the last halt.
    Idle,
    /// Something was started since then.
    Busy,
    /// `Cut` was sent, and `Ended` has not come back.
    Cut,
}

#[derive(Clone, Debug)]
struct Open {
    run: RunId,
    first: i64,
    records: u32,
}

impl Lane {
    pub(crate) fn new() -> Self {
        Lane {
            cut: 0,
            state: State::Idle,
            open: VecDeque::new(),
            records: 0,
            since: RunId(0),
        }
    }

    pub(crate) fn cut(&self) -> u32 {
        self.cut
    }

    /// Records of the runs that are not closed.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// Runs that are not closed.
    pub(crate) fn runs(&self) -> usize {
        self.open.len()
    }

    /// Whether nothing was started since the last halt.
    pub(crate) fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.state == State::Cut
    }

    /// Whether `run` was started since the last halt: run numbers only grow.
    pub(crate) fn has(&self, run: RunId) -> bool {
        run >= self.since
    }

    pub(crate) fn begin(&mut self, run: RunId, span: Span) {
        debug_assert!(!self.is_cut(), "a lane that was cut starts nothing");
        self.state = State::Busy;
        self.records += u64::from(span.records);
        self.open.push_back(Open {
            run,
            first: span.first,
            records: span.records,
        });
    }

    /// The number of a cut to ask for, unless nothing runs or a cut is under way.
    pub(crate) fn begin_cut(&mut self) -> Option<u32> {
        (self.state == State::Busy).then(|| {
            self.state = State::Cut;
            self.cut
        })
    }

    /// The lane has halted before `at`. Runs that it never began are closed by that, because nothing
    /// will report them. Returns their records.
    pub(crate) fn end(&mut self, at: Option<i64>, next_run: RunId) -> u64 {
        let since = self.since;
        // Runs from before the last halt were begun: that halt closed the others.
        let begun = |open: &Open| open.run < since || at.is_none_or(|at| open.first < at);
        self.open.retain(begun);
        let left = self.open.iter().map(|open| u64::from(open.records)).sum();
        let forgotten = self.records - left;
        self.records = left;
        self.cut = self.cut.wrapping_add(1);
        self.state = State::Idle;
        self.since = next_run;
        forgotten
    }

    /// Nothing of `run` is open any more. Returns its records.
    pub(crate) fn close(&mut self, run: RunId) -> u64 {
        let found = self.open.iter().position(|open| open.run == run);
        let closed = found.and_then(|i| self.open.remove(i));
        let records = closed.map_or(0, |open| u64::from(open.records));
        self.records -= records;
        records
    }

    #[cfg(feature = "proof")]
    pub(crate) fn digest<H: std::hash::Hasher>(&self, d: &mut crate::proof::Digest<'_, H>) {
        d.put((std::mem::discriminant(&self.state), self.open.len()));
        for open in &self.open {
            d.run(open.run);
            d.put((open.first, open.records, self.has(open.run)));
        }
    }
}
