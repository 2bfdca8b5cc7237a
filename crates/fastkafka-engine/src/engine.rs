//! One step: an event in, effects out.

use std::collections::VecDeque;
use std::ops::Range;

use crate::assigned::{Assigned, Records};
use crate::event::{Broken, Disposal, Effect, Event, Failure, Part, Read, RunId, Span, Time};
use crate::keyed::Keyed;
use crate::lane::Lane;
use crate::mutant::{Mutant, Planted};
use crate::piece::State;
use crate::pieces::Pieces;
use crate::policy::{Limits, Order, Policy};
use crate::tasks::Tasks;

/// The delivery state machine of one owner. See the [crate](crate) for the model.
///
/// ```
/// use std::time::Duration;
/// use fastkafka_engine::{Effect, Engine, Event, Limits, Policy, RunId, Span};
///
/// let mut engine = Engine::new(Limits::default());
/// let handler = engine.handler(Policy::default());
/// let part = engine.add(handler);
/// let (now, mut out) = (Duration::ZERO, Vec::new());
///
/// engine.step(now, Event::Assigned { part, position: 7 }, &mut out);
/// let span = Span { first: 7, next: 9, records: 2, bytes: 64 };
/// engine.step(now, Event::Fetched { part, span }, &mut out);
/// let run = match out.last() {
///     Some(Effect::Start { run, .. }) => *run,
///     other => panic!("{other:?}"),
/// };
///
/// out.clear();
/// let settled = Event::Settled { part, run, prefix: 9, broken: None, closed: true };
/// engine.step(now, settled, &mut out);
/// assert_eq!(out, [Effect::Store { part, offset: 9 }]);
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) limits: Limits,
    pub(crate) handlers: Vec<Handler>,
    pub(crate) partitions: Vec<Partition>,
    pub(crate) revokes: Vec<Revoke>,
    /// The number of the next start or dead letter.
    pub(crate) next_run: RunId,
    /// Records of runs that are not closed, over all lanes.
    pub(crate) outstanding: u64,
    /// The producer has room.
    pub(crate) room: bool,
    pub(crate) shutting_down: bool,
    /// The time of the last step.
    pub(crate) now: Time,
    /// The partition to serve first once `outstanding` or `room` allow a start again.
    pub(crate) turn: Option<usize>,
    pub(crate) planted: Planted,
}

/// A handler of one engine, given out by [`Engine::handler`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HandlerId(u32);

#[derive(Clone, Debug)]
pub(crate) struct Handler {
    pub(crate) policy: Policy,
    /// By key: tasks that have not ended and dead letters being written, over all partitions.
    pub(crate) busy: u32,
    /// By key: partitions with something to start, in the order of their turns.
    pub(crate) turns: VecDeque<Part>,
}

#[derive(Clone, Debug)]
pub(crate) struct Partition {
    pub(crate) handler: HandlerId,
    pub(crate) lane: Lane,
    pub(crate) tasks: Tasks,
    pub(crate) assigned: Option<Assigned>,
}

/// A revoke or a loss that was not answered.
#[derive(Clone, Debug)]
pub(crate) struct Revoke {
    pub(crate) parts: Vec<Part>,
    /// Those of `parts` that were ours then and still are, by the same assignment.
    pub(crate) draining: Vec<Part>,
    pub(crate) deadline: Time,
}

impl Engine {
    /// An engine without partitions.
    pub fn new(limits: Limits) -> Self {
        Engine {
            limits,
            handlers: Vec::new(),
            partitions: Vec::new(),
            revokes: Vec::new(),
            next_run: RunId(1),
            outstanding: 0,
            room: true,
            shutting_down: false,
            now: Time::ZERO,
            turn: None,
            planted: Planted::default(),
        }
    }

    /// Makes a handler known.
    ///
    /// # Panics
    ///
    /// When there are more than `u32::MAX` of them.
    pub fn handler(&mut self, policy: Policy) -> HandlerId {
        let id = u32::try_from(self.handlers.len()).expect("below 2^32 handlers");
        self.handlers.push(Handler {
            policy,
            busy: 0,
            turns: VecDeque::new(),
        });
        HandlerId(id)
    }

