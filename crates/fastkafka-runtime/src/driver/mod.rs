//! The owner of a group's consumer: one turn takes what has come, steps the engine, and does what
//! it says.
//!
//! A turn is a plain function over a [`GroupConsumer`]: `thread.rs` calls it from a thread of its own
//! that sleeps in one place, tests from a task under a paused clock.

mod control;
mod effects;
mod notices;
mod partition;
mod reading;
mod rebalance;
mod report;
pub(crate) mod thread;

use self::control::Moving;
use self::notices::ClientErrors;
use crate::control::pauses::Pauses;
use crate::driver::partition::OwnedPartition;
use crate::driver::rebalance::Rebalance;
use crate::handling::call::HandlerContext;
use crate::handling::handler::Handler;
use crate::handling::keyed::Keyed;
use crate::handling::locks::OrderLocks;
use crate::mail::Mail;
use crate::shared::Shared;
use crate::transport::{GroupConsumer, Notice, PartitionRef};
use fastkafka_core::{AppContext, Closed, FailureKind, Fetched, RunTag};
use fastkafka_engine::{self as engine, Effect, Engine, Event, Order, PartIndex, RunId, Time};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// How long a full partition may hold back the shared queue before it is paused for the others' sake.
const STARVED: Duration = Duration::from_millis(100);
/// How often settled prefixes of runs that go on are stored, and health is worked out.
const PROGRESS: Duration = Duration::from_millis(200);

/// What the owner is given beside its client.
pub(crate) struct Setup {
    pub(crate) app: Arc<AppContext>,
    pub(crate) handlers: Vec<Arc<Handler>>,
    pub(crate) limits: engine::Limits,
    pub(crate) rebalance_timeout: Duration,
    /// The longest time between two turns: each counts as a sign of life. [L3]
    pub(crate) keep_alive: Duration,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) tokio: tokio::runtime::Handle,
    pub(crate) locks: OrderLocks,
    pub(crate) pauses: Arc<Pauses>,
    /// True while the producers have room; an error when one cannot go on.
    pub(crate) outputs: Box<dyn Fn() -> Result<bool, String> + Send>,
    pub(crate) shared: Arc<Shared>,
}

impl Setup {
    fn context(
        &self,
        part: PartIndex,
        place: PartitionRef,
        handler: &Arc<Handler>,
    ) -> HandlerContext {
        HandlerContext {
            app: self.app.clone(),
            part,
            place,
            handler: handler.clone(),
            shared: self.shared.clone(),
        }
    }

    /// What a partition has instead of a lane, where its handler's order asks for it.
    fn keyed(&self, part: PartIndex, place: PartitionRef, handler: &Arc<Handler>) -> Option<Keyed> {
        matches!(handler.policy.order, Order::Key { .. }).then(|| {
            let context = Arc::new(self.context(part, place, handler));
            Keyed::new(context, self.locks.clone(), self.tokio.clone())
        })
    }
}

/// What follows a turn.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Another one at once.
    Again,
    /// Another one when woken, at the latest after this.
    Park(Duration),
    /// The consumer is closed, or could not be within the deadline.
    Over(Result<(), String>),
}

/// See the module.
pub(crate) struct Driver<T> {
    pub(crate) consumer: T,
    pub(crate) setup: Setup,
    pub(crate) engine: Engine,
    /// What the engine calls each of the setup's handlers.
    handlers: Vec<engine::HandlerId>,
    pub(crate) parts: Vec<OwnedPartition>,
    pub(crate) rebalance: Rebalance,
    index: HashMap<usize, PartIndex>,
    effects: Vec<Effect>,
    mail: Vec<Mail>,
    notices: Vec<Notice>,
    runs: Vec<(PartitionRef, Arc<dyn Fetched>)>,
    pub(crate) now: Time,
    gated: Option<Time>,
    room: bool,
    progressed: Time,
    /// Health is to be worked out with this turn.
    health_dirty: bool,
    reminded: BTreeMap<(PartIndex, i64), Time>,
    /// Partitions whose log ends before the position.
    pub(crate) truncated: BTreeMap<PartIndex, i64>,
    client_errors: ClientErrors,
    moving: Vec<Moving>,
}

