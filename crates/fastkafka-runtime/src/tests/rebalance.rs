use super::cluster::{lock, place};
use super::lab::{HandlerState, Lab, World, drive, to_out};
use super::outbox::{Fate, ack};
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, Failure, ProduceError, State};
use fastkafka_macros::consumes;
use std::time::Duration;

/// 50 ms per record.
#[consumes(crate = fk, topic = "in")]
async fn steady(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// Waits at the gate.
#[consumes(crate = fk, topic = "in", rebalance_timeout_ms = 3_000)]
async fn gated(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    state.gate.acquire().await.unwrap().forget();
}

#[tokio::test(start_paused = true)]
async fn a_revoke_in_the_middle_of_a_long_run_repeats_nothing() {
    let world = World::new::<steady>();
    world.fill(0, 1_000);
    lock(&world.cluster).committed.insert(place(0), 0);
    let (mut old, mut new) = (world.member(), world.member());
    old.assign([0]);
    old.pass(Duration::from_millis(10_020)).await;
    old.revoke([0]);
    let asked = world.state.now();
    old.until(|labs| !labs[0].is_reading(0)).await;
    // It waits for the record in hand and for no other.
    assert!(world.state.now() - asked < Duration::from_millis(60));
    new.assign([0]);
    drive(&mut [&mut old, &mut new], |labs| {
        labs[0].committed(0) == Some(1_000)
    })
    .await;
    assert_eq!(world.state.offsets(0), (0..1_000).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_crash_in_the_middle_of_a_long_run_repeats_the_record_in_hand_and_what_was_not_committed()
{
    let world = World::new::<steady>();
    world.fill(0, 1_000);
    lock(&world.cluster).committed.insert(place(0), 0);
    let mut old = world.member();
    old.assign([0]);
    old.pass(Duration::from_millis(10_020)).await;
    // One run is going on, and most of it is committed already. [L6]
    let committed = world.committed(0).unwrap();
    let begun = i64::try_from(world.state.offsets(0).len()).unwrap();
    assert!(
        (begun - 10..begun).contains(&committed),
        "{committed} of {begun}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_revoke_waits_for_the_reports_of_what_was_handled() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(
        value: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), ProduceError> {
        let _busy = state.call(meta);
        to_out(value.to_string()).await.map(drop)
    }
    let mut lab = Lab::new::<on>(1, 3);
    lab.outbox.decide(|_| Fate::Hold);
    lab.until(|labs| labs[0].outbox.held() == 3).await;
    lab.revoke([0]);
    lab.pass(Duration::from_secs(5)).await;
    assert!(lab.is_reading(0));
    lab.outbox.report(3, ack);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    assert_eq!(lab.committed(0), Some(3));
}

#[tokio::test(start_paused = true)]
async fn a_revoke_ends_at_its_deadline_and_a_later_result_moves_nothing() {
    let mut lab = Lab::new::<gated>(1, 3);
    lab.until(|labs| labs[0].state.at_work() == 1).await;
    lab.revoke([0]);
    let asked = lab.state.now();
    lab.until(|labs| !labs[0].is_reading(0)).await;
    let waited = lab.state.now() - asked;
    assert!(
        (Duration::from_secs(3)..Duration::from_millis(3_100)).contains(&waited),
        "{waited:?}"
    );
    lab.state.gate.add_permits(1);
    lab.pass(Duration::from_secs(2)).await;
    assert_eq!((lab.state.at_work(), lab.committed(0)), (0, Some(0)));
    assert_eq!(
        lab.state.offsets(0),
        [0],
        "from the revoke on nothing starts [S10]"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_partition_stores_nothing() {
    let mut lab = Lab::new::<gated>(2, 1);
    lab.until(|labs| labs[0].state.at_work() == 2).await;
    // The results come together with the loss.
    lab.state.gate.add_permits(2);
    while lab.state.at_work() > 0 {
        tokio::task::yield_now().await;
    }
    lab.lose([0, 1]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    lab.pass(Duration::from_secs(5)).await;
    assert_eq!((lab.committed(0), lab.committed(1)), (Some(0), Some(0)));
}

#[tokio::test(start_paused = true)]
async fn a_revoke_may_become_a_loss() {
    let mut lab = Lab::new::<gated>(1, 3);
    lab.until(|labs| labs[0].state.at_work() == 1).await;
    lab.revoke([0]);
    lab.pass(Duration::from_secs(1)).await;
    lock(&lab.member).lost = true;
    lab.until(|labs| !labs[0].is_reading(0)).await;
    lab.state.gate.add_permits(1);
    lab.pass(Duration::from_secs(1)).await;
    assert_eq!(lab.committed(0), Some(0));
    assert!(lab.state.now() < Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_comes_back_waits_for_its_old_handler() {
    let mut lab = Lab::new::<gated>(1, 3);
    lab.until(|labs| labs[0].state.at_work() == 1).await;
    lab.lose([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    lab.assign([0]);
    lab.until(|labs| labs[0].is_reading(0)).await;
    lab.pass(Duration::from_secs(5)).await;
    assert_eq!(lab.state.offsets(0), [0]);
    lab.state.gate.add_permits(4);
    lab.until_committed(0, 3).await;
    // The old result did not count; and the two never ran at once. [S5]
    assert_eq!(
        (lab.state.offsets(0), lab.state.most_at_once()),
        (vec![0, 0, 1, 2], 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_partition_is_handled_by_one_member_at_a_time_whoever_owns_it() {
    let world = World::new::<gated>();
    world.fill(0, 2);
    lock(&world.cluster).committed.insert(place(0), 0);
    let (mut old, mut new) = (world.member(), world.member());
    old.assign([0]);
    old.until(|labs| labs[0].state.at_work() == 1).await;
    old.lose([0]);
    old.until(|labs| !labs[0].is_reading(0)).await;
    new.assign([0]);
    let end = world.state.now() + Duration::from_secs(5);
    drive(&mut [&mut old, &mut new], |labs| labs[0].state.now() >= end).await;
    assert_eq!(world.state.offsets(0), [0]);
    world.state.gate.add_permits(3);
    drive(&mut [&mut old, &mut new], |labs| {
        labs[0].committed(0) == Some(2)
    })
    .await;
    assert_eq!(
        (world.state.offsets(0), world.state.most_at_once()),
        (vec![0, 0, 1], 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_partition_waits_for_what_its_former_owner_spawned() {
    #[consumes(crate = fk, topic = "in", rebalance_timeout_ms = 1_000)]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let task = state.call(meta);
        if state.offsets(0).len() == 1 {
            crate::spawn(async move {
                let _task = task;
                std::future::pending::<()>().await;
            });
        }
    }
    let world = World::new::<on>();
    world.fill(0, 1);
    lock(&world.cluster).committed.insert(place(0), 0);
    let (mut old, mut new) = (world.member(), world.member());
    old.assign([0]);
    old.until(|labs| labs[0].state.offsets(0).len() == 1).await;
    new.assign([0]);
    old.revoke([0]);
    // The new owner is a little faster than the abort.
    drive(&mut [&mut new, &mut old], |labs| !labs[1].is_reading(0)).await;
    drive(&mut [&mut new, &mut old], |labs| {
        labs[0].committed(0) == Some(1)
    })
    .await;
    assert_eq!(
        (world.state.offsets(0).len(), world.state.most_at_once()),
        (2, 1)
    );
    assert_eq!(world.state.at_work(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_revoke_leaves_the_other_partitions_at_work() {
    let mut lab = Lab::new::<steady>(2, 100);
    lab.pass(Duration::from_secs(1)).await;
    lab.revoke([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    lab.until_committed(1, 100).await;
    let first = lab.state.offsets(0).len();
    assert_eq!(lab.committed(0), Some(i64::try_from(first).unwrap()));
    assert!(first < 30);
}

#[tokio::test(start_paused = true)]
async fn attempts_start_again_with_an_assignment() {
    #[consumes(crate = fk, topic = "in", attempts = 2)]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), Failure> {
        let _busy = state.call(meta);
        if state.is_failing() {
            Err(Failure::retry("bad"))
        } else {
            Ok(())
        }
    }
    let mut lab = Lab::new::<on>(1, 1);
    lab.state.set_failing(true);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    lab.revoke([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    assert!(lab.problems().is_empty());
    lab.assign([0]);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    assert_eq!(lab.state.offsets(0).len(), 4);
}

#[tokio::test(start_paused = true)]
async fn no_dead_letter_is_begun_while_its_partition_drains() {
    #[consumes(crate = fk, topic = "in", dead_letter = "dead", rebalance_timeout_ms = 3_000)]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), Failure> {
        let _busy = state.call(meta);
        state.gate.acquire().await.unwrap().forget();
        Err(Failure::reject("no"))
    }
    let mut lab = Lab::new::<on>(1, 1);
    lab.until(|labs| labs[0].state.at_work() == 1).await;
    lab.revoke([0]);
    lab.pass(Duration::from_secs(1)).await;
    lab.state.gate.add_permits(1);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    lab.pass(Duration::from_secs(1)).await;
    assert!(lab.outbox.sent().is_empty());
    assert_eq!(lab.committed(0), Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_under_way_is_awaited() {
    #[consumes(crate = fk, topic = "in", dead_letter = "dead")]
    async fn on(_: u32) -> Result<(), Failure> {
        Err(Failure::reject("no"))
    }
    let mut lab = Lab::new::<on>(1, 2);
    lab.outbox.decide(|_| Fate::Hold);
    lab.until(|labs| labs[0].outbox.held() == 2).await;
    lab.revoke([0]);
    for _ in 0..2 {
        lab.pass(Duration::from_secs(2)).await;
        assert!(lab.is_reading(0));
        lab.outbox.report(1, ack);
    }
    lab.until(|labs| !labs[0].is_reading(0)).await;
    assert_eq!((lab.committed(0), lab.outbox.sent().len()), (Some(2), 2));
}
