//! One step: an event in, effects out.

use std::ops::Range;

use crate::event::{Broken, Disposal, Effect, Event, Failure, Part, RunId, Span, Time};
use crate::lane::Lane;
use crate::partition::Assignment;
use crate::piece::State;
use crate::policy::{Limits, Policy};

/// The delivery state machine of one owner. See the [crate](crate) for the model.
///
/// ```
/// use std::time::Duration;
/// use fastkafka_engine::{Effect, Engine, Event, Limits, Policy, RunId, Span};
///
/// let mut engine = Engine::new(Limits::default());
/// let part = engine.add(Policy::default());
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
#[derive(Debug)]
pub struct Engine {
    pub(crate) limits: Limits,
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
}

#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) policy: Policy,
    pub(crate) lane: Lane,
    pub(crate) assigned: Option<Assignment>,
}

/// A revoke or a loss that was not answered.
#[derive(Debug)]
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
            partitions: Vec::new(),
            revokes: Vec::new(),
            next_run: RunId(1),
            outstanding: 0,
            room: true,
            shutting_down: false,
            now: Time::ZERO,
            turn: None,
        }
    }

    /// Makes a (topic, partition) known. It is not assigned by that.
    ///
    /// # Panics
    ///
    /// When there are more than `u32::MAX` of them.
    pub fn add(&mut self, policy: Policy) -> Part {
        let part = Part(u32::try_from(self.partitions.len()).expect("below 2^32 partitions"));
        self.partitions.push(Partition {
            policy,
            lane: Lane::new(),
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
        self.store(touched.clone(), out);
        self.release(out);
        self.start(touched.clone(), out);
        self.hold_back(touched, out);
    }

    /// The partitions an event can change: looking at all of them for each run would be slow.
    fn touched(&self, event: &Event) -> Range<usize> {
        match *event {
            Event::Assigned { part, .. }
            | Event::Fetched { part, .. }
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
        self.at(part).assigned = Some(Assignment::new(position));
        // librdkafka keeps the application's pause flag from one assignment to the next.
        out.push(Effect::Resume { part });
    }

    fn revoking(&mut self, parts: Vec<Part>, deadline: Time, out: &mut Vec<Effect>) {
        let mut draining = parts.clone();
        draining.retain(|&part| self.at(part).assigned.is_some());
        for &part in &draining {
            self.cut(part, out);
        }
        self.revokes.push(Revoke {
            parts,
            draining,
            deadline,
        });
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
        let assigned = self.at(part).assigned.as_mut();
        if assigned.is_some_and(|assigned| assigned.fetch(span)) {
            self.cut(part, out);
        }
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
        if closed {
            self.outstanding -= self.at(part).lane.close(run);
        }
        if let Some(assigned) = &mut self.at(part).assigned {
            assigned.settle(run, prefix);
        }
        if let Some(Broken { at, next, failure }) = broken
            && self.fail(part, run, at..next, failure, true)
        {
            self.cut(part, out);
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
        let halted = self.at(part).lane.has(run);
        if halted {
            self.end_round(part, Some(next));
        }
        // When a cut had ended its round already, later records may have started again since.
        if self.fail(part, run, at..next, failure, false) && !halted {
            self.cut(part, out);
        }
    }

    /// A failed attempt of `unit`, unless it belongs to `run` no more. Everything behind it in
    /// the partition is handled after it once more, from memory.
    fn fail(
        &mut self,
        part: Part,
        run: RunId,
        unit: Range<i64>,
        failure: Failure,
        alone: bool,
    ) -> bool {
        let now = self.now;
        let Partition {
            policy,
            assigned: Some(assigned),
            ..
        } = self.at(part)
        else {
            return false;
        };
        let Some(i) = assigned.carve(run, unit.start, unit.end) else {
            return false;
        };
        assigned.pieces[i].past.alone |= alone;
        assigned.pieces[i].fail(failure, policy, part, now);
        assigned.replay(i + 1);
        true
    }

    fn disposed(&mut self, part: Part, run: RunId, outcome: Disposal, out: &mut Vec<Effect>) {
        let now = self.now;
        let Partition {
            policy,
            assigned: Some(assigned),
            ..
        } = self.at(part)
        else {
            return;
        };
        let Some(piece) = assigned.disposing(run) else {
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

    fn end_round(&mut self, part: Part, at: Option<i64>) {
        let next_run = self.next_run;
        let partition = self.at(part);
        let forgotten = partition.lane.end(at, next_run);
        if let (Some(assigned), Some(at)) = (&mut partition.assigned, at) {
            assigned.unstart(at);
        }
        self.outstanding -= forgotten;
    }

    /// Forgets the records, never the lane.
    pub(crate) fn forget(&mut self, part: Part, out: &mut Vec<Effect>) {
        self.at(part).assigned = None;
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