impl<T: GroupConsumer> Driver<T> {
    pub(crate) fn new(consumer: T, setup: Setup) -> Self {
        let mut engine = Engine::new(setup.limits);
        let handlers = setup.handlers.iter();
        let handlers = handlers.map(|handler| engine.handler(handler.policy.clone()));
        Self {
            consumer,
            handlers: handlers.collect(),
            engine,
            setup,
            parts: Vec::new(),
            rebalance: Rebalance::default(),
            index: HashMap::new(),
            effects: Vec::new(),
            mail: Vec::new(),
            notices: Vec::new(),
            runs: Vec::new(),
            now: Time::ZERO,
            gated: None,
            room: true,
            progressed: Time::ZERO,
            health_dirty: false,
            reminded: BTreeMap::new(),
            truncated: BTreeMap::new(),
            client_errors: ClientErrors::default(),
            moving: Vec::new(),
        }
    }

    /// One turn at `now`, the time since an origin of the caller's.
    pub(crate) fn turn(&mut self, now: Time) -> Turn {
        self.now = now;
        // First: a step at `now` for another partition would leave the date behind unseen.
        self.tick();
        self.read_mail();
        self.poll();
        if self.setup.shared.is_leaving() {
            self.leave();
        }
        self.rebalance_step();
        self.handle_commands();
        let more = self.fetch();
        self.update_health();
        self.store();
        if let Some(result) = self.close_step() {
            self.close();
            return Turn::Over(result);
        }
        if more {
            Turn::Again
        } else {
            Turn::Park(self.sleep())
        }
    }

    /// The partition's number; known from its first assignment on.
    pub(crate) fn part(&mut self, place: PartitionRef) -> PartIndex {
        let key = std::ptr::from_ref(place).addr();
        if let Some(part) = self.index.get(&key) {
            return *part;
        }
        let mut handlers = self.handlers.iter().zip(&self.setup.handlers);
        let (id, handler) = handlers
            .find(|(_, handler)| handler.def.takes(&place.topic))
            .expect("only subscribed topics are assigned");
        let (part, handler) = (self.engine.add(*id), handler.clone());
        let keyed = self.setup.keyed(part, place, &handler);
        self.parts.push(OwnedPartition::new(place, handler, keyed));
        self.index.insert(key, part);
        part
    }

    fn at(&mut self, part: PartIndex) -> &mut OwnedPartition {
        &mut self.parts[part.0 as usize]
    }

    pub(crate) fn step(&mut self, event: Event) {
        let mut effects = std::mem::take(&mut self.effects);
        self.engine.step(self.now, event, &mut effects);
        for effect in effects.drain(..) {
            self.apply(effect);
        }
        self.effects = effects;
    }

    fn read_mail(&mut self) {
        let mut mail = std::mem::take(&mut self.mail);
        self.setup.shared.mailbox.take(&mut mail);
        for mail in mail.drain(..) {
            let ended = match mail {
                Mail::Handled { part, run }
                | Mail::Failed { part, run, .. }
                | Mail::DeadLetterDone { part, run, .. } => Some((part, run)),
                _ => None,
            };
            let event = match mail {
                Mail::Command => continue,
                Mail::Closed { tag, end } => self.closed(tag, end),
                Mail::Failed {
                    part,
                    run,
                    at,
                    next,
                    failure,
                } => {
                    let partition = self.at(part);
                    partition.errors.insert(at, failure.message().to_owned());
                    // The lane forgets what it was given after this run.
                    if partition.keyed.is_none() {
                        partition.started.retain(|started| started.run <= run);
                    }
                    Event::Failed {
                        part,
                        run,
                        at,
                        next,
                        failure: kind(failure.kind()),
                    }
                }
                Mail::Handled { part, run } => Event::Handled { part, run },
                Mail::Panicked { part } => {
                    self.task_panicked(part);
                    continue;
                }
                Mail::DeadLetterDone { part, run, outcome } => {
                    Event::DeadLetterDone { part, run, outcome }
                }
                Mail::Ended { part, cut, at } => {
                    if let Some(at) = at {
                        self.at(part)
                            .started
                            .retain(|started| started.offset(0) < at);
                    }
                    Event::Ended { part, cut, at }
                }
            };
            self.step(event);
            // Behind the step: until then the engine knows the key by its number.
            if let Some((part, run)) = ended
                && let Some(keyed) = &mut self.at(part).keyed
            {
                keyed.ended(run);
            }
        }
        self.mail = mail;
    }

