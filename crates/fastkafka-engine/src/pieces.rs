//! The records of one assigned partition in partition order, from the watermark on.
//!
//! One deque of pieces is the whole state. What may start, what to store, whether a revoke is
//! answered and when reading stops are all looked up in it, so they cannot disagree.

use std::collections::VecDeque;

use crate::assigned::{Failed, Load};
use crate::event::{RunId, Span, Time};
use crate::piece::{Past, Piece, State};

#[derive(Clone, Debug, Default)]
pub(crate) struct Pieces {
    /// In offset order, without overlap. The first one is not terminal after a step.
    pub(crate) pieces: VecDeque<Piece>,
}

impl Pieces {
    /// The offset of the first one.
    pub(crate) fn first(&self) -> Option<i64> {
        self.pieces.front().map(|first| first.span.first)
    }

    /// The end of the last one.
    pub(crate) fn end(&self) -> Option<i64> {
        self.pieces.back().map(|last| last.span.next)
    }

    /// The state of the record at `at`, while it is held.
    pub(crate) fn state(&self, at: i64) -> Option<State> {
        let i = self.pieces.partition_point(|p| p.span.next <= at);
        let piece = self.pieces.get(i).filter(|p| p.span.first <= at);
        piece.map(|p| p.state)
    }

    /// The piece that has stopped. It can only be the head: everything before an end is terminal.
    pub(crate) fn stopped(&self) -> Option<&Piece> {
        self.pieces.front().filter(|p| p.state == State::Stopped)
    }

    /// Whether no result can move the watermark any more, unless something is started.
    pub(crate) fn is_quiet(&self) -> bool {
        !self.pieces.iter().any(Piece::is_under_way)
    }

    pub(crate) fn load(&self) -> Load {
        let mut load = Load::default();
        for piece in &self.pieces {
            load.records += u64::from(piece.span.records);
            load.bytes += piece.span.bytes;
        }
        if let (Some(head), Some(end)) = (self.pieces.front(), self.end()) {
            load.span = end - head.span.first;
        }
        load
    }

    /// The first offset that is not terminal, and the number of such records.
    pub(crate) fn open(&self) -> (Option<i64>, u64) {
        let open = || self.pieces.iter().filter(|piece| !piece.is_terminal());
        let records = open().map(|piece| u64::from(piece.span.records));
        (open().next().map(|piece| piece.span.first), records.sum())
    }

    /// The first piece at or after `from` that is neither under way nor terminal, if it may be
    /// looked at: behind a record that runs alone nothing may.
    pub(crate) fn frontier(&self, from: usize) -> Option<usize> {
        for (i, piece) in self.pieces.iter().enumerate().skip(from) {
            match piece.state {
                // A run that was settled early does not hold up what is behind it.
                State::Terminal => {}
                State::Running(_) if piece.past.alone => return None,
                State::Running(_) => {}
                _ => return Some(i),
            }
        }
        None
    }

    /// Whether the first piece that is not at work cannot start at once.
    pub(crate) fn waits(&self) -> bool {
        self.frontier(0)
            .is_some_and(|i| self.pieces[i].state != State::Queued)
    }

    /// Whether what is read next could start at once: nothing before it waits to start, or runs alone.
    pub(crate) fn wants(&self) -> bool {
        let passes = |p: &Piece| p.is_terminal() || p.is_running() && !p.past.alone;
        self.pieces.iter().all(passes)
    }

    /// When the next attempt or the next try of a dead letter is due.
    pub(crate) fn due(&self) -> Option<Time> {
        match self.pieces[self.frontier(0)?].state {
            State::Waiting { due } | State::DeadLetterFailed { due } => Some(due),
            _ => None,
        }
    }

