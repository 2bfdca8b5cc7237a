//! A driver whose turns the search of `proof` takes: what it is given, and what its state is.

use super::setup::Setup;
use super::{Driver, Turn};
use crate::control::command::{Command, Position, Seek};
use crate::control::error::ControlError;
use crate::control::pauses::Pauses;
use crate::control::target::Target;
use crate::handling::handler::Handler;
use crate::handling::locks::OrderLocks;
use crate::health::{GroupHealth, Health};
use crate::mailbox::Mailbox;
use crate::shared::Shared;
use crate::transport::GroupConsumer;
use fastkafka_core::{
    AppContext, AppInfo, AppSpec, DefaultApp, Group, Plan, Register, Registry, States,
};
use fastkafka_engine::{Limits, RunId, Time};
use std::fmt::{self, Write};
use std::hash::Hasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// What all drivers of a search have in common: worked out once.
#[derive(Debug)]
pub struct Kit {
    registry: Registry,
    group: Group,
    /// The engine's bounds.
    pub limits: Limits,
    /// How long a revoke may drain.
    pub rebalance_timeout: Duration,
    /// How long a shutdown may take.
    pub shutdown_timeout: Duration,
}

impl Kit {
    /// An app of one handler. `states` has what it takes.
    ///
    /// # Panics
    /// If its settings are not sound.
    pub fn new<C: Register>(states: &States) -> Self {
        let registry = Registry::new([C::ENTRY]);
        let spec = AppSpec::new(AppInfo::default(), registry.clone(), states);
        let plan = Plan::new(&spec).expect("the handler's settings are sound");
        let mut group = plan.groups[0].clone();
        "group".clone_into(&mut group.id);
        Self {
            registry,
            group,
            limits: Limits::default(),
            rebalance_timeout: Duration::from_secs(10),
            shutdown_timeout: Duration::from_secs(8),
        }
    }
}

/// A command of the user, and the answers that have come.
#[derive(Debug)]
pub struct Asking(UnboundedReceiver<Result<Position, ControlError>>);

impl Asking {
    /// The next answer.
    pub fn answer(&mut self) -> Option<Result<Position, ControlError>> {
        self.0.try_recv().ok()
    }

    /// No answer follows.
    pub fn is_over(&self) -> bool {
        self.0.is_closed() && self.0.is_empty()
    }
}

/// A driver that is searched.
pub struct Searched<T> {
    driver: Driver<T>,
    pauses: Arc<Pauses>,
    shared: Arc<Shared>,
    woken: Arc<AtomicBool>,
    /// The end, once it has come.
    pub over: Option<Result<(), String>>,
}

impl<T: GroupConsumer> Searched<T> {
    /// A driver over this client. Its lanes run on `tokio`.
    pub fn new(kit: &Kit, states: States, consumer: T, tokio: tokio::runtime::Handle) -> Self {
        let woken = Arc::new(AtomicBool::new(true));
        let wakes = woken.clone();
        let mailbox = Mailbox::new(Box::new(move || wakes.store(true, Relaxed)));
        let shared = Arc::new(Shared::new("", &kit.group.id, false, mailbox));
        let pauses = Arc::<Pauses>::default();
        let handlers = kit.group.handlers.iter();
        let setup = Setup {
            app: Arc::new(AppContext::new::<DefaultApp>(&kit.registry, states)),
            handlers: handlers
                .map(|handler| Arc::new(Handler::new(&kit.group, handler)))
                .collect(),
            limits: kit.limits,
            rebalance_timeout: kit.rebalance_timeout,
            keep_alive: Duration::from_secs(1),
            shutdown_timeout: kit.shutdown_timeout,
            tokio,
            locks: OrderLocks::default(),
            pauses: pauses.clone(),
            has_room: Box::new(|| true),
            shared: shared.clone(),
        };
        Self {
            driver: Driver::new(consumer, setup),
            pauses,
            shared,
            woken,
            over: None,
        }
    }

    /// One turn. Returns for how long it would sleep then; nothing when it would not, or is over.
    pub fn turn(&mut self, now: Time) -> Option<Duration> {
        self.woken.store(false, Relaxed);
        match self.driver.turn(now) {
            Turn::Again => {
                self.woken.store(true, Relaxed);
                None
            }
            Turn::Park(time) => Some(time),
            Turn::Over(end) => {
                self.over = Some(end);
                None
            }
        }
    }

