//! Driving a group's consumer: one turn takes what has come, steps the engine, and does what the
//! engine says.
//!
//! A turn is a plain function over a [`GroupConsumer`]. `serve.rs` calls it from a thread that sleeps in
//! one place, or from a task; tests call it under a paused clock. Each file here is a part of the turn, or a
//! type that it works on. The decisions of a turn are in `state/`.
//!
//! Records have three names on their way. A *block* ([`Fetched`]) is what the client gives at once of
//! one partition. A *run* is consecutive records of one block, under a number of the engine's; the span
//! of a run is its offsets. A *job* is a run as a lane or a task is given it.

mod calls;
mod closing;
mod control;
mod effects;
mod errors;
mod figures;
mod group;
mod kept_runs;
mod mail;
mod notices;
mod other_log;
mod partition;
mod partitions;
#[cfg(feature = "proof")]
pub(crate) mod proof;
mod reading;
mod report;
mod seen;
pub(crate) mod serve;
pub(crate) mod setup;
mod stalled;
mod started;
mod state;

use self::partition::OwnedPartition;
use self::partitions::Partitions;
use self::setup::Setup;
use self::state::backpressure::Backpressure;
use self::state::failed_calls::FailedCalls;
use self::state::problems::Problems;
use self::state::rebalance::Rebalance;
use self::state::seeks::Seeks;
use self::state::stalls::Stalls;
use self::state::unfinished::Unfinished;
use self::state::upkeep::Upkeep;
use crate::control::command::Reply;
use crate::mail::Mail;
use crate::measures::{GroupMeters, Meters};
use crate::transport::{GroupConsumer, Notice, PartitionRef};
use fastkafka_core::Fetched;
use fastkafka_engine::{Effect, Engine, Event, HandlerId, PartIndex, Time};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// The caller's next step after a turn.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Another one at once.
    Again,
    /// Another one when woken, at the latest after this.
    Park(Duration),
    /// The consumer is closed, or could not be within the deadline: [`Driver::is_closed`].
    Over(Result<(), String>),
}

/// Drives one consumer.
pub(crate) struct Driver<T> {
    consumer: T,
    pub(crate) setup: Setup,
    engine: Engine,
    /// The engine's number of each of the setup's handlers.
    handlers: Vec<HandlerId>,
    pub(crate) partitions: Partitions,
    rebalance: Rebalance,
    seeks: Seeks<Reply>,
    problems: Problems,
    /// The client's last error, which may be over.
    last_error: Option<String>,
    /// Why offsets were not committed since the consumer leaves its group.
    not_committed: BTreeMap<PartitionRef, String>,
    backpressure: Backpressure,
    failed_calls: FailedCalls,
    stalls: Stalls,
    upkeep: Upkeep,
    unfinished: Unfinished,
    /// The client is closed.
    is_closed: bool,
    /// The producers have room, as far as the engine knows.
    room: bool,
    now: Time,
    meters: GroupMeters,
    /// When the group asked what is not answered yet. Nothing where nobody asks: without a group, or for nothing.
    asked: VecDeque<Option<Time>>,
    /// When the partitions were last looked at.
    looked: Time,
    // Lists that are empty between two uses: they keep their memory.
    effects: Vec<Effect>,
    mail: Vec<Mail>,
    notices: Vec<Notice>,
    blocks: Vec<(PartitionRef, Arc<dyn Fetched>)>,
}

impl<T: GroupConsumer> Driver<T> {
    pub(crate) fn new(consumer: T, setup: Setup) -> Self {
        let mut engine = Engine::new(setup.limits);
        let meters = GroupMeters::new(setup.cluster(), setup.group());
        Self {
            consumer,
            handlers: setup
                .handlers
                .iter()
                .map(|handler| engine.handler(handler.policy.clone()))
                .collect(),
            engine,
            setup,
            partitions: Partitions::default(),
            rebalance: Rebalance::default(),
            seeks: Seeks::default(),
            problems: Problems::default(),
            last_error: None,
            not_committed: BTreeMap::new(),
            backpressure: Backpressure::default(),
            failed_calls: FailedCalls::default(),
            stalls: Stalls::default(),
            upkeep: Upkeep::default(),
            unfinished: Unfinished::default(),
            is_closed: false,
            room: true,
            now: Time::ZERO,
            meters,
            asked: VecDeque::new(),
            looked: Time::ZERO,
            effects: Vec::new(),
            mail: Vec::new(),
            notices: Vec::new(),
            blocks: Vec::new(),
        }
    }

