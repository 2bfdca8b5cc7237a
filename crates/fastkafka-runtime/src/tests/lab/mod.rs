//! A driver on the client in memory whose turns the test takes.

mod state;
mod world;

pub(super) use self::state::{Call, HandlerState, StopFailing};
pub(super) use self::world::World;

use super::cluster::{Locked, lock, place};
use super::memory::{Member, Memory};
use crate::control::handle::{GroupControl, Handle};
use crate::driver::setup::Setup;
use crate::driver::{Driver, Turn};
use crate::handling::handler::Handler;
use crate::handling::keyed::Keyed;
use crate::health::{GroupHealth, Health};
use crate::mailbox::Mailbox;
use crate::shared::Shared;
use crate::transport::Notice;
use fastkafka_core as fk;
use fastkafka_core::{Plan, ProduceError, Register};
use fastkafka_macros::produces;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Longest virtual time a test may take: whatever does not come until then never comes.
const PATIENCE: Duration = Duration::from_secs(3_600);

#[produces(crate = fk, topic = "out")]
pub(super) async fn to_out(value: String) -> Result<String, ProduceError> {
    Ok(value)
}

/// A member of the group.
pub(super) struct Lab {
    world: World,
    driver: Driver<Memory>,
    pub(super) shared: Arc<Shared>,
    pub(super) member: Locked<Member>,
    pub(super) over: Option<Result<(), String>>,
    /// Each block of records has a share of it.
    alive: Weak<()>,
}

impl std::ops::Deref for Lab {
    type Target = World;
    fn deref(&self) -> &World {
        &self.world
    }
}

impl World {
    /// Another member of the group.
    pub(super) fn member(&self) -> Lab {
        let wake = |woken: &Arc<Notify>| {
            let woken = woken.clone();
            Box::new(move || woken.notify_one())
        };
        let shared = Arc::new(Shared::new(
            "",
            "lab",
            false,
            Mailbox::new(wake(&self.woken)),
        ));
        let member = Locked::<Member>::default();
        let consumer = Memory {
            cluster: self.cluster.clone(),
            member: member.clone(),
            wake: wake(&self.woken),
            alive: Arc::default(),
        };
        let alive = Arc::downgrade(&consumer.alive);
        let plan = Plan::new(&self.spec).expect("the handler's settings are sound");
        let mut group = plan.groups[0].clone();
        "lab".clone_into(&mut group.id);
        let handlers = group.handlers.iter();
        let outbox = self.outbox.clone();
        let setup = Setup {
            app: self.app.clone(),
            handlers: handlers
                .map(|handler| Arc::new(Handler::new(&group, handler)))
                .collect(),
            limits: self.limits,
            rebalance_timeout: Duration::from_millis(
                group.settings.rebalance_timeout_ms.unwrap_or(10_000),
            ),
            shutdown_timeout: Duration::from_secs(25),
            keep_alive: Duration::from_secs(1),
            tokio: tokio::runtime::Handle::current(),
            locks: self.locks.clone(),
            pauses: self.pauses.clone(),
            has_room: Box::new(move || outbox.has_room()),
            shared: shared.clone(),
        };
        Lab {
            world: self.clone(),
            driver: Driver::new(consumer, setup),
            shared,
            member,
            over: None,
            alive,
        }
    }
}

impl Lab {
    /// One member of a group of its own, with `n` records in each of the partitions.
    pub(super) fn new<C: Register>(partitions: i32, n: i64) -> Self {
        let world = World::new::<C>();
        for partition in 0..partitions {
            world.fill(partition, n);
            lock(&world.cluster).committed.insert(place(partition), 0);
        }
        let lab = world.member();
        lab.assign(0..partitions);
        lab
    }

    pub(super) fn notify(&self, notice: Notice) {
        lock(&self.member).notify(notice);
        self.woken.notify_one();
    }

    /// The group gives the member these.
    pub(super) fn assign(&self, partitions: impl IntoIterator<Item = i32>) {
        self.notify(Notice::Assign(partitions.into_iter().map(place).collect()));
    }

    /// The group wants them back.
    pub(super) fn revoke(&self, partitions: impl IntoIterator<Item = i32>) {
        let places = partitions.into_iter().map(place).collect();
        self.notify(Notice::Revoke {
            places,
            lost: false,
        });
    }

    /// They are somebody else's already.
    pub(super) fn lose(&self, partitions: impl IntoIterator<Item = i32>) {
        lock(&self.member).lost = true;
        let places = partitions.into_iter().map(place).collect();
        self.notify(Notice::Revoke { places, lost: true });
    }

    /// The client reads from here again, without being told to.
    pub(super) fn seek(&self, partition: i32, offset: i64) {
        lock(&self.member).seek(place(partition), offset);
        self.woken.notify_one();
    }

