//! The owner of a group's consumer: one turn takes what has come, steps the engine, and does what
//! it says.
//!
//! A turn is a plain function over a [`Transport`]: `thread.rs` calls it from a thread of its own
//! that sleeps in one place, tests from a task under a paused clock.

use crate::handler::Handler;
use crate::health::{GroupHealth, StoppedPartition, WaitingRecord};
use crate::held::{Partition, Started};
use crate::lane::{Burial, Job, Lane, OrderLock, ToLane};
use crate::mailbox::{Mail, Mailbox};
use crate::rebalance::Rebalance;
use crate::transport::{ClientError, ErrorKind, Notice, Place, Transport};
use fastkafka_core::{AppCore, Closed, DeliveryScope, FailureKind, Fetched, RunTag};
use fastkafka_engine::{self as engine, Effect, Engine, Event, HoldBack, Part, RunId, Span, Time};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many records one turn asks for.
const FETCH: usize = 1_024;
/// How long a full partition may hold back the shared queue before it is paused for the others' sake.
const STARVED: Duration = Duration::from_millis(100);
/// How often settled prefixes of runs that go on are stored, and health is worked out.
const PROGRESS: Duration = Duration::from_millis(200);
/// How often a standstill is repeated in the log.
const REMIND: Duration = Duration::from_secs(60);

/// What an owner is told, and what it tells.
#[derive(Debug)]
pub(crate) struct Shared {
    shutdown: AtomicBool,
    health: Mutex<GroupHealth>,
    started: tokio::sync::watch::Sender<bool>,
    /// Why the app must end.
    failure: Mutex<Option<String>>,
    failed: tokio::sync::Notify,
    pub(crate) mailbox: Mailbox,
}

impl Shared {
    pub(crate) fn new(group: &str, mailbox: Mailbox) -> Self {
        Self {
            shutdown: AtomicBool::new(false),
            health: Mutex::new(GroupHealth::new(group)),
            started: tokio::sync::watch::Sender::new(false),
            failure: Mutex::default(),
            failed: tokio::sync::Notify::new(),
            mailbox,
        }
    }

    /// Asks the owner to drain and end.
    pub(crate) fn shut_down(&self) {
        self.shutdown.store(true, Release);
        self.mailbox.wake();
    }

    pub(crate) fn health(&self) -> GroupHealth {
        self.health
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Ends when the first assignment is read from offsets that are committed.
    pub(crate) async fn started(&self) {
        // The sender is in `self`: it cannot be gone.
        let _ = self.started.subscribe().wait_for(|started| *started).await;
    }

    pub(crate) fn is_started(&self) -> bool {
        *self.started.borrow()
    }

    /// Ends when the app must end, with the reason.
    pub(crate) async fn failed(&self) -> String {
        loop {
            let notified = self.failed.notified();
            if let Some(reason) = self.failure() {
                return reason;
            }
            notified.await;
        }
    }

    pub(crate) fn failure(&self) -> Option<String> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn fail(&self, reason: String) {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(reason);
        self.failed.notify_waiters();
    }
}

/// What the owner is given beside its client.
pub(crate) struct Setup {
    pub(crate) app: Arc<AppCore>,
    pub(crate) handlers: Vec<Arc<Handler>>,
    pub(crate) limits: engine::Limits,
    pub(crate) rebalance_timeout: Duration,
    /// The longest time between two turns: each counts as a sign of life. [L3]
    pub(crate) keep_alive: Duration,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) tokio: tokio::runtime::Handle,
    pub(crate) locks: OrderLocks,
    /// True while the producers have room; an error when one cannot go on.
    pub(crate) outputs: Box<dyn Fn() -> Result<bool, String> + Send>,
    pub(crate) shared: Arc<Shared>,
}

/// The order units of a group, process-wide: one lock per partition.
#[derive(Clone, Debug, Default)]
pub(crate) struct OrderLocks(Arc<Mutex<HashMap<usize, OrderLock>>>);

