//! The phases of a step after the first: stores, releases, starts and ends, hold-backs.

use std::ops::Range;

use crate::assigned::{Assigned, Load, Records};
use crate::engine::{Engine, Partition, Revoke, among, index};
use crate::event::{Effect, HoldBack, PartIndex, RunId};
use crate::piece::State;
use crate::policy::{Limits, OnFailure, Order};

impl Engine {
    /// Moves each watermark over what is terminal, and over what is skipped.
    pub(crate) fn store(&mut self, touched: Range<usize>, out: &mut Vec<Effect>) {
        for part in among(touched) {
            let now = self.now;
            let (policy, partition) = self.with_policy(part);
            let skips = policy.on_failure == OnFailure::Skip;
            let Some(assigned) = &mut partition.assigned else {
                continue;
            };
            if let Records::Keyed(keyed) = &mut assigned.records {
                // A skip needs no capacity and moves the watermark, so it is done here and not with
                // the starts.
                keyed.wake(now, &partition.tasks);
                while skips && let Some((at, _)) = keyed.ending() {
                    out.push(Effect::Skipped { part, at });
                    keyed.complete(at, &partition.tasks);
                }
                let freed = keyed.freed.drain(..);
                out.extend(freed.map(|at| Effect::Free { part, at }));
            }
            assigned.advance();
            // Behind a skipped head the next terminal records come to the front.
            while skips
                && let Some(pieces) = assigned.pieces()
                && let Some(at) = pieces.skip_head()
            {
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

    /// Answers each revoke whose partitions have drained or whose deadline has come.
    pub(crate) fn release(&mut self, out: &mut Vec<Effect>) {
        let mut i = 0;
        while i < self.revokes.len() {
            let Revoke {
                draining, deadline, ..
            } = &self.revokes[i];
            let drained = draining.iter().all(|&part| self.is_drained(part));
            if self.now < *deadline && !drained {
                i += 1;
                continue;
            }
            let Revoke {
                parts, draining, ..
            } = self.revokes.remove(i);
            // `parts` may hold more: those that were lost meanwhile, or assigned anew.
            for part in draining {
                self.forget(part, out);
            }
            out.push(Effect::Release { parts });
        }
    }

    fn is_drained(&self, part: PartIndex) -> bool {
        let partition = &self.partitions[index(part)];
        // Both: a handler in hand is not settled yet, and outputs outlast their handler.
        let ended = partition.lane.is_idle() && partition.tasks.running() == 0;
        ended && partition.assigned.as_ref().is_none_or(Assigned::is_quiet)
    }

    /// Starts what may start, and ends what has no attempts left.
    pub(crate) fn start(&mut self, touched: Range<usize>, out: &mut Vec<Effect>) {
        match self.turn.filter(|_| self.has_capacity()) {
            None => {
                for part in among(touched) {
                    self.start_partition(part, out);
                }
            }
            Some(first) => {
                // The last starts used up the capacity: the first partition that went without comes
                // first now, or those before it would take the capacity each time.
                self.turn = None;
                let all = self.partitions.len();
                for part in among(first..all).chain(among(0..first)) {
                    self.start_partition(part, out);
                }
            }
        }
        for handler in 0..self.handlers.len() {
            self.round_robin(handler, out);
        }
    }

    fn start_partition(&mut self, part: PartIndex, out: &mut Vec<Effect>) {
        if !self.may_start(part) {
            return;
        }
        let keyed = match &self.partitions[index(part)].assigned {
            Some(assigned) => match &assigned.records {
                Records::Keyed(keyed) => Some(keyed.has_work()),
                Records::Pieces(_) => None,
            },
            None => return,
        };
        match keyed {
            None => {
                self.end_head(part, out);
                self.start_runs(part, out);
            }
            // By key the capacity is shared among the partitions of the handler: the partition only
            // gets into line here.
            Some(true) => {
                let ready = &mut self.handler_of(part).ready;
                if !ready.contains(&part) {
                    ready.push_back(part);
                }
            }
            Some(false) => {}
        }
    }

    fn may_start(&self, part: PartIndex) -> bool {
        let assigned = self.partitions[index(part)].assigned.as_ref();
        self.accepts(part) && assigned.is_some_and(|assigned| !assigned.paused)
    }

    /// One record, or one end of a record, of each partition in turn: a partition with much to do
    /// does not keep a handler from the others.
    fn round_robin(&mut self, handler: usize, out: &mut Vec<Effect>) {
        loop {
            let capacity = self.has_capacity();
            let this = &mut self.handlers[handler];
            let Order::Key { concurrency } = this.policy.order else {
                return;
            };
            if this.busy >= concurrency || !capacity {
                return;
            }
            let Some(part) = this.ready.pop_front() else {
                return;
            };
            // It may have been paused or revoked since it got into line.
            if self.may_start(part) && self.start_one(part, out) {
                self.handlers[handler].ready.push_back(part);
            }
        }
    }

    /// Starts one task, or ends one record that has no attempts left. Returns whether it did; there
    /// may be more then.
    fn start_one(&mut self, part: PartIndex, out: &mut Vec<Effect>) -> bool {
        let run = self.next_run;
        let limit = self.limits.ahead;
        let (policy, partition) = self.with_policy(part);
        let (batch, on_failure) = (policy.batch, policy.on_failure);
        let tasks = &mut partition.tasks;
        let Some(assigned) = &mut partition.assigned else {
            return false;
        };
        let Some(keyed) = assigned.keyed() else {
            return false;
        };
        // An end first: the records of its key wait for it.
        if let Some((at, attempts)) = keyed.ending() {
            match on_failure {
                OnFailure::Stop => {
                    keyed.end_as(at, State::Stopped);
                    out.push(Effect::Stopped { part, at, attempts });
                }
                OnFailure::Exit => {
                    keyed.end_as(at, State::Stopped);
                    out.push(Effect::Exit { part, at });
                }
                OnFailure::DeadLetter => {
                    keyed.end_as(at, State::WritingDeadLetter(run));
                    tasks.begin_letter(run, at);
                    self.next_run = RunId(run.0 + 1);
                    self.handler_of(part).busy += 1;
                    out.push(Effect::DeadLetter {
                        part,
                        run,
                        at,
                        attempts,
                    });
                }
                OnFailure::Skip => unreachable!("a skipped record left with the watermark"),
            }
            return true;
        }
        if tasks.records() >= limit {
            return false;
        }
        let Some(taken) = keyed.start(run, batch) else {
            return false;
        };
        tasks.begin(run, &taken);
        self.next_run = RunId(run.0 + 1);
        self.outstanding += u64::from(taken.span.records);
        self.handler_of(part).busy += 1;
        out.push(Effect::Start {
            part,
            cut: 0,
            run,
            span: taken.span,
            attempt: taken.attempt,
            single: taken.single,
        });
        true
    }

    /// Ends the head if it is out of attempts. Only the head: a replay of anything before a dead
    /// letter would otherwise leave it behind (S7).
    fn end_head(&mut self, part: PartIndex, out: &mut Vec<Effect>) {
        let now = self.now;
        let letter = self.next_run;
        let (policy, partition) = self.with_policy(part);
        let on_failure = policy.on_failure;
        let Some(pieces) = partition.assigned.as_mut().and_then(Assigned::pieces) else {
            return;
        };
        let exhausted = |state| match state {
            State::DeadLetterFailed { due } => due <= now,
            state => state == State::Exhausted,
        };
        let head = pieces.pieces.front_mut();
        let Some(head) = head.filter(|head| exhausted(head.state)) else {
            return;
        };
        let (at, attempts) = (head.span.first, head.past.failures);
        // An exit stops it as well: until the app has drained, nothing behind it may start.
        head.state = State::Stopped;
        match on_failure {
            OnFailure::Stop => out.push(Effect::Stopped { part, at, attempts }),
            OnFailure::Exit => out.push(Effect::Exit { part, at }),
            OnFailure::DeadLetter => {
                head.state = State::WritingDeadLetter(letter);
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

    /// Hands pieces to the lane, in order, up to the first that has to wait.
    fn start_runs(&mut self, part: PartIndex, out: &mut Vec<Effect>) {
        let mut from = 0;
        loop {
            let capacity = self.has_capacity();
            let Partition { lane, assigned, .. } = &mut self.partitions[index(part)];
            let Some(pieces) = assigned.as_mut().and_then(Assigned::pieces) else {
                return;
            };
            let Some(i) = pieces.frontier(from) else {
                return;
            };
            let piece = &mut pieces.pieces[i];
            let ready = match piece.state {
                State::Queued => true,
                State::Waiting { due } => due <= self.now,
                _ => false,
            };
            // A lane that was cut may still be running what it had in hand, even of an assignment
            // before this one. [S5]
            if !ready || lane.is_cut() || lane.records() >= self.limits.ahead {
                return;
            }
            if !capacity {
                // A partition that has started something lets the others go first.
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
                cut: lane.cut(),
                run,
                span: piece.span,
                attempt: piece.past.failures.saturating_add(1),
                single: piece.past.single,
            });
            from = i;
        }
    }

    /// Whether anything may start.
    pub(crate) fn has_capacity(&self) -> bool {
        self.room && self.outstanding < self.limits.outstanding
    }

    /// Holds back what has read enough, and lets the others read on at half of it.
    pub(crate) fn hold_back(&mut self, touched: Range<usize>, out: &mut Vec<Effect>) {
        let limits = self.limits;
        for part in among(touched) {
            // A partition that is given back must not keep the others from being read: its hold-back
            // ends, and `accepts` refuses its records.
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

fn wanted(assigned: &Assigned, limits: &Limits) -> Option<HoldBack> {
    if assigned.paused {
        return Some(HoldBack::Paused);
    }
    // However little it holds: the stop ends by hand only.
    if assigned.stands() {
        return Some(HoldBack::Waiting);
    }
    let Load {
        records,
        bytes,
        span,
    } = assigned.load();
    let span = span.max(0).cast_unsigned();
    let reached = span >= limits.max_uncommitted.max(0).cast_unsigned();
    let full = records >= limits.held_records || bytes >= limits.held_bytes || reached;
    // Not half of the span: a single record can keep it, and up to the limit it holds up nobody. [L2]
    let above_half = records > limits.held_records / 2 || bytes > limits.held_bytes / 2 || reached;
    match assigned.held {
        // Whatever the bounds are, or nothing would ever be read.
        _ if assigned.is_empty() => None,
        None if !full => None,
        Some(_) if !above_half => None,
        // The user has resumed it, and a pause does not count as having been full.
        Some(HoldBack::Paused) if !full => None,
        // Once waiting it stays so until there is room again: each attempt would otherwise throw
        // away what was read ahead.
        Some(HoldBack::Waiting) => Some(HoldBack::Waiting),
        _ if assigned.waits() => Some(HoldBack::Waiting),
        _ => Some(HoldBack::Full),
    }
}
