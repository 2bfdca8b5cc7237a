use super::cluster::{Entry, lock, place};
use super::lab::{HandlerState, Lab, World, to_out};
use super::outbox::{Fate, ack};
use crate::transport::Notice;
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, Failure, ProduceError, State};
use fastkafka_engine::Limits;
use fastkafka_macros::consumes;
use std::time::Duration;

const BOUND: u64 = 20;
/// One turn fetches so many, whatever the bound.
const TURN: usize = 1_024;

/// One member whose partitions hold at most [`BOUND`] records each, and what one turn fetches.
fn narrow<C: fk::Register>(partitions: i32, n: i64) -> Lab {
    let mut world = World::new::<C>();
    world.limits = Limits {
        held_records: BOUND,
        ahead: BOUND,
        ..Limits::default()
    };
    lock(&world.cluster).block = Some(10);
    for partition in 0..partitions {
        world.fill(partition, n);
        lock(&world.cluster).committed.insert(place(partition), 0);
    }
    let lab = world.member();
    lab.assign(0..partitions);
    lab
}

/// Partition 0 takes a second per record, the others a millisecond.
#[consumes(crate = fk, topic = "in")]
async fn uneven(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    let time = if meta.partition() == 0 { 1_000 } else { 1 };
    tokio::time::sleep(Duration::from_millis(time)).await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_partition_does_not_starve_a_fast_one() {
    let mut lab = narrow::<uneven>(2, 2_000);
    lab.until_committed(1, 2_000).await;
    // Standalone, the fast one takes 2 s; each time the slow one is read again it may cost 100 ms.
    assert!(
        lab.state.now() < Duration::from_secs(20),
        "{:?}",
        lab.state.now()
    );
    lab.revoke([0, 1]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    let slow = lab.state.offsets(0);
    assert_eq!(
        slow,
        (0..i64::try_from(slow.len()).unwrap()).collect::<Vec<_>>()
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_partition_alone_is_held_back_without_a_pause() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut lab = narrow::<on>(1, 10_000);
    lab.pass(Duration::from_secs(60)).await;
    let handled = lab.state.offsets(0).len();
    assert!(handled > 2_500, "it goes on: {handled}");
    assert!(
        lab.fetched() <= handled + 20 + TURN,
        "{} fetched [S10]",
        lab.fetched()
    );
    assert_eq!(lock(&lab.member).thrown, 0);
}

#[tokio::test(start_paused = true)]
async fn by_key_reading_stops_at_the_bound_and_goes_on_when_records_are_done() {
    #[consumes(crate = fk, topic = "in", order = "unordered", concurrency = 4)]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        state.gate.acquire().await.unwrap().forget();
    }
    let mut lab = narrow::<on>(1, 3_000);
    lab.pass(Duration::from_secs(60)).await;
    assert_eq!(lab.state.calls().len(), 4);
    assert!(
        lab.fetched() <= 20 + TURN,
        "{} fetched [S10]",
        lab.fetched()
    );
    lab.state.gate.add_permits(3_000);
    lab.until_committed(0, 3_000).await;
    assert_eq!((lab.state.calls().len(), lab.fetched()), (3_000, 3_000));
}

#[tokio::test(start_paused = true)]
async fn a_short_wait_for_reports_pauses_nothing() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(
        value: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), ProduceError> {
        let _busy = state.call(meta);
        to_out(value.to_string()).await.map(drop)
    }
    let mut lab = narrow::<on>(1, 3_000);
    lab.assign([1]);
    // One that takes long, and any number of usual ones.
    for millis in std::iter::once(900).chain([90; 40]) {
        lab.outbox.decide(|_| Fate::Hold);
        let time = Duration::from_millis(millis);
        lab.ask(tokio::time::sleep(time)).await;
        lab.outbox.decide(|_| Fate::Ack);
        lab.outbox.report(lab.outbox.held(), ack);
        lab.pass(Duration::from_millis(10)).await;
    }
    // What was prefetched is still there: a pause would have thrown it away for nothing.
    assert_eq!(lock(&lab.member).thrown, 0);
    lab.until_committed(0, 3_000).await;
}

#[tokio::test(start_paused = true)]
async fn a_partition_in_a_transient_failure_does_not_hold_the_others_back() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), Failure> {
        let _busy = state.call(meta);
        match meta.partition() {
            0 if state.is_failing() => Err(Failure::transient("database down")),
            _ => Ok(()),
        }
    }
    let mut lab = narrow::<on>(2, 3_000);
    lab.state.set_failing(true);
    lab.until_committed(1, 3_000).await;
    assert!(
        lab.state.now() < Duration::from_secs(2),
        "{:?}",
        lab.state.now()
    );
    lab.pass(Duration::from_secs(60)).await;
    lab.fill(1, 200);
    lab.until_committed(1, 3_200).await;
    assert!(lab.state.offsets(0).iter().all(|offset| *offset == 0));
    assert!(
        lab.fetched() <= 3_200 + 2 * TURN,
        "{} fetched [S10]",
        lab.fetched()
    );
    lab.state.set_failing(false);
    lab.until_committed(0, 3_000).await;
}

