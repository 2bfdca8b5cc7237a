//! A partition that is full does not keep the others waiting, whatever it is full for.

use super::cluster::{Entry, lock, place};
use super::lab::{HandlerState, Lab, World};
use crate::spawn;
use fastkafka_core as fk;
use fastkafka_core::{Ack, EventMetadata, Failure, State};
use fastkafka_engine::Limits;
use fastkafka_macros::consumes;
use std::time::Duration;

/// More than one partition may hold.
const MANY: i64 = 40_000;
const SECOND: Duration = Duration::from_secs(1);

/// Keeps the `Ack` of the first record of partition 0; the first of partition 1 settles it.
#[consumes(crate = fk, topic = "in", enable_auto_commit = false)]
async fn keeps_one(_: u32, meta: EventMetadata, ack: Ack, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    keep_one(meta, ack, &state);
}

#[consumes(crate = fk, topic = "in", order = "key", enable_auto_commit = false)]
async fn keeps_one_by_key(
    _: u32,
    meta: EventMetadata,
    ack: Ack,
    State(state): State<HandlerState>,
) {
    let _busy = state.call(meta);
    keep_one(meta, ack, &state);
}

fn keep_one(meta: EventMetadata, ack: Ack, state: &HandlerState) {
    let mut kept = lock(&state.acks);
    match (meta.partition(), meta.offset()) {
        (0, 0) => return kept.push((0, ack)),
        (1, 0) => kept.drain(..).for_each(|(_, kept)| kept.ack().unwrap()),
        _ => {}
    }
    ack.ack().unwrap();
}

/// The first record of partition 0 spawns a task that the first of partition 1 lets end.
#[consumes(crate = fk, topic = "in")]
async fn spawns_one(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    match (meta.partition(), meta.offset()) {
        (0, 0) => {
            let gate = state.gate.clone();
            spawn(async move { gate.acquire().await.unwrap().forget() });
        }
        (1, 0) => state.gate.add_permits(1),
        _ => {}
    }
}

/// Handlers return, and one record stays open: its partition is full when as much as it may hold lies
/// behind it. A record of the other partition settles it.
async fn one_open_record<C: fk::Register>() {
    let mut lab = Lab::new::<C>(2, 0);
    lab.fill(0, MANY);
    // As long as nobody else has anything to read this costs nothing.
    lab.until(|labs| labs[0].state.offsets(0).len() >= 16_384)
        .await;
    lab.pass(SECOND * 30).await;
    lab.fill(1, 100);
    let sent = lab.state.now();
    lab.until_committed(1, 100).await;
    assert!(lab.state.now() - sent < SECOND * 5, "{:?}", lab.state.now());
    lab.until_committed(0, MANY).await;
    assert_eq!(lab.state.offsets(0).len(), 40_000);
}

#[tokio::test(start_paused = true)]
async fn an_ack_that_is_kept_stops_its_own_partition_alone() {
    one_open_record::<keeps_one>().await;
}

