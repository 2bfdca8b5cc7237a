//! Random faults and rebalances between two members: whatever happens, nothing is committed before
//! its output is acknowledged, nothing is lost, and an order unit is handled in order, by one member
//! at a time.

use super::cluster::{Entry, Locked, lock, place};
use super::lab::{HandlerState, Lab, World, drive, to_out};
use super::outbox::{Fate, Sent, ack};
use fastkafka_core as fk;
use fastkafka_core::{Failure, Register, State};
use fastkafka_macros::consumes;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const PARTITIONS: i32 = 3;
const RECORDS: i64 = 60;

/// Fails, waits and sends as the dice fall.
async fn random_handler(value: i64, unit: Option<i64>, state: HandlerState) -> Result<(), Failure> {
    let _alone = unit.map(|unit| Alone::enter(&state, unit));
    match state.roll(20) {
        0 => return Err(Failure::retry("bad luck")),
        1 => return Err(Failure::transient("bad luck")),
        2 => panic!("bad luck"),
        3 => tokio::time::sleep(Duration::from_millis(200)).await,
        4..10 => tokio::time::sleep(Duration::from_millis(state.roll(30))).await,
        _ => {}
    }
    to_out(value.to_string())
        .await
        .map(drop)
        .map_err(Failure::from_error)
}

#[consumes(
    crate = fk,
    topic = "in",
    attempts = "forever",
    backoff = Duration::from_millis(5),
    backoff_max = Duration::from_millis(50),
    rebalance_timeout_ms = 100,
    handler_timeout = Duration::from_millis(150)
)]
async fn by_partition(value: i64, State(state): State<HandlerState>) -> Result<(), Failure> {
    random_handler(value, Some(partition_of(value)), state).await
}

#[consumes(
    crate = fk,
    topic = "in",
    order = "key",
    concurrency = 6,
    attempts = "forever",
    backoff = Duration::from_millis(5),
    backoff_max = Duration::from_millis(50),
    rebalance_timeout_ms = 100,
    handler_timeout = Duration::from_millis(150)
)]
async fn by_key(value: i64, State(state): State<HandlerState>) -> Result<(), Failure> {
    random_handler(value, key_of(value), state).await
}

/// One call of an order unit at a time. [S5]
struct Alone(HandlerState, i64);

impl Alone {
    fn enter(state: &HandlerState, unit: i64) -> Self {
        let mut acting = lock(&state.acting);
        if !acting.insert(unit) {
            state.set_failing(true);
        }
        Self(state.clone(), unit)
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        lock(&self.0.acting).remove(&self.1);
    }
}

fn value(partition: i32, offset: i64) -> i64 {
    i64::from(partition) * 1_000 + offset
}

fn partition_of(value: i64) -> i64 {
    value / 1_000
}

/// Four keys in a partition, and records without one, which have no order.
fn key_of(value: i64) -> Option<i64> {
    let key = value % 5;
    (key != 4).then_some(partition_of(value) * 1_000 + key)
}

/// The values whose output is acknowledged.
type Written = Locked<BTreeSet<i64>>;

fn written(sent: &Sent) -> i64 {
    sent.text().trim_matches('"').parse().unwrap()
}

fn check(world: &World, done: &Written) {
    assert!(
        !world.state.is_failing(),
        "two calls of one order unit at once [S5]"
    );
    let done = lock(done);
    for partition in 0..PARTITIONS {
        for offset in 0..world.committed(partition).unwrap() {
            let value = value(partition, offset);
            assert!(
                done.contains(&value),
                "in[{partition}] is committed past {offset}, not written [S6]"
            );
        }
    }
}

/// The last copies of a unit's records lie in its order, whatever was repeated. [S5]
fn check_order(world: &World, unit: fn(i64) -> Option<i64>) {
    let sent = world.outbox.sent();
    let last: BTreeMap<i64, usize> = sent.iter().map(written).zip(0..).collect();
    let mut before = BTreeMap::new();
    for (value, at) in last {
        let Some(unit) = unit(value) else { continue };
        if let Some(other) = before.insert(unit, (value, at)) {
            assert!(other.1 < at, "{value} was last sent before {}", other.0);
        }
    }
}

