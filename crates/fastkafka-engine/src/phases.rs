//! What follows from any event: the phases of a step behind the first.

use std::ops::Range;

use crate::engine::{Engine, Partition, Revoke, among, index};
use crate::event::{Effect, HoldBack, Part, RunId};
use crate::partition::{Assignment, Load};
use crate::piece::State;
use crate::policy::{Limits, OnFailure};

impl Engine {
    /// Moves each watermark over what is terminal, and over a skipped head.
    pub(crate) fn store(&mut self, touched: Range<usize>, out: &mut Vec<Effect>) {
        for part in among(touched) {
            let Partition {
                policy,
                assigned: Some(assigned),
                ..
            } = self.at(part)
            else {
                continue;
            };
            assigned.advance();
            while policy.on_failure == OnFailure::Skip
                && let Some(head) = assigned.pieces.front_mut()
                && head.state == State::Doomed
            {
                head.state = State::Terminal;
                let at = head.span.first;
                out.push(Effect::Skipped { part, at });
                assigned.advance();
            }
            let offset = assigned.watermark;
            if offset > assigned.stored {
                assigned.stored = offset;
                out.push(Effect::Store { part, offset });
            }
        }
    }

    /// Answers each revoke that is drained or out of time.
    pub(crate) fn release(&mut self, out: &mut Vec<Effect>) {
        let mut i = 0;
        while i < self.revokes.len() {
            let Revoke {
                draining, deadline, ..
            } = &self.revokes[i];
            if self.now < *deadline && !draining.iter().all(|&part| self.is_drained(part)) {
                i += 1;
                continue;
            }
            let Revoke {
                parts, draining, ..
            } = self.revokes.remove(i);
            for part in draining {
                self.forget(part, out);
            }
            out.push(Effect::Release { parts });
        }
    }

    fn is_drained(&self, part: Part) -> bool {
        let partition = &self.partitions[index(part)];
        partition.lane.is_idle() && partition.assigned.as_ref().is_none_or(Assignment::is_quiet)
    }

    /// Starts what may start, and ends heads that have no attempts left.
    pub(crate) fn start(&mut self, touched: Range<usize>, out: &mut Vec<Effect>) {
        let Some(first) = self.turn.filter(|_| self.has_capacity()) else {
            for part in among(touched) {
                self.start_partition(part, out);
            }
            return;
        };
        // Some had to wait for capacity: once around, beginning with the one that did first.
        self.turn = None;
        let all = self.partitions.len();
        for part in among(first..all).chain(among(0..first)) {
            self.start_partition(part, out);
        }
    }

    fn start_partition(&mut self, part: Part, out: &mut Vec<Effect>) {
        if self.accepts(part) {
            self.end_head(part, out);
            self.start_runs(part, out);
        }
    }

    /// Ends the head if it is out of attempts. Only the head: a replay of anything before a dead
    /// letter would otherwise leave it behind (S7).
    fn end_head(&mut self, part: Part, out: &mut Vec<Effect>) {
        let now = self.now;
        let letter = self.next_run;
        let Partition {
            policy,
            assigned: Some(assigned),
            ..
        } = self.at(part)
        else {
            return;
        };
        let Some(head) = assigned.pieces.front_mut() else {
            return;
        };
        let (at, attempts) = (head.span.first, head.past.failures);
        let tried_before = matches!(head.state, State::Undisposed { due } if due <= now);
        if head.state != State::Doomed && !tried_before {
            return;
        }
        head.state = State::Stopped;
        match policy.on_failure {
            OnFailure::Stop => out.push(Effect::Stopped { part, at, attempts }),
            OnFailure::Exit => out.push(Effect::Exit { part, at }),
            OnFailure::DeadLetter => {
                head.state = State::Disposing(letter);
                self.next_run = RunId(letter.0 + 1);
                out.push(Effect::DeadLetter {
                    part,
                    run: letter,
                    at,
                    attempts,
                });
            }
            OnFailure::Skip => unreachable!("a skipped head left with the watermark"),
        }
    }

    fn start_runs(&mut self, part: Part, out: &mut Vec<Effect>) {
        let mut from = 0;
        loop {
            let capacity = self.has_capacity();
            let Partition {
                lane,
                assigned: Some(assigned),
                ..
            } = &mut self.partitions[index(part)]
            else {
                return;
            };
            let Some(i) = assigned.frontier(from) else {
                return;
            };
            let piece = &mut assigned.pieces[i];
            let ready = match piece.state {
                State::Queued => true,
                State::Waiting { due } => due <= self.now,
                _ => false,
            };
            // A lane that was cut may still be in its old round, even one of an assignment
            // before this. [S5]
            if !ready || lane.is_cut() || lane.records() >= self.limits.ahead {
                return;
            }
            if !capacity {
                // Whoever has something at work lets the others go first.
                let first = index(part) + usize::from(i > 0);
                self.turn.get_or_insert(first % self.partitions.len());
                return;
            }
            let run = self.next_run;
            self.next_run = RunId(run.0 + 1);
            piece.state = State::Running(run);
            lane.begin(run, piece.span);
            self.outstanding += u64::from(piece.span.records);
            out.push(Effect::Start {
                part,
                round: lane.round(),
                run,
                span: piece.span,
                attempt: piece.past.failures.saturating_add(1),
                single: piece.past.single,
            });
            from = i;
        }
    }

    fn has_capacity(&self) -> bool {
        self.room && self.outstanding < self.limits.outstanding
    }

    /// Holds back what has read enough, and lets the others read on at half of it.
    pub(crate) fn hold_back(&mut self, touched: Range<usize>, out: &mut Vec<Effect>) {
        let limits = self.limits;
        for part in among(touched) {
            // A partition that is given back must not keep the others from being read.
            let closing = self.shutting_down || self.is_revoked(part);
            let Some(assigned) = &mut self.at(part).assigned else {
                continue;
            };
            let wanted = wanted(assigned, &limits).filter(|_| !closing);
            if wanted != assigned.held {
                assigned.held = wanted;
                out.push(match wanted {
                    Some(why) => Effect::HoldBack { part, why },
                    None => Effect::Resume { part },
                });
            }
        }
    }
}

fn wanted(assigned: &Assignment, limits: &Limits) -> Option<HoldBack> {
    if assigned.stopped().is_some() {
        return Some(HoldBack::Waiting);
    }
    let Load {
        records,
        bytes,
        span,
    } = assigned.load();
    let span = span.max(0).cast_unsigned();
    let span_limit = limits.max_uncommitted.max(0).cast_unsigned();
    let full = records >= limits.held_records || bytes >= limits.held_bytes || span >= span_limit;
    let above_half =
        records > limits.held_records / 2 || bytes > limits.held_bytes / 2 || span > span_limit / 2;
    match assigned.held {
        _ if assigned.pieces.is_empty() => None,
        None if !full => None,
        Some(_) if !above_half => None,
        // Once waiting it stays so until there is room again: each attempt would otherwise throw
        // away what was read ahead.
        Some(HoldBack::Waiting) => Some(HoldBack::Waiting),
        _ if assigned.waits() => Some(HoldBack::Waiting),
        _ => Some(HoldBack::Full),
    }
}
