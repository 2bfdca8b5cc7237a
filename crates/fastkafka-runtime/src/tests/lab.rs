//! A group's owner on the client in memory, driven by the test itself.

use super::cluster::{Cluster, Shared, lock, place};
use super::memory::{Member, Memory};
use super::outbox::Outbox;
use crate::control::handle::{GroupControl, Handle};
use crate::control::pauses::Pauses;
use crate::driver::setup::Setup;
use crate::driver::{Driver, Turn};
use crate::handling::handler::Handler;
use crate::handling::locks::OrderLocks;
use crate::health::{GroupHealth, Health};
use crate::mailbox::Mailbox;
use crate::transport::Notice;
use fastkafka_core as fk;
use fastkafka_core::{
    Ack, AppContext, AppInfo, AppSpec, Around, DefaultApp, EventMetadata, Plan, ProduceError,
    Register, Registry, States,
};
use fastkafka_engine::Limits;
use fastkafka_macros::produces;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};
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

/// A call of a handler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) partition: i32,
    pub(super) offset: i64,
    /// Since the start of the test.
    pub(super) at: Duration,
}

/// What handlers share with their test.
#[derive(Clone)]
pub(super) struct HandlerState {
    origin: Instant,
    calls: Shared<Vec<Call>>,
    /// How many calls are under way, and were at most.
    busy: Shared<(usize, usize)>,
    pub(super) acks: Shared<Vec<(i64, Ack)>>,
    /// First offset and length of each batch.
    pub(super) batches: Shared<Vec<(i64, usize)>>,
    /// The weather: handlers that look at it fail while it is bad.
    pub(super) bad: Arc<AtomicBool>,
    /// Order units with a call under way.
    pub(super) acting: Shared<BTreeSet<i64>>,
    /// The seed of [`HandlerState::roll`].
    pub(super) dice: Shared<u64>,
    /// For handlers that wait until the test lets them go on.
    pub(super) gate: Arc<tokio::sync::Semaphore>,
}

pub(super) struct Busy(Shared<(usize, usize)>);

impl Drop for Busy {
    fn drop(&mut self) {
        lock(&self.0).0 -= 1;
    }
}

impl HandlerState {
    fn new() -> Self {
        Self {
            origin: Instant::now(),
            calls: Shared::default(),
            busy: Shared::default(),
            acks: Shared::default(),
            batches: Shared::default(),
            bad: Arc::default(),
            acting: Shared::default(),
            dice: Shared::default(),
            gate: Arc::new(tokio::sync::Semaphore::new(0)),
        }
    }

    /// Notes a call; it lasts until the guard is dropped.
    pub(super) fn call(&self, meta: EventMetadata) -> Busy {
        lock(&self.calls).push(Call {
            partition: meta.partition(),
            offset: meta.offset(),
            at: self.origin.elapsed(),
        });
        let mut busy = lock(&self.busy);
        busy.0 += 1;
        busy.1 = busy.1.max(busy.0);
        Busy(self.busy.clone())
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        lock(&self.calls).clone()
    }

    /// Offsets in the order of the calls.
    pub(super) fn offsets(&self, partition: i32) -> Vec<i64> {
        let calls = lock(&self.calls);
        let mine = calls.iter().filter(|call| call.partition == partition);
        mine.map(|call| call.offset).collect()
    }

    /// When a record was tried.
    pub(super) fn times(&self, offset: i64) -> Vec<Duration> {
        let calls = lock(&self.calls);
        let mine = calls.iter().filter(|call| call.offset == offset);
        mine.map(|call| call.at).collect()
    }

    pub(super) fn most_at_once(&self) -> usize {
        lock(&self.busy).1
    }

    pub(super) fn at_work(&self) -> usize {
        lock(&self.busy).0
    }

    pub(super) fn is_bad(&self) -> bool {
        self.bad.load(Relaxed)
    }

    pub(super) fn set_bad(&self, bad: bool) {
        self.bad.store(bad, Relaxed);
    }

