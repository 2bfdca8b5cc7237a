//! One step: an event in, effects out.

use std::collections::VecDeque;
use std::ops::Range;

use crate::assigned::Assigned;
use crate::event::{Effect, Event, PartIndex, RunId, Time};
use crate::keyed::Keyed;
use crate::lane::Lane;
use crate::policy::{Limits, Order, Policy};
use crate::tasks::Tasks;

/// The delivery state machine of one consumer. The [crate](crate) explains the model.
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
    /// The partition that starts first once `outstanding` and `room` allow a start again.
    pub(crate) turn: Option<usize>,
}

/// A handler of one engine, given out by [`Engine::handler`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HandlerId(pub(crate) u32);

#[derive(Clone, Debug)]
pub(crate) struct Handler {
    pub(crate) policy: Policy,
    /// By key: tasks that have not ended and dead letters being written, over all partitions.
    pub(crate) busy: u32,
    /// By key: partitions that are ready to start something, in the order of their turns.
    pub(crate) ready: VecDeque<PartIndex>,
}

#[derive(Clone, Debug)]
pub(crate) struct Partition {
    pub(crate) handler: HandlerId,
    pub(crate) lane: Lane,
    pub(crate) tasks: Tasks,
    pub(crate) assigned: Option<Assigned>,
}

impl Partition {
    /// Its records while it is ours, if they are kept by key, with the tasks that lock them.
    pub(crate) fn keyed(&mut self) -> Option<(&mut Keyed, &Tasks)> {
        let keyed = self.assigned.as_mut().and_then(Assigned::keyed)?;
        Some((keyed, &self.tasks))
    }
}

/// A revoke or a loss that is not answered yet.
#[derive(Clone, Debug)]
pub(crate) struct Revoke {
    pub(crate) parts: Vec<PartIndex>,
    /// Those of `parts` that are still assigned, by the assignment of that time.
    pub(crate) draining: Vec<PartIndex>,
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
            ready: VecDeque::new(),
        });
        HandlerId(id)
    }

    /// Makes a (topic, partition) of a handler known. It is not assigned by that.
    ///
    /// # Panics
    ///
    /// When there are more than `u32::MAX` of them.
    pub fn add(&mut self, handler: HandlerId) -> PartIndex {
        let part = PartIndex(u32::try_from(self.partitions.len()).expect("below 2^32 partitions"));
        self.partitions.push(Partition {
            handler,
            lane: Lane::new(),
            tasks: Tasks::default(),
            assigned: None,
        });
        part
    }

    /// Takes in one event and appends the effects that follow, in the order in which the caller has
    /// to apply them. `now` counts from the same origin as every deadline.
    ///
    /// # Panics
    ///
    /// When the event names a partition of another engine.
    pub fn step(&mut self, now: Time, event: Event, out: &mut Vec<Effect>) {
        self.now = self.now.max(now);
        let touched = self.touched(&event);
        // The order of the phases is a requirement: a store has to come before the release after
        // which it would be refused, and a start after both.
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
            | Event::Read { part, .. }
            | Event::ReadTo { part, .. }
            | Event::Handled { part, .. }
            | Event::Pause { part, .. }
            | Event::Seek { part, .. }
            | Event::Restart { part }
            | Event::Settled { part, .. }
            | Event::Failed { part, .. }
            | Event::DeadLetterDone { part, .. }
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
            Event::ReadTo { part, offset } => self.read_to(part, offset),
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
            Event::DeadLetterDone { part, run, outcome } => {
                self.dead_letter_done(part, run, outcome, out);
            }
            Event::Ended { part, cut, at } => {
                // A failure may have halted the lane before it saw the cut: then this number is
                // gone, and the records behind it may be running again.
                if self.at(part).lane.cut() == cut {
                    self.halted(part, at);
                }
            }
            Event::Pause { part, pause } => self.pause(part, pause, out),
            Event::Seek { part, position } => self.seek(part, position, out),
            Event::Restart { part } => self.restart(part),
            Event::Room(room) => self.room = room,
            // The phases find everything that is due.
            Event::Tick => {}
            Event::Shutdown => {
                self.shutting_down = true;
                for part in among(0..self.partitions.len()) {
                    self.cut_lane(part, out);
                }
            }
        }
    }

    pub(crate) fn policy(&self, part: PartIndex) -> &Policy {
        let handler = self.partitions[index(part)].handler;
        &self.handlers[handler.0 as usize].policy
    }

    pub(crate) fn is_keyed(&self, part: PartIndex) -> bool {
        matches!(self.policy(part).order, Order::Key { .. })
    }

    pub(crate) fn with_policy(&mut self, part: PartIndex) -> (&Policy, &mut Partition) {
        let partition = &mut self.partitions[index(part)];
        let handler = &self.handlers[partition.handler.0 as usize];
        (&handler.policy, partition)
    }

    pub(crate) fn handler_of(&mut self, part: PartIndex) -> &mut Handler {
        let handler = self.partitions[index(part)].handler;
        &mut self.handlers[handler.0 as usize]
    }

    pub(crate) fn at(&mut self, part: PartIndex) -> &mut Partition {
        &mut self.partitions[index(part)]
    }
}

pub(crate) fn index(part: PartIndex) -> usize {
    usize::try_from(part.0).expect("targets of 32 bits and more")
}

pub(crate) fn among(indices: Range<usize>) -> impl Iterator<Item = PartIndex> {
    indices.map(|i| PartIndex(u32::try_from(i).expect("`add` counts them in 32 bits")))
}