    /// It would take a turn at once.
    pub fn is_woken(&self) -> bool {
        self.woken.load(Relaxed)
    }

    /// Its client.
    pub fn client(&self) -> &T {
        &self.driver.consumer
    }

    /// Its client.
    pub fn client_mut(&mut self) -> &mut T {
        &mut self.driver.consumer
    }

    /// What it says of itself.
    pub fn health(&self) -> GroupHealth {
        self.shared.health()
    }

    /// The problems among that, a line each.
    pub fn problems(&self) -> Vec<String> {
        let groups = vec![self.health()];
        let health = Health {
            groups,
            ..Health::default()
        };
        health.problems().iter().map(ToString::to_string).collect()
    }

    /// Why the app must end, if it must.
    pub fn failure(&self) -> Option<String> {
        self.shared.failure()
    }

    /// The app counts as started.
    pub fn is_started(&self) -> bool {
        self.shared.is_started()
    }

    /// Asks it to end.
    pub fn shut_down(&self) {
        self.shared.shut_down();
    }

    /// It was asked to end.
    pub fn is_leaving(&self) -> bool {
        self.shared.is_leaving()
    }

    /// The user pauses or resumes a partition.
    pub fn pause(&self, topic: &str, partition: i32, pause: bool) -> Asking {
        self.pauses.set(topic, Some(partition), pause);
        self.command(match pause {
            true => Command::Pause,
            false => Command::Resume(Target::from((topic, partition))),
        })
    }

    /// The user moves a partition.
    pub fn seek(&self, topic: &str, partition: i32, to: i64) -> Asking {
        let target = Target::from((topic, partition));
        self.command(Command::Seek(target, Seek::Offset(to)))
    }

    fn command(&self, command: Command) -> Asking {
        let (reply, answers) = unbounded_channel();
        self.shared.command(command, reply);
        Asking(answers)
    }

    /// Ends its handlers at once, as a crash would.
    pub async fn kill(&mut self) {
        self.driver.kill().await;
    }

    /// Everything that decides what it will do, but for its client and its handlers.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn digest<H: Hasher + Write>(&self, now: Time, to: &mut H) -> fmt::Result {
        let driver = &self.driver;
        let (mut runs, numbers) = (Vec::new(), driver.partitions.numbers());
        let mut rename = |run: RunId| {
            let at = runs.iter().position(|known| *known == run);
            let at = at.unwrap_or_else(|| {
                runs.push(run);
                runs.len() - 1
            });
            at as u64
        };
        // By their places: they may have come in any order.
        let mut parts: Vec<_> = numbers.collect();
        parts.sort_by_key(|part| driver.partitions[*part].place.partition);
        driver.engine.digest(now, &parts, &mut rename, to);
        for &part in &parts {
            let p = &driver.partitions[part];
            write!(to, "{}", p.place.partition)?;
            p.write(&mut rename, to)?;
        }
        let Driver {
            rebalance,
            problems,
            not_committed,
            backpressure,
            failed_calls,
            upkeep,
            unfinished,
            is_closed,
            room,
            // Since when something stands shows in health alone.
            stalls: _,
            ..
        } = driver;
        write!(
            to,
            "{rebalance:?}{problems:?}{not_committed:?}{backpressure:?}{failed_calls:?}{upkeep:?}{unfinished:?}{is_closed}{room}"
        )?;
        driver.seeks.write(to)?;
        let shared = &self.shared;
        write!(
            to,
            "{}{:?}{}{:?}{:?}{}",
            shared.is_leaving(),
            shared.failure().is_some(),
            shared.is_started(),
            self.pauses,
            self.over,
            self.is_woken()
        )
    }
}

impl super::partition::OwnedPartition {
    fn write(&self, rename: &mut impl FnMut(RunId) -> u64, to: &mut impl Write) -> fmt::Result {
        let Self {
            lane,
            started,
            store,
            hold,
            paused,
            user_paused,
            truncated,
            errors,
            ..
        } = self;
        let is_handling = lane.as_ref().map(|lane| lane.backlog() > 0);
        write!(
            to,
            "{is_handling:?}{store:?}{hold:?}{paused}{user_paused}{truncated:?}{errors:?}"
        )?;
        started.write(rename, to)
    }
}

impl<T> fmt::Debug for Searched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Searched").finish_non_exhaustive()
    }
}