    /// Makes a (topic, partition) of a handler known. It is not assigned by that.
    ///
    /// # Panics
    ///
    /// When there are more than `u32::MAX` of them.
    pub fn add(&mut self, handler: HandlerId) -> Part {
        let part = Part(u32::try_from(self.partitions.len()).expect("below 2^32 partitions"));
        self.partitions.push(Partition {
            handler,
            lane: Lane::new(),
            tasks: Tasks::default(),
            assigned: None,
        });
        part
    }

    /// Takes in one event and appends what follows from it, in the order in which it is to be
    /// done. `now` counts from the same origin as every deadline.
    ///
    /// # Panics
    ///
    /// When the event names a partition of another engine.
    pub fn step(&mut self, now: Time, event: Event, out: &mut Vec<Effect>) {
        self.now = self.now.max(now);
        let touched = self.touched(&event);
        // The order of the phases is a requirement: a store comes before the release that makes
        // it void, and a start after both.
        self.apply(event, out);
        if self.planted.is(Mutant::StoreAfterRelease) {
            let mut stores = Vec::new();
            self.store(touched.clone(), &mut stores);
            self.release(out);
            out.append(&mut stores);
        } else {
            self.store(touched.clone(), out);
            self.release(out);
        }
        self.start(touched.clone(), out);
        self.hold_back(touched, out);
    }

    /// The partitions an event can change: looking at all of them for each run would be slow.
    fn touched(&self, event: &Event) -> Range<usize> {
        match *event {
            Event::Assigned { part, .. }
            | Event::Fetched { part, .. }
            | Event::Read { part, .. }
            | Event::Handled { part, .. }
            | Event::Pause { part, .. }
            | Event::Seek { part, .. }
            | Event::Restart { part }
            | Event::Settled { part, .. }
            | Event::Failed { part, .. }
            | Event::Disposed { part, .. }
            | Event::Ended { part, .. } => index(part)..index(part) + 1,
            Event::Revoking { .. }
            | Event::Lost { .. }
            | Event::Room(_)
            | Event::Tick
            | Event::Shutdown => 0..self.partitions.len(),
        }
    }

    fn apply(&mut self, event: Event, out: &mut Vec<Effect>) {
        match event {
            Event::Assigned { part, position } => self.assigned(part, position, out),
            Event::Revoking { parts, deadline } => self.revoking(parts, deadline, out),
            Event::Lost { parts } => self.lost(parts, out),
            Event::Fetched { part, span } => self.fetched(part, span, out),
            Event::Read { part, records } => self.read(part, &records),
            Event::Handled { part, run } => self.handled(part, run),
            Event::Settled {
                part,
                run,
                prefix,
                broken,
                closed,
            } => self.settled(part, run, prefix, broken, closed, out),
            Event::Failed {
                part,
                run,
                at,
                next,
                failure,
            } => self.failed(part, run, at, next, failure, out),
            Event::Disposed { part, run, outcome } => self.disposed(part, run, outcome, out),
            Event::Ended { part, round, at } => {
                // Not if a failure ended the round before the lane saw the cut.
                if self.at(part).lane.round() == round {
                    self.end_round(part, at);
                }
            }
            Event::Pause { part, pause } => self.pause(part, pause, out),
            Event::Seek { part, position } => self.seek(part, position, out),
            Event::Restart { part } => self.restart(part),
            Event::Room(room) => self.room = room,
            // Whatever is due is found by the phases.
            Event::Tick => {}
            Event::Shutdown => {
                self.shutting_down = true;
                for part in among(0..self.partitions.len()) {
                    self.cut(part, out);
                }
            }
        }
    }

    fn assigned(&mut self, part: Part, position: i64, out: &mut Vec<Effect>) {
        self.forget(part, out);
        if self.planted.is(Mutant::BufferSurvivesRevoke) && self.at(part).assigned.is_some() {
            return;
        }
        let assigned = Assigned::new(position, self.no_records(part));
        self.at(part).assigned = Some(assigned);
        // librdkafka keeps the application's pause flag from one assignment to the next.
        if !self.planted.is(Mutant::HoldBackNotRecomputed) {
            out.push(Effect::Resume { part });
        }
    }