#[tokio::test(start_paused = true)]
async fn by_key_an_ack_that_is_kept_stops_its_own_partition_alone() {
    one_open_record::<keeps_one_by_key>().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_end_stops_its_own_partition_alone() {
    one_open_record::<spawns_one>().await;
}

// It is not empty: it holds what is done and what stays open.
#[tokio::test(start_paused = true)]
async fn a_partition_starves_also_with_an_open_record_of_its_own() {
    #[consumes(crate = fk, topic = "in", enable_auto_commit = false)]
    async fn on(_: u32, meta: EventMetadata, ack: Ack, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        if meta.offset() == 0 {
            lock(&state.acks).push((meta.partition().into(), ack));
        } else {
            ack.ack().unwrap();
        }
    }
    let mut lab = Lab::new::<on>(2, 1);
    lab.until(|labs| labs[0].state.calls().len() == 2).await;
    lab.fill(0, MANY);
    lab.pass(SECOND).await;
    lab.fill(1, 100);
    lab.until(|labs| labs[0].state.offsets(1).len() == 101)
        .await;
    assert!(lab.state.now() < SECOND * 5, "{:?}", lab.state.now());
}

/// By key: partition 0 takes a second per record, the first record of partition 1 fails for ever.
#[consumes(crate = fk, topic = "in", order = "key")]
async fn slow_beside_poison(
    _: u32,
    meta: EventMetadata,
    State(state): State<HandlerState>,
) -> Result<(), Failure> {
    let _busy = state.call(meta);
    match (meta.partition(), meta.offset()) {
        (0, _) => tokio::time::sleep(SECOND).await,
        (_, 0) => return Err(Failure::transient("the bank is down")),
        _ => {}
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_partition_starves_also_beside_a_key_of_its_own_that_waits() {
    let mut lab = Lab::new::<slow_beside_poison>(2, 0);
    let send = |lab: &Lab, partition: i32, n: i64| {
        let mut cluster = lock(&lab.cluster);
        for _ in 0..n {
            let offset = cluster.log(partition).high.to_string();
            let key = if partition == 0 { "one" } else { &*offset };
            let entry = Entry {
                key: Some(key.to_owned().into()),
                payload: Some(offset.clone().into()),
                ..Entry::default()
            };
            cluster.publish(partition, entry);
        }
    };
    send(&lab, 1, 1);
    lab.pass(SECOND * 5).await;
    send(&lab, 0, 30_000);
    lab.pass(SECOND * 60).await;
    send(&lab, 1, 100);
    let done = |lab: &Lab| {
        let offsets = lab.state.offsets(1);
        offsets.iter().filter(|offset| **offset > 0).count()
    };
    let sent = lab.state.now();
    lab.until(|labs| done(labs[0]) == 100).await;
    assert!(lab.state.now() - sent < SECOND * 9, "{:?}", lab.state.now());
}

/// Two partitions that hold at most 20 records each; what one turn fetches is more.
fn narrow<C: fk::Register>(slow: i64, fast: i64) -> Lab {
    let mut world = World::new::<C>();
    world.limits = Limits {
        held_records: 20,
        ahead: 20,
        ..Limits::default()
    };
    lock(&world.cluster).block = Some(10);
    for (partition, n) in [(0, slow), (1, fast)] {
        world.fill(partition, n);
        lock(&world.cluster).committed.insert(place(partition), 0);
    }
    let lab = world.member();
    lab.assign(0..2);
    lab
}

#[tokio::test(start_paused = true)]
async fn while_nothing_is_read_the_driver_sleeps() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        state.gate.acquire().await.unwrap().forget();
    }
    for others in [0, 1] {
        // With records of its own in hand the other one does not starve.
        let mut lab = narrow::<on>(2_000, others);
        lab.pass(SECOND * 2).await;
        let before = lock(&lab.member).polls.len();
        lab.pass(SECOND * 60).await;
        let polls = lock(&lab.member).polls.len() - before;
        // Progress is looked for five times a second while a run is open.
        assert!(polls <= 60 * 6, "{polls} in a minute");
    }
}

/// What pauses make the client fetch again, beside what is handled of the full partition. Nobody else has
/// anything to read, so each pause is in vain. The client of the lab reads 4,000 records ahead.
#[tokio::test(start_paused = true)]
async fn a_partition_that_is_full_again_and_again_is_seldom_fetched_again() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        if meta.partition() == 0 && meta.offset() % 100 == 0 {
            let pace = state.batches.lock().unwrap()[0].0.unsigned_abs();
            tokio::time::sleep(Duration::from_millis(pace)).await;
        }
    }
    // Milliseconds for a hundred records: half of what it may hold takes 0.8, 2.5, 8 and 41 seconds.
    for (pace, most) in [(10, 0.1), (30, 0.2), (100, 0.6), (500, 0.6)] {
        let mut lab = Lab::new::<on>(2, 0);
        lock(&lab.state.batches).push((pace, 0));
        lab.fill(0, 200_000);
        lab.until(|labs| labs[0].state.offsets(0).len() >= 100_000)
            .await;
        let thrown = lock(&lab.member).thrown;
        let again = thrown as f64 / 100_000.0;
        eprintln!("{pace} ms: {again} fetched again for each record");
        assert!(again <= most, "{again} fetched again at {pace} ms");
    }
}