#[tokio::test(start_paused = true)]
async fn a_stopped_partition_does_not_hold_the_others_back() {
    #[consumes(crate = fk, topic = "in", attempts = 1)]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), &'static str> {
        let _busy = state.call(meta);
        if meta.partition() == 0 {
            Err("no")
        } else {
            Ok(())
        }
    }
    let mut lab = narrow::<on>(2, 200);
    lab.until_committed(1, 200).await;
    assert!(
        lab.state.now() < Duration::from_secs(2),
        "{:?}",
        lab.state.now()
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_partition_that_is_lost_does_not_hold_the_others_back() {
    let mut lab = narrow::<uneven>(1, 100);
    lab.pass(Duration::from_millis(1_500)).await;
    lab.lose([0]);
    lab.until(|labs| !labs[0].is_reading(0) && labs[0].state.at_work() == 0)
        .await;
    lab.fill(1, 50);
    lock(&lab.cluster).committed.insert(place(1), 0);
    lab.assign([1]);
    lab.until_committed(1, 50).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_partition_whose_log_was_truncated_is_not_read_again() {
    let mut lab = narrow::<uneven>(1, 3_000);
    lab.pass(Duration::from_millis(1_500)).await;
    let (position, low, high) = (lock(&lab.member).position(0).unwrap(), 0, 5);
    lab.notify(Notice::OutOfRange {
        place: place(0),
        position,
        low,
        high,
    });
    lab.pass(Duration::from_secs(1_200)).await;
    let handled = lab.state.offsets(0).len();
    assert!((20..TURN + 20).contains(&handled), "{handled}");
    assert!(lab.problems()[0].contains("past the end of the log"));
}

#[tokio::test(start_paused = true)]
async fn the_uncommitted_span_is_told_and_ends() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        if meta.offset() == 0 {
            state.gate.acquire().await.unwrap().forget();
        }
    }
    let mut world = World::new::<on>();
    world.limits.max_uncommitted = 50;
    world.fill(0, 100);
    lock(&world.cluster).committed.insert(place(0), 0);
    lock(&world.cluster).block = Some(10);
    let mut lab = world.member();
    lab.assign([0]);
    lab.until(|labs| !labs[0].problems().is_empty()).await;
    assert!(lab.problems()[0].starts_with("in[0]: has read `max_uncommitted`"));
    lab.state.gate.add_permits(1);
    lab.until_committed(0, 100).await;
    lab.pass(Duration::from_secs(1)).await;
    assert!(lab.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_read_again_is_handled_again_from_there() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(value: usize, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        lock(&state.batches).push((meta.offset(), value));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let mut lab = Lab::new::<on>(1, 10);
    lab.until(|labs| labs[0].state.offsets(0).len() == 2).await;
    {
        // Made anew in the middle of what is held.
        let mut cluster = lock(&lab.cluster);
        let log = cluster.log(0);
        log.entries.truncate(5);
        log.high = 5;
        for value in 100..105 {
            let payload = Some(value.to_string().into());
            cluster.publish(
                0,
                Entry {
                    payload,
                    ..Entry::default()
                },
            );
        }
    }
    lab.seek(0, 5);
    lab.until_committed(0, 10).await;
    let mut seen = lock(&lab.state.batches).clone();
    seen.dedup();
    let expected = (0..5).chain(100..105).enumerate();
    let expected: Vec<_> = expected
        .map(|(at, value)| (i64::try_from(at).unwrap(), value))
        .collect();
    assert_eq!(seen, expected);
}