    fn no_records(&self, part: Part) -> Records {
        match self.policy(part).order {
            Order::Partition => Records::Pieces(Pieces::new(self.planted)),
            Order::Key { .. } => Records::Keyed(Keyed::new(self.planted)),
        }
    }

    fn revoking(&mut self, parts: Vec<Part>, deadline: Time, out: &mut Vec<Effect>) {
        let mut draining = parts.clone();
        draining.retain(|&part| self.at(part).assigned.is_some());
        for &part in &draining {
            if !self.planted.is(Mutant::RunNotCutOnRevoke) {
                self.cut(part, out);
            }
        }
        self.revokes.push(Revoke {
            parts,
            draining,
            deadline,
        });
        if self.planted.is(Mutant::RetryTimerLost) {
            self.forget_dates();
        }
    }

    fn lost(&mut self, parts: Vec<Part>, out: &mut Vec<Effect>) {
        for &part in &parts {
            self.forget(part, out);
        }
        self.revokes.push(Revoke {
            parts,
            draining: Vec::new(),
            deadline: self.now,
        });
    }

    fn fetched(&mut self, part: Part, span: Span, out: &mut Vec<Effect>) {
        if !self.accepts(part) || span.first >= span.next {
            return;
        }
        let Some(assigned) = &mut self.at(part).assigned else {
            return;
        };
        let again = span.first < assigned.seen();
        let Some(pieces) = assigned.pieces() else {
            return debug_assert!(false, "records of a partition by key come one by one");
        };
        if again {
            pieces.truncate(span.first);
        }
        pieces.fetch(span);
        if again {
            assigned.rewind(span.first);
            self.cut(part, out);
        }
    }

    fn read(&mut self, part: Part, records: &[Read]) {
        let Some(first) = records.first().filter(|_| self.accepts(part)) else {
            return;
        };
        let Partition {
            tasks,
            assigned: Some(assigned),
            ..
        } = self.at(part)
        else {
            return;
        };
        let again = first.offset < assigned.seen();
        let Some(keyed) = assigned.keyed() else {
            return debug_assert!(false, "records in partition order come as runs");
        };
        if again {
            keyed.truncate(first.offset, tasks);
        }
        keyed.read(records, tasks);
        if again {
            assigned.rewind(first.offset);
        }
    }

    /// The task of `run` has ended, whatever its result is worth.
    fn handled(&mut self, part: Part, run: RunId) {
        let partition = self.at(part);
        let Some(task) = partition.tasks.end(run) else {
            return;
        };
        let handler = partition.handler;
        if let Some(keyed) = partition.assigned.as_mut().and_then(Assigned::keyed) {
            keyed.unlocked(&task, &partition.tasks);
        }
        self.take_back(part, run, task.first);
        self.rest(handler);
        if self.planted.is(Mutant::SettledWhenHandled) {
            let Partition {
                tasks,
                assigned: Some(assigned),
                ..
            } = self.at(part)
            else {
                return;
            };
            if let Some(keyed) = assigned.keyed() {
                keyed.settle(run, task.first, i64::MAX, tasks);
            }
        }
    }

    /// Once a run is over nobody will tell of what it still owns: of a batch, that is what lies
    /// behind a lost output.
    fn take_back(&mut self, part: Part, run: RunId, from: i64) {
        let Partition {
            tasks, assigned, ..
        } = self.at(part);
        if tasks.is_over(run)
            && let Some(keyed) = assigned.as_mut().and_then(Assigned::keyed)
        {
            keyed.unstart(run, from, tasks);
        }
    }

    /// One less is busy.
    fn rest(&mut self, handler: HandlerId) {
        self.handlers[handler.0 as usize].busy -= 1;
    }

    fn settled(
        &mut self,
        part: Part,
        run: RunId,
        prefix: i64,
        broken: Option<Broken>,
        closed: bool,
        out: &mut Vec<Effect>,
    ) {
        let run_of = |engine: &mut Self| match engine.planted.is(Mutant::ResultMatchedByOffset) {
            true => engine.run_at(part, run).unwrap_or(run),
            false => run,
        };
        let owner = run_of(self);
        let partition = self.at(part);
        let first = partition.tasks.first(run);
        if let Some(assigned) = &mut partition.assigned {
            match &mut assigned.records {
                Records::Pieces(pieces) => pieces.settle(owner, prefix),
                Records::Keyed(keyed) => {
                    if let Some(first) = first {
                        keyed.settle(owner, first, prefix, &partition.tasks);
                    }
                }
            }
        }
        if closed {
            let records = partition.lane.close(run) + partition.tasks.close(run);
            self.outstanding -= records;
        }
        if let Some(Broken { at, next, failure }) = broken
            && !self.planted.is(Mutant::BrokenForgotten)
            && self.fail(part, run, at..next, failure, true)
        {
            self.cut(part, out);
        }
        if let Some(first) = first {
            self.take_back(part, run, first);
        }
    }