    fn closed(&mut self, tag: RunTag, end: Closed) -> Event {
        let (part, run) = (PartIndex(tag.part), RunId(tag.run));
        let partition = self.at(part);
        let Ok(i) = partition
            .started
            .binary_search_by_key(&run, |started| started.run)
        else {
            // Of an assignment that is gone: it only no longer counts as work under way.
            return Event::Settled {
                part,
                run,
                prefix: 0,
                broken: None,
                closed: true,
            };
        };
        let started = partition.started.remove(i).expect("just found");
        let prefix = started.offset(end.settled);
        let news = end.broken.filter(|_| started.is_news(end.settled));
        let broken = news.map(|failure| {
            let next = started.offset(end.settled + 1);
            partition.broken(prefix, next, failure.kind(), failure.message())
        });
        Event::Settled {
            part,
            run,
            prefix,
            broken,
            closed: true,
        }
    }

    pub(crate) fn cluster(&self) -> &str {
        let handler = self.setup.handlers.first();
        handler.map_or("", |handler| &handler.cluster)
    }

    /// For the log, where the app's own cluster goes without saying.
    pub(crate) fn named_cluster(&self) -> Option<&str> {
        Some(self.cluster()).filter(|name| !name.is_empty())
    }

    pub(crate) fn group(&self) -> &str {
        self.setup
            .handlers
            .first()
            .map_or("", |handler| &handler.group)
    }

    /// Ends at once, as a crash would: nothing is drained, stored or told. A handler on a thread of
    /// its own cannot be stopped and is waited for.
    pub(crate) async fn kill(&mut self) {
        for partition in &mut self.parts {
            partition.forget();
            partition.abort();
        }
        while !self.parts.iter().all(OwnedPartition::is_over) {
            tokio::task::yield_now().await;
        }
    }

    fn tick(&mut self) {
        if self
            .engine
            .next_deadline()
            .is_some_and(|due| due <= self.now)
        {
            self.step(Event::Tick);
        }
    }

    /// How long nothing will happen by itself.
    fn sleep(&self) -> Duration {
        let due = self
            .engine
            .next_deadline()
            .map(|due| due.saturating_sub(self.now));
        let working = self.parts.iter().any(|p| !p.started.is_empty());
        let gate = self.gated.map(|since| {
            (since + STARVED)
                .saturating_sub(self.now)
                .max(Duration::from_millis(5))
        });
        let progress = working.then(|| (self.progressed + PROGRESS).saturating_sub(self.now));
        let all = [
            due,
            gate,
            progress,
            self.rebalance.due(self.now),
            Some(self.setup.keep_alive),
        ];
        all.into_iter()
            .flatten()
            .min()
            .expect("one of them is there")
    }
}

impl<T> Driver<T> {
    /// Whoever asked for something is not kept waiting: nobody will do it any more.
    fn close(&mut self) {
        self.moving.clear();
        self.setup.shared.close();
    }
}

/// After a panic, or when the app is killed.
impl<T> Drop for Driver<T> {
    fn drop(&mut self) {
        self.close();
    }
}

pub(crate) fn kind(kind: FailureKind) -> engine::Failure {
    match kind {
        FailureKind::Retry { after } => engine::Failure::Retry { after },
        FailureKind::Rejected => engine::Failure::Rejected,
        FailureKind::Transient { after } => engine::Failure::Transient { after },
    }
}
