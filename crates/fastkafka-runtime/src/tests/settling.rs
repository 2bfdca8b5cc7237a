use super::cluster::lock;
use super::lab::{HandlerState, Lab, to_out};
use super::outbox::{Fate, ack};
use crate::spawn;
use fastkafka_core as fk;
use fastkafka_core::{Ack, EventMetadata, Failure, ProduceError, Revoked, State};
use fastkafka_macros::consumes;
use std::time::Duration;

/// Puts its `Ack` on the state.
#[consumes(crate = fk, topic = "in", enable_auto_commit = false, attempts = 3)]
async fn later(_: u32, meta: EventMetadata, ack: Ack, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    lock(&state.acks).push((meta.offset(), ack));
}

fn take(lab: &Lab, offset: i64) -> Ack {
    let mut acks = lock(&lab.state.acks);
    let at = acks
        .iter()
        .position(|(of, _)| *of == offset)
        .expect("its `Ack` is in the state");
    acks.remove(at).1
}

#[tokio::test(start_paused = true)]
async fn an_offset_waits_for_its_ack_and_the_order_does_not() {
    let mut lab = Lab::new::<later>(1, 3);
    lab.until(|labs| labs[0].state.offsets(0).len() == 3).await;
    take(&lab, 1).ack().unwrap();
    take(&lab, 2).ack().unwrap();
    lab.pass(Duration::from_secs(5)).await;
    assert_eq!(lab.committed(0), Some(0));
    take(&lab, 0).ack().unwrap();
    lab.until_committed(0, 3).await;
    assert_eq!(lab.state.offsets(0), [0, 1, 2]);
}