    /// One turn at `now`, the time since an origin of the caller's.
    pub(crate) fn turn(&mut self, now: Time) -> Turn {
        self.now = now;
        // First: a step at `now` for another partition would leave the date behind unseen.
        self.tick();
        self.read_mail();
        self.poll();
        self.go_on();
        if self.setup.shared.is_leaving() {
            self.leave();
        }
        self.answer_group();
        self.handle_commands();
        self.repeat_calls();
        let more = self.fetch();
        self.update_health();
        self.store();
        if let Some(result) = self.close_consumer() {
            self.drop_commands();
            return Turn::Over(result);
        }
        if more {
            Turn::Again
        } else {
            Turn::Park(self.sleep())
        }
    }

    /// The client is closed, whatever else did not end in time.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    fn tick(&mut self) {
        let due = self.engine.next_deadline();
        if due.is_some_and(|due| due <= self.now) {
            self.note_given_up();
            self.step(Event::Tick);
        }
    }

    fn step(&mut self, event: Event) {
        let mut effects = std::mem::take(&mut self.effects);
        self.engine.step(self.now, event, &mut effects);
        for effect in effects.drain(..) {
            self.apply(effect);
        }
        self.effects = effects;
    }

    /// The partition's number; known from its first assignment on.
    pub(crate) fn part(&mut self, place: PartitionRef) -> PartIndex {
        if let Some(part) = self.partitions.find(place) {
            return part;
        }
        let mut handlers = self.handlers.iter().zip(&self.setup.handlers);
        let (id, handler) = handlers
            .find(|(_, handler)| handler.def.takes(&place.topic))
            .expect("only subscribed topics are assigned");
        let part = self.engine.add(*id);
        let meters = Arc::new(Meters::new(handler.def.name, &place.topic));
        let keyed = self.setup.keyed(part, place, handler, &meters);
        let partition = OwnedPartition::new(place, handler.clone(), keyed, meters);
        self.partitions.add(part, partition);
        part
    }

    fn parts(&mut self, places: &[PartitionRef]) -> Vec<PartIndex> {
        places.iter().map(|place| self.part(place)).collect()
    }

    /// The time for which nothing will happen by itself.
    fn sleep(&self) -> Duration {
        let due = self.engine.next_deadline();
        let working = self.partitions.iter().any(|p| !p.started.is_empty());
        let all = [
            due.map(|due| due.saturating_sub(self.now)),
            self.backpressure.due(self.now),
            working.then(|| self.upkeep.due(self.now)),
            self.rebalance.due(self.now),
            self.failed_calls.due(self.now),
            self.consumer.due(),
        ];
        let keep_alive = self.setup.keep_alive;
        all.into_iter().flatten().fold(keep_alive, Duration::min)
    }

    /// Ends at once, as a crash would: nothing is drained, stored or told. A handler on a thread of
    /// its own cannot be stopped and is waited for.
    pub(crate) async fn kill(&mut self) {
        self.end_handlers();
        while !self.partitions.iter().all(OwnedPartition::is_over) {
            tokio::task::yield_now().await;
        }
    }

    /// Records in hand no longer count, and async handlers end at their next await.
    fn end_handlers(&mut self) {
        for partition in self.partitions.iter_mut() {
            partition.forget();
            partition.abort();
        }
    }
}

impl<T> Driver<T> {
    /// Drops pending commands, so that their callers return: nobody will do what they ask.
    fn drop_commands(&mut self) {
        self.seeks.clear();
        self.setup.shared.close();
    }
}

/// After a panic, or when the app is killed.
impl<T> Drop for Driver<T> {
    fn drop(&mut self) {
        self.drop_commands();
        // A handler that went on would have nobody to tell what it has handled.
        self.partitions.iter().for_each(OwnedPartition::halt);
    }
}
