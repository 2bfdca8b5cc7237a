//! Results of started work: accepted, settled, failed, or not begun after all.

use std::ops::Range;

use crate::assigned::{Assigned, Records};
use crate::engine::{Engine, HandlerId};
use crate::event::{Broken, DeadLetterOutcome, Effect, Failure, PartIndex, RunId};
use crate::piece::State;
use crate::tasks::Task;

impl Engine {
    /// The task of `run` has ended, whether its result counts or not.
    pub(crate) fn handled(&mut self, part: PartIndex, run: RunId) {
        let partition = self.at(part);
        let Some(task) = partition.tasks.end(run) else {
            return;
        };
        let handler = partition.handler;
        // Its key is free for the records of this assignment, even if the task was of a former one.
        if let Some((keyed, tasks)) = partition.keyed() {
            keyed.unlocked(&task, tasks);
        }
        self.take_back(part, run, task);
        self.release_slot(handler);
    }

    /// When the task of a run has ended, what the run still owns and nothing more is expected of is queued
    /// again: the records of a batch behind a lost output. Others of its outputs may be open for long.
    pub(crate) fn take_back(&mut self, part: PartIndex, run: RunId, task: Task) {
        if let Some((keyed, tasks)) = self.at(part).keyed()
            && let Some(from) = tasks.rest(run, &task)
        {
            keyed.unstart(run, (from, task.next), tasks);
        }
    }

    /// Releases a concurrency slot.
    pub(crate) fn release_slot(&mut self, handler: HandlerId) {
        self.handlers[handler.0 as usize].busy -= 1;
    }

    pub(crate) fn settled(
        &mut self,
        part: PartIndex,
        run: RunId,
        prefix: i64,
        broken: Option<Broken>,
        closed: bool,
        out: &mut Vec<Effect>,
    ) {
        let partition = self.at(part);
        let task = partition.tasks.get(run);
        if let Some(assigned) = &mut partition.assigned {
            match &mut assigned.records {
                Records::Pieces(pieces) => pieces.settle(run, prefix),
                Records::Keyed(keyed) => {
                    if let Some(task) = task {
                        keyed.settle(run, task.first, prefix, &partition.tasks);
                    }
                }
            }
        }
        // Also of a former assignment: the bounds count everything that is under way.
        if closed {
            let records = partition.lane.close(run) + partition.tasks.close(run);
            self.outstanding -= records;
        }
        if let Some(Broken { at, next, failure }) = broken
            && self.lose(part, run, at..next, failure)
        {
            // The lane has gone on to later records, which are handled again after this one. [S5]
            self.cut_lane(part, out);
        }
        if let Some(task) = task {
            self.take_back(part, run, task);
        }
    }

    /// An output of `unit` is lost: a failed attempt of it. Returns whether the attempt counts.
    fn lose(&mut self, part: PartIndex, run: RunId, unit: Range<i64>, failure: Failure) -> bool {
        self.at(part).tasks.lose(run, unit.end);
        self.fail(part, run, unit, failure, true)
    }

    pub(crate) fn failed(
        &mut self,
        part: PartIndex,
        run: RunId,
        at: i64,
        next: i64,
        failure: Failure,
        out: &mut Vec<Effect>,
    ) {
        if self.is_keyed(part) {
            self.fail(part, run, at..next, failure, false);
            if let Some((keyed, tasks)) = self.at(part).keyed()
                && let Some(task) = tasks.get(run)
            {
                keyed.unstart(run, (next, task.next), tasks);
            }
            return self.handled(part, run);
        }
        let halted = self.at(part).lane.has(run);
        if halted {
            self.halted(part, Some(next));
        }
        // If a cut had halted the lane before, later records may have started again since: they have
        // to be handled after this one, so the lane is cut once more.
        if self.fail(part, run, at..next, failure, false) && !halted {
            self.cut_lane(part, out);
        }
    }

    /// A failed attempt of `unit`, unless it belongs to another run by now. Everything behind it in
    /// its order unit is handled after it once more, from memory. Returns whether the attempt counts.
    pub(crate) fn fail(
        &mut self,
        part: PartIndex,
        run: RunId,
        unit: Range<i64>,
        failure: Failure,
        alone: bool,
    ) -> bool {
        let now = self.now;
        let (policy, partition) = self.with_policy(part);
        let Some(assigned) = &mut partition.assigned else {
            return false;
        };
        match &mut assigned.records {
            Records::Keyed(keyed) => {
                let unit = (unit.start, unit.end);
                let tasks = &partition.tasks;
                keyed.fail(run, unit, failure, alone, (policy, part, now), tasks);
                true
            }
            Records::Pieces(pieces) => {
                let Some(i) = pieces.carve(run, unit.start, unit.end) else {
                    return false;
                };
                pieces.pieces[i].past.alone |= alone;
                pieces.pieces[i].fail(failure, policy, part, now);
                pieces.replay(i + 1);
                true
            }
        }
    }

    pub(crate) fn dead_letter_done(
        &mut self,
        part: PartIndex,
        run: RunId,
        outcome: DeadLetterOutcome,
        out: &mut Vec<Effect>,
    ) {
        // By key it holds a concurrency slot, also when its partition is gone or has come back.
        let letter = self.at(part).tasks.end_letter(run);
        if letter.is_some() {
            let handler = self.at(part).handler;
            self.release_slot(handler);
        }
        let now = self.now;
        let (policy, partition) = self.with_policy(part);
        let Some(assigned) = &mut partition.assigned else {
            return;
        };
        match &mut assigned.records {
            Records::Pieces(pieces) => {
                let Some(piece) = pieces.writing_dead_letter(run) else {
                    return;
                };
                match outcome {
                    DeadLetterOutcome::Written => piece.state = State::Terminal,
                    DeadLetterOutcome::Transient => piece.dead_letter_failed(policy, part, now),
                    DeadLetterOutcome::Permanent => {
                        piece.state = State::Stopped;
                        out.push(Effect::Stopped {
                            part,
                            at: piece.span.first,
                            attempts: piece.past.failures,
                        });
                    }
                }
            }
            Records::Keyed(keyed) => {
                let Some(at) = letter.filter(|&at| keyed.awaits_dead_letter(at, run)) else {
                    return;
                };
                if outcome == DeadLetterOutcome::Written {
                    return keyed.complete(at, &partition.tasks);
                }
                let again = outcome == DeadLetterOutcome::Transient;
                let when = (policy, part, now);
                let attempts = keyed.dead_letter_failed(at, again, when, &partition.tasks);
                if !again {
                    out.push(Effect::Stopped { part, at, attempts });
                }
            }
        }
    }

    /// The lane has halted before `at`: the runs that it did not begin are started again.
    pub(crate) fn halted(&mut self, part: PartIndex, at: Option<i64>) {
        let next_run = self.next_run;
        let partition = self.at(part);
        let forgotten = partition.lane.end(at, next_run);
        let pieces = partition.assigned.as_mut().and_then(Assigned::pieces);
        if let (Some(pieces), Some(at)) = (pieces, at) {
            pieces.unstart(at);
        }
        self.outstanding -= forgotten;
    }
}