// The handler's owner waits for a third `Ack` before it uses any, and one of two fails meanwhile.
#[tokio::test(start_paused = true)]
async fn a_failed_ack_is_told_while_others_of_its_run_are_held() {
    let mut lab = Lab::new::<later>(1, 2);
    lab.until(|labs| labs[0].state.offsets(0).len() == 2).await;
    take(&lab, 1).fail("not stored").unwrap();
    lab.until(|labs| labs[0].state.offsets(0) == [0, 1, 1])
        .await;
    take(&lab, 0).ack().unwrap();
    take(&lab, 1).ack().unwrap();
    lab.until_committed(0, 2).await;
    assert_eq!(lab.state.offsets(0), [0, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_or_dropped_ack_is_a_failed_attempt() {
    for fails in [true, false] {
        let mut lab = Lab::new::<later>(1, 1);
        for attempt in 1..=2 {
            lab.until(|labs| labs[0].state.offsets(0).len() == attempt)
                .await;
            let ack = take(&lab, 0);
            if fails {
                ack.fail("not stored").unwrap();
            } else {
                drop(ack);
            }
        }
        lab.until(|labs| labs[0].state.offsets(0).len() == 3).await;
        take(&lab, 0).ack().unwrap();
        lab.until_committed(0, 1).await;
        assert_eq!(lab.state.offsets(0), [0, 0, 0]);
    }
}

/// The `Ack` may be kept for as long as the partition stands.
#[tokio::test(start_paused = true)]
async fn a_partition_that_has_stopped_keeps_no_records_for_an_ack_that_is_kept() {
    let mut lab = Lab::new::<later>(1, 3);
    lab.until(|labs| labs[0].state.offsets(0).len() == 3).await;
    take(&lab, 0).ack().unwrap();
    for _ in 0..3 {
        lab.until(|labs| lock(&labs[0].state.acks).iter().any(|(of, _)| *of == 1))
            .await;
        take(&lab, 1).fail("not stored").unwrap();
    }
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    lab.pass(Duration::from_secs(1)).await;
    assert_eq!(lab.blocks(), 0);
    let kept = std::mem::take(&mut *lock(&lab.state.acks));
    assert_eq!(kept.len(), 1, "of record 2, when it was handled first");
    let handle = lab.handle();
    lab.ask(async move { handle.resume("in").await })
        .await
        .unwrap();
    lab.until(|labs| lock(&labs[0].state.acks).len() == 2).await;
    for offset in [2, 1] {
        take(&lab, offset).ack().unwrap();
    }
    // It is one of before.
    drop(kept);
    lab.until_committed(0, 3).await;
    assert_eq!(lab.state.offsets(0), [0, 1, 2, 1, 1, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn an_ack_after_the_partition_was_given_away_says_so() {
    let mut lab = Lab::new::<later>(1, 2);
    lab.until(|labs| labs[0].state.offsets(0).len() == 2).await;
    lab.revoke([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    assert_eq!(take(&lab, 0).ack(), Err(Revoked));
    assert_eq!(take(&lab, 1).fail("late"), Err(Revoked));
    lab.pass(Duration::from_secs(5)).await;
    assert_eq!(lab.committed(0), Some(0));
}

// A failure in between halts the lane; the `Ack` is of the one before.
#[tokio::test(start_paused = true)]
async fn an_ack_from_before_a_failure_says_that_the_partition_was_given_away() {
    #[consumes(crate = fk, topic = "in", enable_auto_commit = false)]
    async fn on(
        _: u32,
        meta: EventMetadata,
        ack: Ack,
        State(state): State<HandlerState>,
    ) -> Result<(), String> {
        let _busy = state.call(meta);
        if meta.offset() == 1 && state.times(1).len() == 1 {
            return Err("once".into());
        }
        lock(&state.acks).push((meta.offset(), ack));
        Ok(())
    }
    let mut lab = Lab::new::<on>(1, 2);
    lab.until(|labs| labs[0].state.offsets(0).len() == 3).await;
    lab.revoke([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    assert_eq!(take(&lab, 0).ack(), Err(Revoked));
}

#[tokio::test(start_paused = true)]
async fn an_offset_waits_for_what_its_record_spawned_and_the_order_does_not() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(value: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        if meta.offset() == 0 {
            let gate = state.gate.clone();
            spawn(async move {
                gate.acquire().await.unwrap().forget();
                to_out(value.to_string()).await.map(drop)
            });
        }
    }
    let mut lab = Lab::new::<on>(1, 3);
    lab.outbox.decide(|_| Fate::Hold);
    lab.until(|labs| labs[0].state.offsets(0).len() == 3).await;
    lab.pass(Duration::from_secs(5)).await;
    assert_eq!(lab.committed(0), Some(0));
    lab.state.gate.add_permits(1);
    lab.until(|labs| labs[0].outbox.held() == 1).await;
    lab.pass(Duration::from_secs(5)).await;
    // What the task produces is charged to the record, too.
    assert_eq!(lab.committed(0), Some(0));
    lab.outbox.report(1, ack);
    lab.until_committed(0, 3).await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_or_panicked_task_is_a_failed_attempt_of_its_record() {
    #[consumes(crate = fk, topic = "in", backoff = Duration::from_millis(10))]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        let attempt = state.times(meta.offset()).len();
        spawn(async move {
            assert!(attempt != 1, "the first");
            if attempt == 2 {
                Err("the second")
            } else {
                Ok(())
            }
        });
    }
    let mut lab = Lab::new::<on>(1, 1);
    lab.until_committed(0, 1).await;
    assert_eq!(lab.state.offsets(0), [0, 0, 0]);
}

/// Spawns a task that lasts a minute.
#[consumes(crate = fk, topic = "in", handler_timeout = Duration::from_secs(5))]
async fn slowly(
    _: u32,
    meta: EventMetadata,
    State(state): State<HandlerState>,
) -> Result<(), ProduceError> {
    let task = state.call(meta);
    spawn(async move {
        let _task = task;
        tokio::time::sleep(Duration::from_secs(60)).await;
    });
    if state.is_failing() {
        std::future::pending::<()>().await;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_a_record_spawned_is_over_before_it_is_tried_again() {
    let mut lab = Lab::new::<slowly>(1, 1);
    lab.state.set_failing(true);
    lab.until(|labs| labs[0].state.offsets(0).len() == 1).await;
    lab.state.set_failing(false);
    lab.until_committed(0, 1).await;
    assert_eq!(
        (lab.state.offsets(0), lab.state.most_at_once()),
        (vec![0, 0], 1)
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_record_spawned_is_aborted_when_its_partition_is_given_away() {
    let mut lab = Lab::new::<slowly>(1, 1);
    lab.until(|labs| labs[0].state.at_work() == 1).await;
    lab.revoke([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    assert!(
        lab.state.now() >= Duration::from_secs(10),
        "it had until the deadline"
    );
    lab.until(|labs| labs[0].state.at_work() == 0).await;
    assert!(lab.state.now() < Duration::from_secs(11));
    assert_eq!(lab.committed(0), Some(0));
}

#[tokio::test(start_paused = true)]
async fn what_a_record_spawned_does_not_outlive_the_shutdown() {
    let mut lab = Lab::new::<slowly>(1, 1);
    lab.until(|labs| labs[0].state.at_work() == 1).await;
    let _ = lab.shut_down().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(lab.state.at_work(), 0);
    assert_eq!(lab.committed(0), Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_the_handler_ends_what_it_spawned_and_is_counted_once() {
    #[consumes(crate = fk, topic = "in", attempts = 2)]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), Failure> {
        let task = state.call(meta);
        spawn(async move {
            let _task = task;
            tokio::time::sleep(Duration::from_secs(60)).await;
        });
        Err(Failure::retry("no"))
    }
    let mut lab = Lab::new::<on>(1, 1);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    let stopped = &lab.health().stopped[0];
    assert_eq!((stopped.attempts, &*stopped.error), (2, "no"));
    assert_eq!((lab.state.offsets(0).len(), lab.state.at_work()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn what_a_record_spawned_is_over_before_a_lost_output_has_it_handled_again() {
    #[consumes(crate = fk, topic = "in", backoff = Duration::from_millis(10))]
    async fn on(
        value: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), ProduceError> {
        let task = state.call(meta);
        if meta.offset() == 1 {
            spawn(async move {
                let _task = task;
                tokio::time::sleep(Duration::from_secs(5)).await;
            });
        }
        to_out(value.to_string()).await.map(drop)
    }
    let mut lab = Lab::new::<on>(1, 2);
    // One run each: the first closes while the task of the second goes on.
    lock(&lab.cluster).block = Some(1);
    lab.outbox.decide(|_| Fate::Hold);
    lab.until(|labs| labs[0].outbox.held() == 2).await;
    lab.outbox.decide(|_| Fate::Ack);
    lab.outbox
        .report(1, |token| token.fail(Failure::retry("broker gone")));
    lab.outbox.report(1, ack);
    lab.until_committed(0, 2).await;
    assert_eq!(
        (lab.state.offsets(0), lab.state.times(1).len()),
        (vec![0, 1, 0, 1], 2)
    );
    // Record 0 is called while nothing but itself is at work.
    assert_eq!(lab.state.most_at_once(), 1);
}
