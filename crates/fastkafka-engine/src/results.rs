//! What comes back of started work: accepted, settled, failed, or not begun after all.

use std::ops::Range;

use crate::assigned::{Assigned, Records};
use crate::engine::{Engine, HandlerId};
use crate::event::{Broken, DeadLetterOutcome, Effect, Failure, PartIndex, RunId};
use crate::piece::State;
use crate::tasks::Task;

impl Engine {
    /// The task of `run` has ended, whatever its result is worth.
    pub(crate) fn handled(&mut self, part: PartIndex, run: RunId) {
        let partition = self.at(part);
        let Some(task) = partition.tasks.end(run) else {
            return;
        };
        let handler = partition.handler;
        if let Some((keyed, tasks)) = partition.keyed() {
            keyed.unlocked(&task, tasks);
        }
        self.take_back(part, run, task);
        self.rest(handler);
    }

    /// Once a run is over nobody will tell of what it still owns: of a batch, that is what lies
    /// behind a lost output.
    pub(crate) fn take_back(&mut self, part: PartIndex, run: RunId, task: Task) {
        if let Some((keyed, tasks)) = self.at(part).keyed()
            && tasks.is_over(run)
        {
            keyed.unstart(run, (task.first, task.next), tasks);
        }
    }

    /// One less is busy.
    pub(crate) fn rest(&mut self, handler: HandlerId) {
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
        if closed {
            let records = partition.lane.close(run) + partition.tasks.close(run);
            self.outstanding -= records;
        }
        if let Some(Broken { at, next, failure }) = broken
            && self.fail(part, run, at..next, failure, true)
        {
            self.cut_lane(part, out);
        }
        if let Some(task) = task {
            self.take_back(part, run, task);
        }
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
            self.end_round(part, Some(next));
        }
        // When a cut had ended its round already, later records may have started again since.
        if self.fail(part, run, at..next, failure, false) && !halted {
            self.cut_lane(part, out);
        }
    }

    /// A failed attempt of `unit`, unless it belongs to `run` no more. Everything behind it in its
    /// order unit is handled after it once more, from memory.
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
        let letter = self.at(part).tasks.end_letter(run);
        if letter.is_some() {
            let handler = self.at(part).handler;
            self.rest(handler);
        }
        let now = self.now;
        let (policy, partition) = self.with_policy(part);
        let Some(assigned) = &mut partition.assigned else {
            return;
        };
        match &mut assigned.records {
            Records::Pieces(pieces) => {
                let Some(piece) = pieces.disposing(run) else {
                    return;
                };
                match outcome {
                    DeadLetterOutcome::Written => piece.state = State::Terminal,
                    DeadLetterOutcome::Transient => piece.keep_letter(policy, part, now),
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
                let Some(at) = letter.filter(|&at| keyed.is_disposing(at, run)) else {
                    return;
                };
                if outcome == DeadLetterOutcome::Written {
                    return keyed.bury(at, &partition.tasks);
                }
                let again = outcome == DeadLetterOutcome::Transient;
                let when = (policy, part, now);
                let attempts = keyed.keep_letter(at, again, when, &partition.tasks);
                if !again {
                    out.push(Effect::Stopped { part, at, attempts });
                }
            }
        }
    }

    pub(crate) fn end_round(&mut self, part: PartIndex, at: Option<i64>) {
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
