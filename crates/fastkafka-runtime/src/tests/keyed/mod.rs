//! Order by key, and without order.

mod batches;
mod failures;
mod owners;

use super::cluster::{Entry, lock, place};
use super::lab::{Call, HandlerState, Lab, World};
use fastkafka_core as fk;
use fastkafka_core::{Ack, EventMetadata, Register, State};
use fastkafka_macros::consumes;
use std::collections::HashMap;
use std::time::Duration;

/// One member with these keys in partition 0, each payload the offset.
pub(super) fn keyed<C: Register>(keys: &[&'static str]) -> Lab {
    let world = World::new::<C>();
    publish(&world, 0, keys);
    let lab = world.member();
    lab.assign([0]);
    lab
}

pub(super) fn publish(world: &World, partition: i32, keys: &[&'static str]) {
    let mut cluster = lock(&world.cluster);
    for key in keys {
        let payload = cluster.log(partition).high.to_string();
        cluster.publish(
            partition,
            Entry {
                key: Some((*key).into()),
                payload: Some(payload.into()),
                ..Entry::default()
            },
        );
    }
    cluster.committed.entry(place(partition)).or_insert(0);
}

pub(super) fn offsets(calls: &[Call]) -> Vec<i64> {
    calls.iter().map(|call| call.offset).collect()
}

/// 10 ms per record.
#[consumes(crate = fk, topic = "in", order = "key")]
async fn slow(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    tokio::time::sleep(Duration::from_millis(10)).await;
}

#[tokio::test(start_paused = true)]
async fn keys_overlap_and_the_records_of_one_never_do() {
    let mut lab = keyed::<slow>(&["a", "a", "b", "a", "b", "c"]);
    lab.until_committed(0, 6).await;
    let calls = lab.state.calls();
    assert_eq!(offsets(&calls), [0, 2, 5, 1, 4, 3]);
    let began = |offset: i64| lab.state.times(offset)[0];
    assert_eq!(began(0), began(5), "different keys begin together");
    assert!(began(1) >= began(0) + Duration::from_millis(10));
    assert!(began(3) >= began(1) + Duration::from_millis(10));
    assert_eq!(lab.state.most_at_once(), 3);
}

#[tokio::test(start_paused = true)]
async fn records_without_a_key_have_no_order() {
    let mut lab = Lab::new::<slow>(1, 10);
    lab.until_committed(0, 10).await;
    assert_eq!(lab.state.most_at_once(), 10);
}

#[tokio::test(start_paused = true)]
async fn concurrency_bounds_the_calls_over_all_partitions() {
    #[consumes(crate = fk, topic = "in", order = "unordered", concurrency = 5)]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut lab = Lab::new::<on>(3, 50);
    lab.until(|labs| (0..3).all(|p| labs[0].committed(p) == Some(50)))
        .await;
    assert_eq!(lab.state.most_at_once(), 5);
}

#[consumes(crate = fk, topic = "in", order = "key", enable_auto_commit = false, rebalance_timeout_ms = 1_000)]
async fn later(_: u32, meta: EventMetadata, ack: Ack, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    lock(&state.acks).push((meta.offset(), ack));
}

#[tokio::test(start_paused = true)]
async fn an_offset_waits_for_its_ack_and_its_key_does_not() {
    let mut lab = keyed::<later>(&["a", "a", "b"]);
    lab.until(|labs| labs[0].state.calls().len() == 3).await;
    let mut acks = std::mem::take(&mut *lock(&lab.state.acks));
    acks.sort_by_key(|(offset, _)| *offset);
    let mut acks = acks.into_iter().map(|(_, ack)| ack);
    let first = acks.next().unwrap();
    for ack in acks {
        ack.ack().unwrap();
    }
    lab.pass(Duration::from_secs(1)).await;
    assert_eq!(lab.committed(0), Some(0));
    first.fail("not stored").unwrap();
    // Standalone first, and what is behind it in its key when it is settled.
    for calls in [4, 5] {
        lab.until(|labs| labs[0].state.calls().len() == calls).await;
        let (_, ack) = lock(&lab.state.acks).pop().unwrap();
        ack.ack().unwrap();
    }
    lab.until_committed(0, 3).await;
    assert_eq!(lab.state.times(2).len(), 1, "b was not replayed");
}

/// Waits at the gate.
#[consumes(crate = fk, topic = "in", order = "key", rebalance_timeout_ms = 1_000)]
async fn gated(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    state.gate.acquire().await.unwrap().forget();
}

#[tokio::test(start_paused = true)]
async fn blocking_handlers_have_a_thread_for_each_key() {
    #[consumes(crate = fk, topic = "in", order = "key", blocking, attempts = 2)]
    fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) -> Result<(), String> {
        let _busy = state.call(meta);
        // Ends only when both keys are at work.
        while state.most_at_once() < 2 {
            std::thread::yield_now();
        }
        if meta.offset() == 0 && state.times(0).len() == 1 {
            return Err("again".into());
        }
        Ok(())
    }
    let mut lab = keyed::<on>(&["a", "b", "a"]);
    lab.until_committed(0, 3).await;
    assert_eq!(lab.state.times(0).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn order_holds_within_each_key_whatever_fails() {
    #[consumes(crate = fk, topic = "in", order = "key", concurrency = 8, attempts = "forever", backoff = Duration::from_millis(5))]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), String> {
        let pause = state.roll(20);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        if state.roll(5) == 0 {
            return Err("dice".into());
        }
        let _done = state.call(meta);
        Ok(())
    }
    const KEYS: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];
    let world = World::new::<on>();
    let keys: Vec<_> = (0..300)
        .map(|_| KEYS[usize::try_from(world.state.roll(7)).unwrap()])
        .collect();
    publish(&world, 0, &keys);
    let mut lab = world.member();
    lab.assign([0]);
    lab.until_committed(0, 300).await;
    let mut last = HashMap::new();
    let calls = offsets(&lab.state.calls());
    assert_eq!(calls.len(), 300, "none is handled twice [S4]");
    for offset in calls {
        let key = keys[usize::try_from(offset).unwrap()];
        assert!(
            last.insert(key, offset)
                .is_none_or(|before| before < offset)
        );
    }
}