impl OrderLocks {
    fn of(&self, place: Place) -> OrderLock {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        locks
            .entry(std::ptr::from_ref(place).addr())
            .or_default()
            .clone()
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
pub(crate) struct Owner<T> {
    pub(crate) transport: T,
    pub(crate) setup: Setup,
    pub(crate) engine: Engine,
    pub(crate) parts: Vec<Partition>,
    pub(crate) rebalance: Rebalance,
    index: HashMap<usize, Part>,
    effects: Vec<Effect>,
    mail: Vec<Mail>,
    notices: Vec<Notice>,
    runs: Vec<(Place, Arc<dyn Fetched>)>,
    pub(crate) now: Time,
    gated: Option<Time>,
    room: bool,
    progressed: Time,
    reminded: BTreeMap<(Part, i64), Time>,
    /// Partitions whose log ends before the position.
    pub(crate) truncated: BTreeMap<Part, i64>,
    trouble: Trouble,
}

/// Since when the client has complained, and the last thing it said.
#[derive(Debug, Default)]
struct Trouble {
    unreachable: Option<Time>,
    refused: Option<String>,
    last_error: Option<String>,
    commits: Option<(Time, String)>,
}

impl<T: Transport> Owner<T> {
    pub(crate) fn new(transport: T, setup: Setup) -> Self {
        Self {
            transport,
            engine: Engine::new(setup.limits),
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
            reminded: BTreeMap::new(),
            truncated: BTreeMap::new(),
            trouble: Trouble::default(),
        }
    }

    /// One turn at `now`, the time since an origin of the caller's.
    pub(crate) fn turn(&mut self, now: Time) -> Turn {
        self.now = now;
        // First: a step at `now` for another partition would leave the date behind unseen.
        self.tick();
        self.read_mail();
        self.poll();
        if self.setup.shared.shutdown.load(Acquire) {
            self.leave();
        }
        self.rebalance_step();
        let more = self.fetch();
        self.look_around();
        self.store();
        if let Some(result) = self.close_step() {
            return Turn::Over(result);
        }
        if more {
            Turn::Again
        } else {
            Turn::Park(self.sleep())
        }
    }

    /// The partition's number; known from its first assignment on.
    pub(crate) fn part(&mut self, place: Place) -> Part {
        let key = std::ptr::from_ref(place).addr();
        if let Some(part) = self.index.get(&key) {
            return *part;
        }
        let handler = self
            .setup
            .handlers
            .iter()
            .find(|handler| handler.def.topic == place.topic);
        let handler = handler
            .expect("only subscribed topics are assigned")
            .clone();
        let part = self.engine.add(handler.policy.clone());
        self.parts.push(Partition::new(place, handler));
        self.index.insert(key, part);
        part
    }

    fn at(&mut self, part: Part) -> &mut Partition {
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
            let event = match mail {
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
                    partition.started.retain(|started| started.run <= run);
                    Event::Failed {
                        part,
                        run,
                        at,
                        next,
                        failure: kind(failure.kind()),
                    }
                }
                Mail::Disposed { part, run, outcome } => Event::Disposed { part, run, outcome },
                Mail::Ended { part, round, at } => {
                    if let Some(at) = at {
                        self.at(part)
                            .started
                            .retain(|started| started.offset(0) < at);
                    }
                    Event::Ended { part, round, at }
                }
            };
            self.step(event);
        }
        self.mail = mail;
    }

