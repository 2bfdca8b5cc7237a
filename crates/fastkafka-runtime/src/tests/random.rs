//! Random faults and rebalances between two members: whatever happens, nothing is committed before
//! its output is acknowledged, nothing is lost, and a partition is handled by one member at a time.

use super::cluster::{Entry, Shared, lock, place};
use super::lab::{Desk, Lab, World, drive, to_out};
use super::outbox::{Fate, Sent, ack};
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, Failure, State};
use fastkafka_macros::consumes;
use std::collections::BTreeSet;
use std::time::Duration;

const PARTITIONS: i32 = 3;
const RECORDS: i64 = 60;

/// Fails, waits and sends as the dice fall.
#[consumes(
    crate = fk,
    topic = "in",
    attempts = "forever",
    backoff = Duration::from_millis(5),
    backoff_max = Duration::from_millis(50),
    rebalance_timeout_ms = 100,
    handler_timeout = Duration::from_millis(150)
)]
async fn gamble(value: i64, meta: EventMetadata, State(desk): State<Desk>) -> Result<(), Failure> {
    let _alone = Alone::enter(&desk, meta.partition());
    match desk.roll(20) {
        0 => return Err(Failure::retry("bad luck")),
        1 => return Err(Failure::transient("bad luck")),
        2 => panic!("bad luck"),
        3 => tokio::time::sleep(Duration::from_millis(200)).await,
        4..10 => tokio::time::sleep(Duration::from_millis(desk.roll(30))).await,
        _ => {}
    }
    to_out(value.to_string())
        .await
        .map(drop)
        .map_err(Failure::from_error)
}

/// One call of a partition at a time. [S5]
struct Alone(Desk, i32);

impl Alone {
    fn enter(desk: &Desk, partition: i32) -> Self {
        let mut acting = lock(&desk.acting);
        if !acting.insert(partition) {
            desk.set_bad(true);
        }
        Self(desk.clone(), partition)
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

/// The values whose output is acknowledged.
type Written = Shared<BTreeSet<i64>>;

fn written(sent: &Sent) -> i64 {
    sent.text().trim_matches('"').parse().unwrap()
}

fn check(world: &World, done: &Written) {
    assert!(
        !world.desk.is_bad(),
        "two calls of one partition at once [S5]"
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

async fn play(seed: u64) {
    let world = World::new::<gamble>();
    let desk = world.desk.clone();
    *lock(&desk.dice) = seed;
    lock(&world.cluster).block = Some(1 + usize::try_from(desk.roll(25)).unwrap());
    for partition in 0..PARTITIONS {
        for offset in 0..RECORDS {
            let payload = Some(value(partition, offset).to_string().into());
            lock(&world.cluster).publish(
                partition,
                Entry {
                    payload,
                    ..Entry::default()
                },
            );
        }
        lock(&world.cluster).committed.insert(place(partition), 0);
    }
    let done = Written::default();
    let (dice, notes) = (desk.clone(), done.clone());
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
        .map(|_| usize::try_from(desk.roll(2)).unwrap())
        .collect();
    for (partition, &owner) in (0..).zip(&owners) {
        members[owner].assign([partition]);
    }
    for _ in 0..40 {
        let end = desk.now() + Duration::from_millis(desk.roll(80));
        drive(&mut members, |_| {
            check(&world, &done);
            desk.now() >= end
        })
        .await;
        while desk.roll(4) != 0
            && let Some((sent, token)) = world.outbox.take_held()
        {
            if desk.roll(8) == 0 {
                token.fail(Failure::retry("lost late"));
            } else {
                lock(&done).insert(written(&sent));
                ack(token);
            }
        }
        if desk.roll(3) == 0 {
            let moved = usize::try_from(desk.roll(3)).unwrap();
            let old = owners[moved];
            let mut moving = vec![i32::try_from(moved).unwrap()];
            if desk.roll(3) == 0 {
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
                let new = usize::try_from(desk.roll(2)).unwrap();
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
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_or_committed_too_early_whatever_happens() {
    for seed in 0..25 {
        println!("seed {seed}");
        play(seed).await;
    }
}