    fn failed(
        &mut self,
        part: Part,
        run: RunId,
        at: i64,
        next: i64,
        failure: Failure,
        out: &mut Vec<Effect>,
    ) {
        if self.is_keyed(part) {
            self.fail(part, run, at..next, failure, false);
            let Partition {
                tasks, assigned, ..
            } = self.at(part);
            if let Some(keyed) = assigned.as_mut().and_then(Assigned::keyed) {
                keyed.unstart(run, next, tasks);
            }
            return self.handled(part, run);
        }
        let halted = self.at(part).lane.has(run);
        if halted {
            self.end_round(part, Some(next));
        }
        // When a cut had ended its round already, later records may have started again since.
        if self.fail(part, run, at..next, failure, false) && !halted {
            self.cut(part, out);
        }
    }

    /// A failed attempt of `unit`, unless it belongs to `run` no more. Everything behind it in its
    /// order unit is handled after it once more, from memory.
    fn fail(
        &mut self,
        part: Part,
        run: RunId,
        unit: Range<i64>,
        failure: Failure,
        alone: bool,
    ) -> bool {
        let (now, planted) = (self.now, self.planted);
        let (policy, partition) = self.with_policy(part);
        let more;
        let policy = if planted.is(Mutant::OneAttemptMore) {
            let attempts = policy.attempts.map(|n| n + 1);
            more = Policy {
                attempts,
                ..policy.clone()
            };
            &more
        } else {
            policy
        };
        let Some(assigned) = &mut partition.assigned else {
            return false;
        };
        match &mut assigned.records {
            Records::Keyed(keyed) => {
                let unit = (unit.start, unit.end);
                let tasks = &partition.tasks;
                if planted.is(Mutant::FailureForgotten) {
                    keyed.settle(run, unit.0, unit.1, tasks);
                } else {
                    keyed.fail(run, unit, failure, alone, (policy, part, now), tasks);
                }
                true
            }
            Records::Pieces(pieces) => {
                let Some(i) = pieces.carve(run, unit.start, unit.end) else {
                    return false;
                };
                if planted.is(Mutant::FailureForgotten) {
                    pieces.pieces[i].state = State::Terminal;
                    return true;
                }
                pieces.pieces[i].past.alone |= alone && !planted.is(Mutant::BrokenNotAlone);
                pieces.pieces[i].fail(failure, policy, part, now);
                pieces.replay(i + 1);
                true
            }
        }
    }