    pub(super) fn is_reading(&self, partition: i32) -> bool {
        lock(&self.member).position(partition).is_some()
    }

    /// Records that the driver took from the client.
    pub(super) fn fetched(&self) -> usize {
        lock(&self.member).fetched
    }

    /// The blocks of records that anything holds, the client included.
    pub(super) fn blocks(&self) -> usize {
        // The client has one share itself.
        self.alive.strong_count() - 1
    }

    /// What a partition in order by key holds in memory.
    pub(super) fn held_bytes(&mut self, partition: i32) -> u64 {
        let part = self.driver.part(place(partition));
        let keyed = self.driver.partitions[part].keyed.as_ref();
        keyed.map_or(0, Keyed::held_bytes)
    }

    /// How many keys such a partition has given a number.
    pub(super) fn numbered_keys(&mut self, partition: i32) -> usize {
        let part = self.driver.part(place(partition));
        let keyed = self.driver.partitions[part].keyed.as_ref();
        keyed.map_or(0, Keyed::numbered)
    }

    pub(super) fn health(&self) -> GroupHealth {
        self.shared.health()
    }

    pub(super) fn problems(&self) -> Vec<String> {
        Health {
            groups: vec![self.health()],
            ..Health::default()
        }
        .problems()
        .iter()
        .map(ToString::to_string)
        .collect()
    }

    /// The user's handle of this member.
    pub(super) fn handle(&self) -> Handle {
        handle(&[self])
    }

    /// Takes turns until the user's wish is done.
    pub(super) async fn ask<R: Send + 'static>(
        &mut self,
        wish: impl Future<Output = R> + Send + 'static,
    ) -> R {
        let wish = self.begin(wish);
        self.until(|_| wish.is_finished()).await;
        wish.await.unwrap()
    }

    /// The user's wish, while the test takes turns.
    pub(super) fn begin<R: Send + 'static>(
        &self,
        wish: impl Future<Output = R> + Send + 'static,
    ) -> JoinHandle<R> {
        let woken = self.woken.clone();
        tokio::spawn(async move {
            let done = wish.await;
            woken.notify_one();
            done
        })
    }

    pub(super) async fn until(&mut self, done: impl FnMut(&[&mut Self]) -> bool) {
        drive(&mut [self], done).await;
    }

    /// One turn, at a time of the test's own.
    pub(super) fn turn_at(&mut self, now: Duration) {
        if let Turn::Over(result) = self.driver.turn(now) {
            self.over = Some(result);
        }
    }

    /// Takes turns for this long.
    pub(super) async fn pass(&mut self, time: Duration) {
        let end = Instant::now() + time;
        self.until(|_| Instant::now() >= end).await;
    }

    /// Until everything up to `offset` is committed.
    pub(super) async fn until_committed(&mut self, partition: i32, offset: i64) {
        self.until(|labs| labs[0].committed(partition) == Some(offset))
            .await;
    }

    pub(super) async fn shut_down(&mut self) -> Result<(), String> {
        self.shared.shut_down();
        self.until(|labs| labs[0].over.is_some()).await;
        self.over.clone().expect("it is over")
    }
}

/// The user's handle of a process that has these members.
pub(super) fn handle(labs: &[&Lab]) -> Handle {
    let setup = &labs[0].driver.setup;
    let handle = Handle::default();
    handle.connect(vec![GroupControl {
        cluster: "".into(),
        id: "lab".to_owned(),
        handlers: setup.handlers.iter().map(|handler| handler.def).collect(),
        pauses: setup.pauses.clone(),
        workers: labs.iter().map(|lab| lab.shared.clone()).collect(),
    }]);
    handle
}

/// Takes turns with all of them until `done` holds after a turn.
pub(super) async fn drive(labs: &mut [&mut Lab], mut done: impl FnMut(&[&mut Lab]) -> bool) {
    let (origin, mut turns) = (Instant::now(), 0_u64);
    loop {
        let mut park = Some(PATIENCE);
        for lab in labs.iter_mut().filter(|lab| lab.over.is_none()) {
            match lab.driver.turn(lab.world.state.origin.elapsed()) {
                Turn::Again => park = None,
                Turn::Park(time) => park = park.map(|park| park.min(time)),
                Turn::Over(result) => lab.over = Some(result),
            }
        }
        if done(labs) {
            return;
        }
        turns += 1;
        assert!(
            origin.elapsed() < PATIENCE && turns < 1_000_000,
            "waited in vain: {:#?}, {} calls, last {:?}",
            labs[0].health(),
            labs[0].state.calls().len(),
            labs[0].state.calls().last()
        );
        match park {
            None => tokio::task::yield_now().await,
            // All members are woken together, and each takes a turn.
            Some(time) => drop(tokio::time::timeout(time, labs[0].woken.notified()).await),
        }
    }
}