async fn play<C: Register>(unit: fn(i64) -> Option<i64>, seed: u64) {
    let world = World::new::<C>();
    let state = world.state.clone();
    *lock(&state.dice) = seed;
    lock(&world.cluster).block = Some(1 + usize::try_from(state.roll(25)).unwrap());
    for partition in 0..PARTITIONS {
        for offset in 0..RECORDS {
            let value = value(partition, offset);
            lock(&world.cluster).publish(
                partition,
                Entry {
                    key: key_of(value).map(|key| key.to_string().into()),
                    payload: Some(value.to_string().into()),
                    ..Entry::default()
                },
            );
        }
        lock(&world.cluster).committed.insert(place(partition), 0);
    }
    let done = Written::default();
    let (dice, notes) = (state.clone(), done.clone());
    world.outbox.decide(move |sent| match dice.roll(12) {
        0 => Fate::Lose(Failure::retry("lost")),
        1..4 => Fate::Hold,
        _ => {
            lock(&notes).insert(written(sent));
            Fate::Ack
        }
    });
    let (mut one, mut two) = (world.member(), world.member());
    let mut members: [&mut Lab; 2] = [&mut one, &mut two];
    let mut owners: Vec<usize> = (0..PARTITIONS)
        .map(|_| usize::try_from(state.roll(2)).unwrap())
        .collect();
    for (partition, &owner) in (0..).zip(&owners) {
        members[owner].assign([partition]);
    }
    for _ in 0..40 {
        let end = state.now() + Duration::from_millis(state.roll(80));
        drive(&mut members, |_| {
            check(&world, &done);
            state.now() >= end
        })
        .await;
        while state.roll(4) != 0
            && let Some((sent, token)) = world.outbox.take_held()
        {
            if state.roll(8) == 0 {
                token.fail(Failure::retry("lost late"));
            } else {
                lock(&done).insert(written(&sent));
                ack(token);
            }
        }
        if state.roll(3) == 0 {
            let moved = usize::try_from(state.roll(3)).unwrap();
            let old = owners[moved];
            let mut moving = vec![i32::try_from(moved).unwrap()];
            if state.roll(3) == 0 {
                // A member that is thrown out loses all it has.
                moving = (0..)
                    .zip(&owners)
                    .filter(|(_, owner)| **owner == old)
                    .map(|(partition, _)| partition)
                    .collect();
                members[old].lose(moving.clone());
            } else {
                members[old].revoke(moving.clone());
            }
            drive(&mut members, |labs| !labs[old].is_reading(moving[0])).await;
            for partition in moving {
                let new = usize::try_from(state.roll(2)).unwrap();
                owners[usize::try_from(partition).unwrap()] = new;
                members[new].assign([partition]);
            }
        }
    }
    // The faults stop; what is open ends. [L1]
    world.outbox.decide({
        let notes = done.clone();
        move |sent| {
            lock(&notes).insert(written(sent));
            Fate::Ack
        }
    });
    while let Some((sent, token)) = world.outbox.take_held() {
        lock(&done).insert(written(&sent));
        ack(token);
    }
    drive(&mut members, |_| {
        check(&world, &done);
        (0..PARTITIONS).all(|partition| world.committed(partition) == Some(RECORDS))
    })
    .await;
    check_order(&world, unit);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_overtaken_or_committed_too_early_whatever_happens() {
    for seed in 0..25 {
        println!("seed {seed}");
        play::<by_partition>(|value| Some(partition_of(value)), seed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn by_key_nothing_is_lost_overtaken_or_committed_too_early_whatever_happens() {
    for seed in 0..25 {
        println!("seed {seed}");
        play::<by_key>(key_of, seed).await;
    }
}