    fn disposed(&mut self, part: Part, run: RunId, outcome: Disposal, out: &mut Vec<Effect>) {
        let outcome = match self.planted.is(Mutant::DeadLetterFailureIgnored) {
            true => Disposal::Written,
            false => outcome,
        };
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
                    Disposal::Written => piece.state = State::Terminal,
                    Disposal::Transient => piece.keep_letter(policy, part, now),
                    Disposal::Permanent => {
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
                if outcome == Disposal::Written {
                    return keyed.bury(at, &partition.tasks);
                }
                let again = outcome == Disposal::Transient;
                let when = (policy, part, now);
                let attempts = keyed.keep_letter(at, again, when, &partition.tasks);
                if !again {
                    out.push(Effect::Stopped { part, at, attempts });
                }
            }
        }
    }

    fn pause(&mut self, part: Part, pause: bool, out: &mut Vec<Effect>) {
        if let Some(assigned) = &mut self.at(part).assigned {
            assigned.paused = pause;
            if pause {
                self.cut(part, out);
            }
        }
    }

    fn seek(&mut self, part: Part, position: i64, out: &mut Vec<Effect>) {
        if !self.accepts(part) {
            return;
        }
        self.cut(part, out);
        let records = self.no_records(part);
        let keeps = self.planted.is(Mutant::SeekKeepsTheOld);
        if let Some(assigned) = &mut self.at(part).assigned {
            if !keeps {
                assigned.records = records;
            }
            assigned.watermark = position;
            assigned.stored = position;
            out.push(Effect::Store {
                part,
                offset: position,
            });
        }
    }

    fn restart(&mut self, part: Part) {
        let Partition {
            tasks,
            assigned: Some(assigned),
            ..
        } = self.at(part)
        else {
            return;
        };
        match &mut assigned.records {
            Records::Pieces(pieces) => pieces.restart(),
            Records::Keyed(keyed) => keyed.restart(tasks),
        }
    }

    fn end_round(&mut self, part: Part, at: Option<i64>) {
        let next_run = self.next_run;
        let rest_forgotten = self.planted.is(Mutant::RestForgotten);
        let partition = self.at(part);
        let forgotten = partition.lane.end(at, next_run);
        let pieces = partition.assigned.as_mut().and_then(Assigned::pieces);
        if let (Some(pieces), Some(at)) = (pieces, at)
            && !rest_forgotten
        {
            pieces.unstart(at);
        }
        self.outstanding -= forgotten;
    }

    /// Forgets the records, never the lane and the tasks.
    pub(crate) fn forget(&mut self, part: Part, out: &mut Vec<Effect>) {
        if !self.planted.is(Mutant::BufferSurvivesRevoke) {
            self.at(part).assigned = None;
        }
        if self.planted.is(Mutant::LockFreedOnRevoke) {
            self.at(part).tasks.unlock();
            let next_run = self.next_run;
            let forgotten = self.at(part).lane.end(None, next_run);
            self.outstanding -= forgotten;
        }
        for revoke in &mut self.revokes {
            revoke.draining.retain(|&draining| draining != part);
        }
        self.cut(part, out);
    }

    fn cut(&mut self, part: Part, out: &mut Vec<Effect>) {
        if let Some(round) = self.at(part).lane.cut() {
            out.push(Effect::Cut { part, round });
        }
    }

    /// A planted bug: whatever runs now where `run` once began.
    fn run_at(&mut self, part: Part, run: RunId) -> Option<RunId> {
        let partition = self.at(part);
        let first = partition
            .tasks
            .first(run)
            .or_else(|| partition.lane.first(run))?;
        match &partition.assigned.as_ref()?.records {
            Records::Pieces(pieces) => pieces.run_at(first),
            Records::Keyed(keyed) => keyed.run_at(first),
        }
    }

    /// A planted bug: whatever waits for a date waits for ever.
    fn forget_dates(&mut self) {
        for assigned in self
            .partitions
            .iter_mut()
            .filter_map(|p| p.assigned.as_mut())
        {
            match &mut assigned.records {
                Records::Pieces(pieces) => pieces.forget_dates(),
                Records::Keyed(keyed) => keyed.forget_dates(),
            }
        }
    }

    pub(crate) fn policy(&self, part: Part) -> &Policy {
        let handler = self.partitions[index(part)].handler;
        &self.handlers[handler.0 as usize].policy
    }

    pub(crate) fn is_keyed(&self, part: Part) -> bool {
        matches!(self.policy(part).order, Order::Key { .. })
    }

    pub(crate) fn with_policy(&mut self, part: Part) -> (&Policy, &mut Partition) {
        let partition = &mut self.partitions[index(part)];
        let handler = &self.handlers[partition.handler.0 as usize];
        (&handler.policy, partition)
    }

    pub(crate) fn handler_of(&mut self, part: Part) -> &mut Handler {
        let handler = self.partitions[index(part)].handler;
        &mut self.handlers[handler.0 as usize]
    }

    pub(crate) fn at(&mut self, part: Part) -> &mut Partition {
        &mut self.partitions[index(part)]
    }
}

pub(crate) fn index(part: Part) -> usize {
    usize::try_from(part.0).expect("targets of 32 bits and more")
}

pub(crate) fn among(indices: Range<usize>) -> impl Iterator<Item = Part> {
    indices.map(|i| Part(u32::try_from(i).expect("`add` counts them in 32 bits")))
}
