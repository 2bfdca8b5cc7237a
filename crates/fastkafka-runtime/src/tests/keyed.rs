use super::cluster::{Entry, lock, place};
use super::lab::{Call, Desk, Lab, World, drive, to_out};
use super::outbox::{Fate, ack};
use crate::spawn;
use fastkafka_core as fk;
use fastkafka_core::{
    Ack, BatchFailure, EventMetadata, Failure, ProduceError, Register, Revoked, State,
};
use fastkafka_macros::consumes;
use std::collections::HashMap;
use std::time::Duration;

/// One member with these keys in partition 0, each payload the offset.
fn keyed<C: Register>(keys: &[&'static str]) -> Lab {
    let world = World::new::<C>();
    publish(&world, 0, keys);
    let lab = world.member();
    lab.assign([0]);
    lab
}

fn publish(world: &World, partition: i32, keys: &[&'static str]) {
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

fn offsets(calls: &[Call]) -> Vec<i64> {
    calls.iter().map(|call| call.offset).collect()
}

/// 10 ms per record.
#[consumes(crate = fk, topic = "in", order = "key")]
async fn slow(_: u32, meta: EventMetadata, State(desk): State<Desk>) {
    let _busy = desk.call(meta);
    tokio::time::sleep(Duration::from_millis(10)).await;
}

#[tokio::test(start_paused = true)]
async fn keys_overlap_and_the_records_of_one_never_do() {
    let mut lab = keyed::<slow>(&["a", "a", "b", "a", "b", "c"]);
    lab.until_committed(0, 6).await;
    let calls = lab.desk.calls();
    assert_eq!(offsets(&calls), [0, 2, 5, 1, 4, 3]);
    let began = |offset: i64| lab.desk.times(offset)[0];
    assert_eq!(began(0), began(5), "different keys begin together");
    assert!(began(1) >= began(0) + Duration::from_millis(10));
    assert!(began(3) >= began(1) + Duration::from_millis(10));
    assert_eq!(lab.desk.most_at_once(), 3);
}

#[tokio::test(start_paused = true)]
async fn records_without_a_key_have_no_order() {
    let mut lab = Lab::of::<slow>(1, 10);
    lab.until_committed(0, 10).await;
    assert_eq!(lab.desk.most_at_once(), 10);
}

#[tokio::test(start_paused = true)]
async fn concurrency_bounds_the_calls_over_all_partitions() {
    #[consumes(crate = fk, topic = "in", order = "unordered", concurrency = 5)]
    async fn on(_: u32, meta: EventMetadata, State(desk): State<Desk>) {
        let _busy = desk.call(meta);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut lab = Lab::of::<on>(3, 50);
    lab.until(|labs| (0..3).all(|p| labs[0].committed(p) == Some(50)))
        .await;
    assert_eq!(lab.desk.most_at_once(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_key_retries_in_its_place_while_others_go_on() {
    #[consumes(crate = fk, topic = "in", order = "key", backoff = Duration::from_secs(1))]
    async fn on(_: u32, meta: EventMetadata, State(desk): State<Desk>) -> Result<(), String> {
        let _busy = desk.call(meta);
        match meta.offset() {
            0 if desk.times(0).len() < 3 => Err("not yet".into()),
            _ => Ok(()),
        }
    }
    let mut lab = keyed::<on>(&["a", "a", "b", "b", "b"]);
    lab.until(|labs| labs[0].desk.calls().len() == 4).await;
    assert_eq!(lab.committed(0), Some(0));
    assert!(
        lab.desk.now() < Duration::from_millis(500),
        "b waits for nobody"
    );
    lab.until_committed(0, 5).await;
    assert_eq!(offsets(&lab.desk.calls()), [0, 2, 3, 4, 0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_poison_key_stops_alone_and_health_names_it() {
    #[consumes(crate = fk, topic = "in", order = "key", attempts = 2)]
    async fn on(_: u32, meta: EventMetadata, State(desk): State<Desk>) -> Result<(), String> {
        let _busy = desk.call(meta);
        if meta.offset() == 1 {
            Err("no such account".into())
        } else {
            Ok(())
        }
    }
    let mut lab = keyed::<on>(&["b", "a", "a", "b", "b"]);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    lab.until_committed(0, 1).await;
    lab.pass(Duration::from_secs(60)).await;
    let mut calls = offsets(&lab.desk.calls());
    calls.sort_unstable();
    assert_eq!(calls, [0, 1, 1, 3, 4], "only its key waits");
    assert_eq!(
        lab.problems(),
        [
            "in[0] stands still at offset 1, with its key alone: `on` failed after 2 attempts: no such account"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_comes_after_what_its_key_has_before_it() {
    #[consumes(crate = fk, topic = "in", order = "key", dead_letter = "grave")]
    async fn on(value: u32, meta: EventMetadata, State(desk): State<Desk>) -> Result<(), Failure> {
        let _busy = desk.call(meta);
        if meta.offset() == 1 {
            return Err(Failure::reject("bad"));
        }
        to_out(value.to_string())
            .await
            .map(drop)
            .map_err(|error| Failure::retry(error.to_string()))
    }
    let mut lab = keyed::<on>(&["a", "a", "a", "b"]);
    lab.outbox.decide(|sent| match sent.topic.as_str() {
        "out" if sent.text() == "\"0\"" => Fate::Hold,
        _ => Fate::Ack,
    });
    lab.pass(Duration::from_secs(5)).await;
    assert!(!lab.outbox.sent().iter().any(|sent| sent.topic == "grave"));
    lab.outbox.report(1, ack);
    lab.until_committed(0, 4).await;
    let graves = lab.outbox.sent();
    let graves: Vec<_> = graves.iter().filter(|sent| sent.topic == "grave").collect();
    assert_eq!((graves.len(), graves[0].text()), (1, "1"));
}

#[tokio::test(start_paused = true)]
async fn a_lost_output_replays_its_key_and_no_other() {
    #[consumes(crate = fk, topic = "in", order = "key")]
    async fn on(
        value: u32,
        meta: EventMetadata,
        State(desk): State<Desk>,
    ) -> Result<(), ProduceError> {
        let _busy = desk.call(meta);
        to_out(value.to_string()).await.map(drop)
    }
    let mut lab = keyed::<on>(&["a", "b", "a", "b"]);
    let mut lost = false;
    lab.outbox.decide(move |sent| {
        if sent.text() == "\"0\"" && !std::mem::replace(&mut lost, true) {
            Fate::Hold
        } else {
            Fate::Ack
        }
    });
    lab.until(|labs| labs[0].desk.calls().len() == 4).await;
    lab.outbox
        .report(1, |token| token.fail(Failure::retry("lost")));
    lab.until_committed(0, 4).await;
    let calls = offsets(&lab.desk.calls());
    assert_eq!(calls[4..], [0, 2], "{calls:?}");
}

#[consumes(crate = fk, topic = "in", order = "key", enable_auto_commit = false, rebalance_timeout_ms = 1_000)]
async fn later(_: u32, meta: EventMetadata, ack: Ack, State(desk): State<Desk>) {
    let _busy = desk.call(meta);
    lock(&desk.acks).push((meta.offset(), ack));
}

#[tokio::test(start_paused = true)]
async fn an_offset_waits_for_its_ack_and_its_key_does_not() {
    let mut lab = keyed::<later>(&["a", "a", "b"]);
    lab.until(|labs| labs[0].desk.calls().len() == 3).await;
    let mut acks = std::mem::take(&mut *lock(&lab.desk.acks));
    acks.sort_by_key(|(offset, _)| *offset);
    let mut acks = acks.into_iter().map(|(_, ack)| ack);
    let first = acks.next().unwrap();
    for ack in acks {
        ack.ack().unwrap();
    }
    lab.pass(Duration::from_secs(1)).await;
    assert_eq!(lab.committed(0), Some(0));
    first.fail("not stored").unwrap();
    // Alone first, and what is behind it in its key when it is settled.
    for calls in [4, 5] {
        lab.until(|labs| labs[0].desk.calls().len() == calls).await;
        let (_, ack) = lock(&lab.desk.acks).pop().unwrap();
        ack.ack().unwrap();
    }
    lab.until_committed(0, 3).await;
    assert_eq!(lab.desk.times(2).len(), 1, "b was not replayed");
}

#[tokio::test(start_paused = true)]
async fn an_ack_after_the_revoke_counts_for_nothing() {
    let mut lab = keyed::<later>(&["a"]);
    lab.until(|labs| labs[0].desk.calls().len() == 1).await;
    lab.revoke([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    let (_, ack) = lock(&lab.desk.acks).pop().unwrap();
    assert_eq!(ack.ack(), Err(Revoked));
    lab.pass(Duration::from_secs(1)).await;
    assert_eq!(lab.committed(0), Some(0));
}

#[tokio::test(start_paused = true)]
async fn what_a_record_spawned_ends_before_its_next_attempt() {
    #[consumes(crate = fk, topic = "in", order = "key", backoff = Duration::from_millis(10))]
    async fn on(_: u32, meta: EventMetadata, State(desk): State<Desk>) {
        let task = desk.call(meta);
        let first = desk.times(0).len() == 1;
        spawn(async move {
            let _task = task;
            if first && meta.offset() == 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
                return Err("lost");
            }
            if first {
                std::future::pending::<()>().await;
            }
            Ok(())
        });
    }
    let mut lab = keyed::<on>(&["a", "a"]);
    lab.until_committed(0, 2).await;
    // The task of record 1 is gone before record 0, which is before it by key, begins again.
    assert_eq!(offsets(&lab.desk.calls()), [0, 1, 0, 1]);
    assert_eq!((lab.desk.most_at_once(), lab.desk.at_work()), (2, 0));
}

/// Waits at the gate.
#[consumes(crate = fk, topic = "in", order = "key", rebalance_timeout_ms = 1_000)]
async fn gated(_: u32, meta: EventMetadata, State(desk): State<Desk>) {
    let _busy = desk.call(meta);
    desk.gate.acquire().await.unwrap().forget();
}

#[tokio::test(start_paused = true)]
async fn a_revoke_waits_for_the_tasks_in_hand_and_starts_no_other() {
    let mut lab = keyed::<gated>(&["a", "a", "b"]);
    lab.until(|labs| labs[0].desk.at_work() == 2).await;
    lab.revoke([0]);
    lab.pass(Duration::from_millis(500)).await;
    lab.desk.gate.add_permits(2);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    assert_eq!(lab.committed(0), Some(1));
    let mut calls = offsets(&lab.desk.calls());
    calls.sort_unstable();
    assert_eq!(calls, [0, 2], "from the revoke on nothing starts [S10]");
}

#[tokio::test(start_paused = true)]
async fn a_straggler_locks_its_key_alone() {
    let world = World::new::<gated>();
    publish(&world, 0, &["a"]);
    let (mut old, mut new) = (world.member(), world.member());
    old.assign([0]);
    old.until(|labs| labs[0].desk.at_work() == 1).await;
    publish(&world, 0, &["b", "a"]);
    old.lose([0]);
    // The new owner is faster than the old one's notice of the loss.
    new.assign([0]);
    drive(&mut [&mut new, &mut old], |labs| {
        labs[0].desk.calls().len() == 2
    })
    .await;
    let end = world.desk.now() + Duration::from_secs(5);
    drive(&mut [&mut new, &mut old], |_| world.desk.now() >= end).await;
    assert_eq!(offsets(&world.desk.calls()), [0, 1], "b begins, a waits");
    world.desk.gate.add_permits(4);
    drive(&mut [&mut new, &mut old], |labs| {
        labs[0].committed(0) == Some(3)
    })
    .await;
    assert_eq!(offsets(&world.desk.calls()), [0, 1, 0, 2]);
    assert_eq!(world.desk.most_at_once(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_comes_back_waits_for_its_old_task() {
    let mut lab = keyed::<gated>(&["a", "b"]);
    lab.until(|labs| labs[0].desk.at_work() == 2).await;
    lab.lose([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    lab.assign([0]);
    lab.pass(Duration::from_secs(5)).await;
    assert_eq!(lab.desk.calls().len(), 2);
    lab.desk.gate.add_permits(4);
    lab.until_committed(0, 2).await;
    assert_eq!((lab.desk.calls().len(), lab.desk.most_at_once()), (4, 2));
}

#[tokio::test(start_paused = true)]
async fn a_key_waits_for_what_its_former_owner_spawned() {
    #[consumes(crate = fk, topic = "in", order = "key", rebalance_timeout_ms = 1_000)]
    async fn on(_: u32, meta: EventMetadata, State(desk): State<Desk>) {
        let task = desk.call(meta);
        if desk.calls().len() == 1 {
            spawn(async move {
                let _task = task;
                std::future::pending::<()>().await;
            });
        }
    }
    let world = World::new::<on>();
    publish(&world, 0, &["a"]);
    let (mut old, mut new) = (world.member(), world.member());
    old.assign([0]);
    old.until(|labs| labs[0].desk.calls().len() == 1).await;
    new.assign([0]);
    old.revoke([0]);
    drive(&mut [&mut new, &mut old], |labs| {
        labs[0].committed(0) == Some(1)
    })
    .await;
    assert_eq!(
        (world.desk.calls().len(), world.desk.most_at_once()),
        (2, 1)
    );
    assert_eq!(world.desk.at_work(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_batch_without_order_is_cut_at_a_record_that_does_not_decode() {
    #[consumes(crate = fk, topic = "in", order = "unordered", on_failure = "skip", max_poll_records = 6)]
    async fn on(values: Vec<u32>, metas: Vec<EventMetadata>, State(desk): State<Desk>) {
        assert!(!values.contains(&3));
        lock(&desk.batches).push((metas[0].offset(), values.len()));
    }
    let world = World::new::<on>();
    for offset in 0..9 {
        let payload = if offset == 3 {
            "x".to_owned()
        } else {
            offset.to_string()
        };
        lock(&world.cluster).publish(
            0,
            Entry {
                payload: Some(payload.into()),
                ..Entry::default()
            },
        );
    }
    lock(&world.cluster).committed.insert(place(0), 0);
    let mut lab = world.member();
    lab.assign([0]);
    lab.until_committed(0, 9).await;
    let mut batches = lock(&lab.desk.batches).clone();
    batches.sort_unstable();
    assert_eq!(batches, [(0, 3), (4, 2), (6, 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_without_order_that_fails_for_good_is_handled_record_by_record() {
    #[consumes(crate = fk, topic = "in", order = "unordered", attempts = 2, on_failure = "skip")]
    async fn on(
        values: Vec<u32>,
        metas: Vec<EventMetadata>,
        State(desk): State<Desk>,
    ) -> Result<(), Failure> {
        lock(&desk.batches).push((metas[0].offset(), values.len()));
        if values.contains(&1) {
            Err(Failure::retry("one"))
        } else {
            Ok(())
        }
    }
    let mut lab = Lab::of::<on>(1, 3);
    lab.until_committed(0, 3).await;
    let mut batches = lock(&lab.desk.batches).clone();
    assert_eq!(batches[..2], [(0, 3), (0, 3)]);
    batches[2..].sort_unstable();
    assert_eq!(batches[2..], [(0, 1), (1, 1), (2, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_without_order_may_name_the_record_that_failed() {
    #[consumes(crate = fk, topic = "in", order = "unordered", backoff = Duration::from_millis(10))]
    async fn on(
        values: Vec<u32>,
        metas: Vec<EventMetadata>,
        State(desk): State<Desk>,
    ) -> Result<(), BatchFailure> {
        let mut batches = lock(&desk.batches);
        batches.push((metas[0].offset(), values.len()));
        match values.iter().position(|value| *value == 2) {
            Some(at) if batches.len() == 1 => Err(BatchFailure::at(at, Failure::retry("two"))),
            _ => Ok(()),
        }
    }
    let mut lab = Lab::of::<on>(1, 4);
    lab.until_committed(0, 4).await;
    let handled: usize = lock(&lab.desk.batches)[1..].iter().map(|(_, n)| n).sum();
    assert_eq!(handled, 2, "what stands before the record is done");
}

#[tokio::test(start_paused = true)]
async fn blocking_handlers_have_a_thread_for_each_key() {
    #[consumes(crate = fk, topic = "in", order = "key", blocking, attempts = 2)]
    fn on(_: u32, meta: EventMetadata, State(desk): State<Desk>) -> Result<(), String> {
        let _busy = desk.call(meta);
        // Ends only when both keys are at work.
        while desk.most_at_once() < 2 {
            std::thread::yield_now();
        }
        if meta.offset() == 0 && desk.times(0).len() == 1 {
            return Err("again".into());
        }
        Ok(())
    }
    let mut lab = keyed::<on>(&["a", "b", "a"]);
    lab.until_committed(0, 3).await;
    assert_eq!(lab.desk.times(0).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_panic_and_a_time_out_are_failed_attempts_of_their_record() {
    #[consumes(crate = fk, topic = "in", order = "key", handler_timeout = Duration::from_secs(1), backoff = Duration::from_millis(10))]
    async fn on(_: u32, meta: EventMetadata, State(desk): State<Desk>) {
        let _busy = desk.call(meta);
        let first = desk.times(meta.offset()).len() == 1;
        assert!(!(first && meta.offset() == 0), "no");
        if first && meta.offset() == 1 {
            std::future::pending::<()>().await;
        }
    }
    let mut lab = keyed::<on>(&["a", "b", "c"]);
    lab.until_committed(0, 3).await;
    let tries = [0, 1, 2].map(|offset| lab.desk.times(offset).len());
    assert_eq!(tries, [2, 2, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_dies_ends_the_app() {
    struct Trap;
    impl Drop for Trap {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    #[consumes(crate = fk, topic = "in", order = "key", handler_timeout = Duration::from_secs(1))]
    async fn on(_: u32) {
        let _trap = Trap;
        std::future::pending::<()>().await;
    }
    let mut lab = Lab::of::<on>(1, 1);
    lab.until(|labs| labs[0].shared.failure().is_some()).await;
    assert_eq!(
        lab.shared.failure().unwrap(),
        "a task of in[0] died: `on` panicked where it cannot be caught, such as in a drop"
    );
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_the_tasks_in_hand_and_ends_at_its_deadline() {
    let mut lab = keyed::<gated>(&["a", "b", "a"]);
    lab.until(|labs| labs[0].desk.at_work() == 2).await;
    lab.shared.shut_down();
    lab.pass(Duration::from_secs(1)).await;
    lab.desk.gate.add_permits(1);
    lab.until(|labs| labs[0].over.is_some()).await;
    assert_eq!(lab.over, Some(Ok(())));
    assert_eq!((lab.desk.at_work(), lab.desk.calls().len()), (0, 2));
    assert_eq!(lab.committed(0), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_poison_key_holds_no_memory_of_the_others() {
    #[consumes(crate = fk, topic = "in", order = "key", attempts = "forever", backoff_max = Duration::from_secs(1), decoder = "bytes")]
    async fn on(_: &[u8], meta: EventMetadata) -> Result<(), String> {
        if meta.offset() == 0 {
            Err("poison".into())
        } else {
            Ok(())
        }
    }
    let world = World::new::<on>();
    {
        let mut cluster = lock(&world.cluster);
        for offset in 0..20_000 {
            let key = if offset % 1_000 == 0 {
                "poison"
            } else {
                "other"
            };
            let payload = Some(vec![b'x'; 1_000].into());
            let key = Some(key.into());
            cluster.publish(
                0,
                Entry {
                    key,
                    payload,
                    ..Entry::default()
                },
            );
        }
        cluster.committed.insert(place(0), 0);
    }
    let mut lab = world.member();
    lab.assign([0]);
    lab.until(|labs| labs[0].fetched() == 20_000).await;
    lab.pass(Duration::from_secs(60)).await;
    // 20 records of 20 MB wait.
    let held = lab.held_bytes(0);
    assert!((20_000..=1_200_000).contains(&held), "{held}");
}

#[tokio::test(start_paused = true)]
async fn order_holds_within_each_key_whatever_fails() {
    #[consumes(crate = fk, topic = "in", order = "key", concurrency = 8, attempts = "forever", backoff = Duration::from_millis(5))]
    async fn on(_: u32, meta: EventMetadata, State(desk): State<Desk>) -> Result<(), String> {
        let pause = desk.roll(20);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        if desk.roll(5) == 0 {
            return Err("dice".into());
        }
        let _done = desk.call(meta);
        Ok(())
    }
    const KEYS: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];
    let world = World::new::<on>();
    let keys: Vec<_> = (0..300)
        .map(|_| KEYS[usize::try_from(world.desk.roll(7)).unwrap()])
        .collect();
    publish(&world, 0, &keys);
    let mut lab = world.member();
    lab.assign([0]);
    lab.until_committed(0, 300).await;
    let mut last = HashMap::new();
    let calls = offsets(&lab.desk.calls());
    assert_eq!(calls.len(), 300, "none is handled twice [S4]");
    for offset in calls {
        let key = keys[usize::try_from(offset).unwrap()];
        assert!(
            last.insert(key, offset)
                .is_none_or(|before| before < offset)
        );
    }
}