    pub(crate) fn waiting(&self) -> impl Iterator<Item = Failed> + '_ {
        let open = |p: &&Piece| !matches!(p.state, State::Terminal | State::Stopped);
        let pieces = self.pieces.iter().filter(open).map(Piece::report);
        pieces.filter(|failed| failed.wait.is_some())
    }

    /// The log was read again: forgets what is held from `first` on.
    pub(crate) fn truncate(&mut self, first: i64) {
        let from = self.split(first);
        self.pieces.truncate(from);
    }

    /// Appends what was read.
    pub(crate) fn fetch(&mut self, span: Span) {
        self.pieces.push_back(Piece {
            span,
            origin: span.first,
            state: State::Queued,
            past: Past::default(),
        });
    }

    /// The records below `prefix` that still belong to `run` are terminal. Those of a replay or of
    /// another assignment belong to another run, so a late result finds nothing here.
    pub(crate) fn settle(&mut self, run: RunId, prefix: i64) {
        let owned = |p: &Piece| p.state == State::Running(run);
        let Some(from) = self.pieces.iter().position(owned) else {
            return;
        };
        // `prefix` may lie before the first of them: then nothing is settled.
        let end = self.split(prefix);
        for piece in self.pieces.range_mut(from..end.max(from)) {
            if owned(piece) {
                piece.state = State::Terminal;
            }
        }
        self.join();
    }

    /// Makes `[at, next)` a piece of its own if it belongs to `run`: a failure is one of this unit
    /// alone.
    pub(crate) fn carve(&mut self, run: RunId, at: i64, next: i64) -> Option<usize> {
        let owned =
            |p: &Piece| p.state == State::Running(run) && p.span.first <= at && at < p.span.next;
        let within = self.pieces.iter().find(|p| owned(p))?.span.next;
        let i = self.split(at);
        self.split(next.min(within));
        Some(i)
    }

    /// The lane halted before `at`: the records that it did not begin are queued again.
    pub(crate) fn unstart(&mut self, at: i64) {
        let from = self.split(at);
        for piece in self.pieces.range_mut(from..).filter(|p| p.is_running()) {
            piece.state = State::Queued;
        }
        self.join();
    }

    /// Everything from piece `from` on is handled once more, also what is settled: readers of the
    /// outputs must see the last copies in order. Failed records keep waiting.
    pub(crate) fn replay(&mut self, from: usize) {
        for piece in self.pieces.range_mut(from..) {
            if piece.is_running() || piece.is_terminal() {
                piece.state = State::Queued;
            }
        }
        self.join();
    }

    /// Removes the terminal pieces at the head and returns their end.
    pub(crate) fn advance(&mut self) -> Option<i64> {
        let mut end = None;
        while let Some(head) = self.pieces.pop_front_if(|p| p.is_terminal()) {
            end = Some(head.span.next);
        }
        end
    }

    /// Under the policy to go on without it, a head without attempts is terminal. Returns its offset.
    pub(crate) fn skip_head(&mut self) -> Option<i64> {
        let head = self.pieces.front_mut();
        let head = head.filter(|head| head.state == State::Exhausted)?;
        head.state = State::Terminal;
        Some(head.span.first)
    }

    /// The record it has stopped at is tried again, as if it had not failed.
    pub(crate) fn restart(&mut self) {
        if let Some(head) = self.pieces.front_mut()
            && head.state == State::Stopped
        {
            head.state = State::Queued;
            head.past = Past {
                alone: head.past.alone,
                ..Past::default()
            };
        }
    }

    /// The piece whose dead letter has this run number.
    pub(crate) fn writing_dead_letter(&mut self, run: RunId) -> Option<&mut Piece> {
        self.pieces
            .iter_mut()
            .find(|p| p.state == State::WritingDeadLetter(run))
    }

    /// Makes `at` a boundary and returns the index of the first piece at or after it.
    fn split(&mut self, at: i64) -> usize {
        let i = self.pieces.partition_point(|p| p.span.next <= at);
        match self.pieces.get_mut(i) {
            Some(piece) if piece.span.first < at => {
                let rest = piece.split_off(at);
                self.pieces.insert(i + 1, rest);
                i + 1
            }
            _ => i,
        }
    }

    /// Joins neighbours without a difference, so that the cost stays per run, however often progress
    /// is reported.
    fn join(&mut self) {
        let mut i = 1;
        while i < self.pieces.len() {
            let right = self.pieces[i].clone();
            if self.pieces[i - 1].absorb(&right) {
                self.pieces.remove(i);
            } else {
                i += 1;
            }
        }
    }
}
