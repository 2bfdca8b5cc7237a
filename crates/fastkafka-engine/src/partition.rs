//! The records of one assigned partition, from the watermark on.
//!
//! One deque of pieces is the whole state. What may start, what to store, whether a revoke is
//! answered and when reading stops are all looked up in it, so they can not disagree.

use std::collections::VecDeque;

use crate::event::{HoldBack, RunId, Span, Time};
use crate::piece::{Past, Piece, State};

#[derive(Debug)]
pub(crate) struct Assignment {
    /// In offset order, without overlap. The first one is not terminal after a step.
    pub(crate) pieces: VecDeque<Piece>,
    /// Everything below is terminal.
    pub(crate) watermark: i64,
    /// The watermark that was stored last.
    pub(crate) stored: i64,
    /// Why it is not read, if it is not.
    pub(crate) held: Option<HoldBack>,
}

/// What a partition holds, to be compared with the limits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    /// Offsets from the lowest open record to the end of what was read.
    pub(crate) span: i64,
}

impl Assignment {
    pub(crate) fn new(position: i64) -> Self {
        Assignment {
            pieces: VecDeque::new(),
            watermark: position,
            stored: position,
            held: None,
        }
    }

    /// Where what was read ends.
    pub(crate) fn seen(&self) -> i64 {
        self.pieces
            .back()
            .map_or(self.watermark, |last| last.span.next)
    }

    /// Only the head can have stopped: whatever is before an end is terminal.
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
        if let Some(head) = self.pieces.front() {
            load.span = self.seen() - head.span.first;
        }
        load
    }

    /// The first piece at or after `from` that is neither under way nor terminal, if it may be
    /// looked at: behind a record that runs alone nothing may.
    pub(crate) fn frontier(&self, from: usize) -> Option<usize> {
        for (i, piece) in self.pieces.iter().enumerate().skip(from) {
            match piece.state {
                State::Terminal => {}
                State::Running(_) if piece.past.alone => return None,
                State::Running(_) => {}
                _ => return Some(i),
            }
        }
        None
    }

    /// The piece that everything behind it waits for, if it is not simply at work.
    pub(crate) fn waits(&self) -> bool {
        self.frontier(0)
            .is_some_and(|i| self.pieces[i].state != State::Queued)
    }

    /// When the next attempt or the next try of a dead letter is due.
    pub(crate) fn due(&self) -> Option<Time> {
        match self.pieces[self.frontier(0)?].state {
            State::Waiting { due } | State::Undisposed { due } => Some(due),
            _ => None,
        }
    }

    /// Appends what was read. Offsets that were seen already mean that the log was read again
    /// from there: whatever was held from there on is another log's.
    ///
    /// Returns whether that was so.
    pub(crate) fn fetch(&mut self, span: Span) -> bool {
        let again = span.first < self.seen();
        if again {
            let from = self.split(span.first);
            self.pieces.truncate(from);
            self.watermark = self.watermark.min(span.first);
            self.stored = self.stored.min(span.first);
        }
        self.pieces.push_back(Piece {
            span,
            origin: span.first,
            state: State::Queued,
            past: Past::default(),
        });
        again
    }

    /// Marks what `run` still owns below `prefix` as terminal.
    pub(crate) fn settle(&mut self, run: RunId, prefix: i64) {
        let owned = |p: &Piece| p.state == State::Running(run);
        let Some(from) = self.pieces.iter().position(owned) else {
            return;
        };
        let end = self.split(prefix);
        for piece in self.pieces.range_mut(from..end.max(from)) {
            if owned(piece) {
                piece.state = State::Terminal;
            }
        }
        self.join();
    }

    /// Makes `[at, next)` a piece of its own if it belongs to `run`.
    pub(crate) fn carve(&mut self, run: RunId, at: i64, next: i64) -> Option<usize> {
        let owned =
            |p: &Piece| p.state == State::Running(run) && p.span.first <= at && at < p.span.next;
        let within = self.pieces.iter().find(|p| owned(p))?.span.next;
        let i = self.split(at);
        self.split(next.clamp(at + 1, within));
        Some(i)
    }

    /// The lane halted before `at`: what it did not begin waits again.
    pub(crate) fn unstart(&mut self, at: i64) {
        let from = self.split(at);
        for piece in self.pieces.range_mut(from..).filter(|p| p.is_running()) {
            piece.state = State::Queued;
        }
        self.join();
    }

    /// Everything from piece `from` on is to be handled once more, also what is settled: readers
    /// of the outputs must see the last copies in order. Failed records keep waiting.
    pub(crate) fn replay(&mut self, from: usize) {
        for piece in self.pieces.range_mut(from..) {
            if piece.is_running() || piece.is_terminal() {
                piece.state = State::Queued;
            }
        }
        self.join();
    }

    /// Takes off the terminal head and moves the watermark over it.
    pub(crate) fn advance(&mut self) {
        while let Some(head) = self.pieces.pop_front_if(|p| p.is_terminal()) {
            self.watermark = head.span.next;
        }
    }

    /// The piece whose dead letter has this run number.
    pub(crate) fn disposing(&mut self, run: RunId) -> Option<&mut Piece> {
        self.pieces
            .front_mut()
            .filter(|p| p.state == State::Disposing(run))
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

    /// Joins neighbours that nothing tells apart: cost stays per run, however often progress is
    /// reported.
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