    fn closed(&mut self, tag: RunTag, end: Closed) -> Event {
        let (part, run) = (Part(tag.part), RunId(tag.run));
        let partition = self.at(part);
        let Some(i) = partition
            .started
            .iter()
            .position(|started| started.run == run)
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

    fn poll(&mut self) {
        let mut notices = std::mem::take(&mut self.notices);
        self.transport.poll(&mut notices);
        for notice in notices.drain(..) {
            match notice {
                Notice::Assign(_) | Notice::Revoke { .. } | Notice::Resolved(_) => {
                    self.rebalance.hear(notice);
                }
                Notice::OutOfRange {
                    place,
                    position,
                    low,
                    high,
                } => self.out_of_range(place, position, low, high),
                Notice::Committed(Ok(())) => {
                    self.trouble.commits = None;
                    // What was refused has been put right: we are a member and may commit.
                    self.trouble.refused = None;
                }
                Notice::Committed(Err(why)) => {
                    let since = self
                        .trouble
                        .commits
                        .take()
                        .map_or(self.now, |(since, _)| since);
                    tracing::warn!(group = self.group(), "commit refused: {why}");
                    self.trouble.commits = Some((since, why));
                }
                Notice::Connected => self.trouble.unreachable = None,
                Notice::Error(error) => {
                    self.trouble.last_error = Some(error.message.clone());
                    self.client_error(error);
                }
            }
        }
        self.notices = notices;
    }

    fn client_error(&mut self, error: ClientError) {
        let group = self.group();
        match error.kind {
            ErrorKind::Unreachable => {
                tracing::warn!(group, "{error}");
                self.trouble.unreachable.get_or_insert(self.now);
            }
            ErrorKind::Refused => {
                tracing::error!(group, "{error}");
                // Before the start nothing is at stake yet: give up at once instead of trying on.
                if !self.setup.shared.is_started() {
                    let reason = format!("group `{group}`: {error}");
                    self.setup.shared.fail(reason);
                }
                self.trouble.refused = Some(error.message);
            }
            ErrorKind::Fatal => {
                let reason = format!("the consumer of group `{group}` cannot go on: {error}");
                self.setup.shared.fail(reason);
            }
            ErrorKind::Other => tracing::warn!(group, "{error}"),
        }
    }

    pub(crate) fn group(&self) -> &str {
        self.setup
            .handlers
            .first()
            .map_or("", |handler| &handler.group)
    }

    fn out_of_range(&mut self, place: Place, position: i64, low: i64, high: i64) {
        if position < low {
            tracing::error!(
                %place,
                lost = low - position,
                "records {position}..{low} are gone from the log before they were read (retention): going on at {low}"
            );
            if let Err(error) = self.transport.seek(place, low) {
                tracing::error!(%place, "cannot move to {low}: {error}");
            }
        } else {
            let what = format!(
                "position {position} is past the end of the log ({high}): the topic was truncated or made anew; \
                 reset the group's offset to go on"
            );
            tracing::error!(%place, "{what}; the partition stops");
            let part = self.part(place);
            self.at(part).errors.insert(position, what);
            self.truncated.insert(part, position);
            self.pause(part, true);
        }
    }

    /// True when there may be more to read at once.
    fn fetch(&mut self) -> bool {
        if self.held_back() {
            return false;
        }
        let mut runs = std::mem::take(&mut self.runs);
        let more = self.transport.fetch(FETCH, &mut runs);
        for (place, fetched) in runs.drain(..) {
            let part = self.part(place);
            let most = self.at(part).handler.max_records;
            for first in (0..fetched.len()).step_by(most) {
                // Revoked or stopped: dropped unseen.
                if self.engine.accepts(part) {
                    self.take_in(part, &fetched, first..fetched.len().min(first + most));
                }
            }
        }
        self.runs = runs;
        more
    }

    fn take_in(&mut self, part: Part, fetched: &Arc<dyn Fetched>, range: std::ops::Range<usize>) {
        let span = Span {
            first: fetched.offset(range.start),
            next: fetched.offset(range.end - 1) + 1,
            records: u32::try_from(range.len()).expect("a run has fewer than 2^32 records"),
            bytes: fetched.bytes(range.clone()),
        };
        self.at(part).keep(span, fetched, range);
        self.step(Event::Fetched { part, span });
    }

    /// Back-pressure is not to read: it costs nothing, where a pause throws away what was prefetched.
    /// A full partition is paused only when that lasts, another one has nothing to do, and it is
    /// its handlers that are slow: when it waits for reports, a pause would help nobody.
    fn held_back(&mut self) -> bool {
        let full = |p: &Partition| p.hold == Some(HoldBack::Full) && !p.paused;
        if !self.parts.iter().any(full) {
            self.gated = None;
            return false;
        }
        let since = *self.gated.get_or_insert(self.now);
        let parts = (0..).map(Part).take(self.parts.len());
        if self.now.saturating_sub(since) < STARVED
            || !parts.clone().any(|part| self.engine.starves(part))
        {
            return true;
        }
        for part in parts {
            let p = &self.parts[part.0 as usize];
            if full(p)
                && p.lane
                    .as_ref()
                    .is_some_and(crate::lane::LaneHandle::is_handling)
            {
                self.pause(part, true);
            }
        }
        self.parts.iter().any(full)
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

    fn look_around(&mut self) {
        let room = (self.setup.outputs)().unwrap_or_else(|reason| {
            self.setup.shared.fail(reason);
            false
        });
        if room != self.room {
            self.room = room;
            self.step(Event::Room(room));
        }
        if self.now.saturating_sub(self.progressed) >= PROGRESS {
            self.progressed = self.now;
            self.progress();
            self.report();
            if !self.rebalance.is_closing() {
                self.mourn();
            }
        }
    }

    /// A panic ends no lane, unless it happens where it cannot be caught.
    fn mourn(&self) {
        let dead = |p: &&Partition| {
            p.lane
                .as_ref()
                .is_some_and(crate::lane::LaneHandle::is_over)
        };
        if let Some(p) = self.parts.iter().find(dead) {
            self.setup.shared.fail(format!(
                "the lane of {} died: `{}` panicked where it cannot be caught, such as in a drop",
                p.place, p.handler.def.name
            ));
        }
    }

    /// Settled prefixes of runs that go on, and records that will not settle: the rest of their run
    /// may wait for something that comes only after them.
    fn progress(&mut self) {
        for part in (0..).map(Part).take(self.parts.len()) {
            let mut i = 0;
            // A step may end with the release of the partition.
            while let Some(started) = self.at(part).started.get(i) {
                let settled = started.scope.progress(started.settled);
                let lost = started
                    .scope
                    .lost()
                    .filter(|(index, ..)| started.is_news(*index));
                if settled > started.settled || lost.is_some() {
                    let (run, prefix) = (started.run, started.offset(settled));
                    let told = lost.as_ref().map(|(index, ..)| *index);
                    let lost = lost.map(|(index, kind, why)| {
                        (started.offset(index), started.offset(index + 1), kind, why)
                    });
                    let partition = self.at(part);
                    partition.started[i].settled = settled;
                    partition.started[i].broken = told.or(partition.started[i].broken);
                    let broken =
                        lost.map(|(at, next, kind, why)| partition.broken(at, next, kind, &why));
                    self.step(Event::Settled {
                        part,
                        run,
                        prefix,
                        broken,
                        closed: false,
                    });
                }
                i += 1;
            }
        }
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Start {
                part,
                round,
                run,
                span,
                attempt,
                single,
            } => self.start(part, round, run, span, attempt, single),
            Effect::Cut { part, round } => {
                let partition = self.at(part);
                partition.halt(round).stop();
                if let Some(lane) = &partition.lane {
                    lane.send(ToLane::Fence { round });
                }
            }
            Effect::DeadLetter {
                part,
                run,
                at,
                attempts,
            } => self.bury(part, run, at, attempts),
            Effect::Skipped { part, at } => {
                let p = self.at(part);
                let error = p.errors.get(&at).map_or("", String::as_str);
                tracing::error!(handler = p.handler.def.name, place = %p.place, offset = at, "record skipped: {error}");
            }
            Effect::Stopped { .. } => self.report(),
            Effect::Exit { part, at } => {
                let p = self.at(part);
                let error = p.errors.get(&at).map_or("", String::as_str);
                let reason = format!(
                    "`{}` could not handle {} at offset {at}: {error}",
                    p.handler.def.name, p.place
                );
                self.setup.shared.fail(reason);
            }
            Effect::HoldBack { part, why } => {
                self.at(part).hold = Some(why);
                // Nobody knows how long: it must not block the others.
                if why == HoldBack::Waiting {
                    self.pause(part, true);
                }
            }
            Effect::Resume { part } => {
                self.at(part).hold = None;
                if !self.truncated.contains_key(&part) {
                    self.pause(part, false);
                }
            }
            Effect::Store { part, offset } => {
                let partition = self.at(part);
                partition.store = Some(offset);
                partition.free_below(offset);
            }
            Effect::Release { parts } => self.release(&parts),
        }
    }

    fn start(
        &mut self,
        part: Part,
        round: u32,
        run: RunId,
        span: Span,
        attempt: u32,
        single: bool,
    ) {
        let mailbox = self.setup.shared.clone();
        let partition = &mut self.parts[part.0 as usize];
        let (fetched, range) = partition
            .find(span.first, span.next)
            .expect("the engine starts what was kept");
        let halt = partition.halt(round);
        let tag = RunTag {
            part: part.0,
            run: run.0,
        };
        let scope = DeliveryScope::of_run(range.len(), mailbox, tag, halt.clone());
        partition.started.push_back(Started {
            run,
            fetched: fetched.clone(),
            range: range.clone(),
            next: span.next,
            scope: scope.clone(),
            halt: halt.clone(),
            settled: 0,
            broken: None,
        });
        let job = Job {
            round,
            halt,
            run,
            fetched,
            range,
            next: span.next,
            scope,
            attempt,
            single,
        };
        self.lane(part).send(ToLane::Handle(job));
    }

    fn lane(&mut self, part: Part) -> &crate::lane::LaneHandle {
        let (setup, partition) = (&self.setup, &mut self.parts[part.0 as usize]);
        partition.lane.get_or_insert_with(|| {
            let lane = Lane {
                app: setup.app.clone(),
                part,
                place: partition.place,
                handler: partition.handler.clone(),
                shared: setup.shared.clone(),
                lock: setup.locks.of(partition.place),
            };
            lane.spawn(&setup.tokio)
        })
    }

    fn bury(&mut self, part: Part, run: RunId, at: i64, attempts: u32) {
        let partition = self.at(part);
        let (fetched, range) = partition
            .find(at, at + 1)
            .expect("the engine buries what was kept");
        let error = partition.errors.get(&at).cloned().unwrap_or_default();
        let burial = Burial {
            run,
            fetched,
            index: range.start,
            attempts,
            error,
        };
        self.lane(part).send(ToLane::Bury(burial));
    }

    pub(crate) fn pause(&mut self, part: Part, pause: bool) {
        let partition = &mut self.parts[part.0 as usize];
        if partition.paused == pause {
            return;
        }
        partition.paused = pause;
        tracing::debug!(place = %partition.place, pause, "reading");
        if let Err(error) = self.transport.pause(partition.place, pause) {
            tracing::error!(place = %partition.place, "cannot pause or resume: {error}");
        }
    }

    /// Hands all new watermarks to the client.
    pub(crate) fn store(&mut self) {
        let offsets: Vec<_> = self
            .parts
            .iter_mut()
            .filter_map(|p| p.store.take().map(|offset| (p.place, offset)))
            .collect();
        if offsets.is_empty() {
            return;
        }
        for (place, why) in self.transport.store(&offsets) {
            // It was revoked under our hands; its next owner starts from what was committed.
            tracing::warn!(%place, "offset not stored: {why}");
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

    /// Works out what health says, and repeats in the log what stands still.
    pub(crate) fn report(&mut self) {
        let place = |part: Part| self.parts[part.0 as usize].place;
        let error = |part: Part, at: i64| {
            self.parts[part.0 as usize]
                .errors
                .get(&at)
                .cloned()
                .unwrap_or_default()
        };
        let since = |time: Time| self.now.saturating_sub(time);
        let truncated = self.truncated.iter().map(|(part, at)| (*part, *at, 0));
        let stops: Vec<_> = self
            .engine
            .stopped()
            .map(|stopped| (stopped.part, stopped.at, stopped.attempts))
            .chain(truncated)
            .collect();
        let stopped = stops.iter().map(|&(part, at, attempts)| StoppedPartition {
            topic: place(part).topic.clone(),
            partition: place(part).partition,
            offset: at,
            handler: self.parts[part.0 as usize].handler.def.name,
            attempts,
            error: error(part, at),
        });
        let waiting = self.engine.waiting().map(|waiting| WaitingRecord {
            topic: place(waiting.part).topic.clone(),
            partition: place(waiting.part).partition,
            offset: waiting.at,
            handler: self.parts[waiting.part.0 as usize].handler.def.name,
            wait: waiting.wait.into(),
            since: since(waiting.since),
            error: error(waiting.part, waiting.at),
        });
        let health = GroupHealth {
            group: self.group().to_owned(),
            assigned: self
                .rebalance
                .assigned
                .iter()
                .map(|place| (place.topic.clone(), place.partition))
                .collect(),
            stopped: stopped.collect(),
            waiting: waiting.collect(),
            span_reached: self
                .engine
                .span_reached()
                .map(|part| (place(part).topic.clone(), place(part).partition))
                .collect(),
            unreachable_for: self.trouble.unreachable.map(since),
            refused: self.trouble.refused.clone(),
            last_error: self.trouble.last_error.clone(),
            commits_refused: self
                .trouble
                .commits
                .as_ref()
                .map(|(time, why)| (since(*time), why.clone())),
        };
        self.reminded
            .retain(|key, _| stops.iter().any(|(part, at, _)| (*part, *at) == *key));
        for ((part, at, _), stopped) in stops.into_iter().zip(&health.stopped) {
            let key = (part, at);
            if self
                .reminded
                .get(&key)
                .is_none_or(|last| since(*last) >= REMIND)
            {
                self.reminded.insert(key, self.now);
                tracing::error!("{stopped}");
            }
        }
        *self
            .setup
            .shared
            .health
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = health;
    }

    pub(crate) fn forget_refused_commits(&mut self) {
        self.trouble.commits = None;
    }

    /// Why what is settled may not be committed.
    pub(crate) fn refused_commit(&self) -> Option<String> {
        self.trouble
            .commits
            .as_ref()
            .map(|(_, why)| format!("the last offsets could not be committed: {why}"))
    }

    pub(crate) fn mark_started(&self) {
        self.setup.shared.started.send_replace(true);
    }
}

pub(crate) fn kind(kind: FailureKind) -> engine::Failure {
    match kind {
        FailureKind::Retry { after } => engine::Failure::Retry { after },
        FailureKind::Rejected => engine::Failure::Rejected,
        FailureKind::Transient { after } => engine::Failure::Transient { after },
    }
}

impl fastkafka_core::Settle for Shared {
    fn closed(&self, tag: RunTag, end: Closed) {
        self.mailbox.closed(tag, end);
    }
}