    /// A number below `n`.
    pub(super) fn roll(&self, n: u64) -> u64 {
        let mut state = lock(&self.dice);
        // SplitMix64.
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    pub(super) fn now(&self) -> Duration {
        self.origin.elapsed()
    }
}

/// Mends the weather, also when the test fails: a thread may be waiting for it.
pub(super) struct LetGo(pub(super) HandlerState);

impl Drop for LetGo {
    fn drop(&mut self) {
        self.0.set_bad(false);
    }
}

/// What the members of a group have in common.
#[derive(Clone)]
pub(super) struct World {
    pub(super) cluster: Shared<Cluster>,
    pub(super) state: HandlerState,
    pub(super) outbox: Arc<Outbox>,
    pub(super) limits: Limits,
    spec: Arc<AppSpec>,
    app: Arc<AppContext>,
    locks: OrderLocks,
    pauses: Arc<Pauses>,
    woken: Arc<Notify>,
}

impl World {
    pub(super) fn new<C: Register>() -> Self {
        Self::around::<C>(None)
    }

    /// With a hook around the handlers.
    pub(super) fn around<C: Register>(hook: Option<Box<dyn Around>>) -> Self {
        let state = HandlerState::new();
        let mut states = States::default();
        states.insert(state.clone());
        let registry = Registry::new([C::ENTRY]);
        let spec = AppSpec::new(AppInfo::default(), registry, &states);
        let app = AppContext::new::<DefaultApp>(&spec.registry, states).with_around(hook);
        let (app, outbox) = (Arc::new(app), Outbox::new());
        assert!(app.connect(outbox.clone()).is_ok());
        Self {
            cluster: Shared::default(),
            state,
            outbox,
            limits: Limits::default(),
            spec: Arc::new(spec),
            app,
            locks: OrderLocks::default(),
            pauses: Arc::default(),
            woken: Arc::default(),
        }
    }

    pub(super) fn member(&self) -> Lab {
        let wake = |woken: &Arc<Notify>| {
            let woken = woken.clone();
            Box::new(move || woken.notify_one())
        };
        let shared = Arc::new(crate::shared::Shared::new(
            "",
            "lab",
            false,
            Mailbox::new(wake(&self.woken)),
        ));
        let member = Shared::<Member>::default();
        let consumer = Memory {
            cluster: self.cluster.clone(),
            member: member.clone(),
            wake: wake(&self.woken),
            alive: Arc::default(),
        };
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
            outputs: Box::new(move || Ok(outbox.has_room())),
            shared: shared.clone(),
        };
        Lab {
            world: self.clone(),
            driver: Driver::new(consumer, setup),
            shared,
            member,
            over: None,
        }
    }

    pub(super) fn fill(&self, partition: i32, n: i64) {
        lock(&self.cluster).fill(partition, n);
        self.woken.notify_one();
    }

    pub(super) fn committed(&self, partition: i32) -> Option<i64> {
        lock(&self.cluster).committed.get(place(partition)).copied()
    }
}

/// A member of the group.
pub(super) struct Lab {
    world: World,
    driver: Driver<Memory>,
    pub(super) shared: Arc<crate::shared::Shared>,
    pub(super) member: Shared<Member>,
    pub(super) over: Option<Result<(), String>>,
}

impl std::ops::Deref for Lab {
    type Target = World;
    fn deref(&self) -> &World {
        &self.world
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

    /// Records that the owner took from the client.
    pub(super) fn fetched(&self) -> usize {
        lock(&self.member).fetched
    }

    /// What a partition in order by key holds in memory.
    pub(super) fn held_bytes(&mut self, partition: i32) -> u64 {
        let part = self.driver.part(place(partition));
        let keyed = self.driver.partitions[part].keyed.as_ref();
        keyed.map_or(0, crate::handling::keyed::Keyed::held_bytes)
    }

    /// How many keys such a partition has given a number.
    pub(super) fn numbered_keys(&mut self, partition: i32) -> usize {
        let part = self.driver.part(place(partition));
        let keyed = self.driver.partitions[part].keyed.as_ref();
        keyed.map_or(0, crate::handling::keyed::Keyed::numbered)
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
            // All members share one bell: whoever is woken, all take a turn.
            Some(time) => drop(tokio::time::timeout(time, labs[0].woken.notified()).await),
        }
    }
}
