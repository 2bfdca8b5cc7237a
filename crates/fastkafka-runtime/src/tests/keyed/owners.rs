use super::super::cluster::lock;
use super::super::lab::{HandlerState, StopFailing, World, drive};
use super::{gated, keyed, later, offsets, publish};
use crate::spawn;
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, Revoked, State};
use fastkafka_macros::consumes;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_revoke_waits_for_the_tasks_in_hand_and_starts_no_other() {
    let mut lab = keyed::<gated>(&["a", "a", "b"]);
    lab.until(|labs| labs[0].state.at_work() == 2).await;
    lab.revoke([0]);
    lab.pass(Duration::from_millis(500)).await;
    lab.state.gate.add_permits(2);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    assert_eq!(lab.committed(0), Some(1));
    let mut calls = offsets(&lab.state.calls());
    calls.sort_unstable();
    assert_eq!(calls, [0, 2], "from the revoke on nothing starts [S10]");
}

#[tokio::test(start_paused = true)]
async fn an_ack_after_the_revoke_counts_for_nothing() {
    let mut lab = keyed::<later>(&["a"]);
    lab.until(|labs| labs[0].state.calls().len() == 1).await;
    lab.revoke([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    let (_, ack) = lock(&lab.state.acks).pop().unwrap();
    assert_eq!(ack.ack(), Err(Revoked));
    lab.pass(Duration::from_secs(1)).await;
    assert_eq!(lab.committed(0), Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_straggler_locks_its_key_alone() {
    let world = World::new::<gated>();
    publish(&world, 0, &["a"]);
    let (mut old, mut new) = (world.member(), world.member());
    old.assign([0]);
    old.until(|labs| labs[0].state.at_work() == 1).await;
    publish(&world, 0, &["b", "a"]);
    old.lose([0]);
    // The new owner is faster than the old one's notice of the loss.
    new.assign([0]);
    drive(&mut [&mut new, &mut old], |labs| {
        labs[0].state.calls().len() == 2
    })
    .await;
    let end = world.state.now() + Duration::from_secs(5);
    drive(&mut [&mut new, &mut old], |_| world.state.now() >= end).await;
    assert_eq!(offsets(&world.state.calls()), [0, 1], "b begins, a waits");
    world.state.gate.add_permits(4);
    drive(&mut [&mut new, &mut old], |labs| {
        labs[0].committed(0) == Some(3)
    })
    .await;
    assert_eq!(offsets(&world.state.calls()), [0, 1, 0, 2]);
    assert_eq!(world.state.most_at_once(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_was_given_away_before_it_began_keeps_its_key_from_nobody() {
    let world = World::new::<gated>();
    publish(&world, 0, &["a"]);
    let (mut old, mut new) = (world.member(), world.member());
    old.assign([0]);
    old.until(|labs| labs[0].state.at_work() == 1).await;
    // The new owner is faster than the old one's notice of the loss, and loses it as well.
    new.assign([0]);
    new.until(|labs| labs[0].fetched() == 1).await;
    new.lose([0]);
    new.until(|labs| !labs[0].is_reading(0)).await;
    old.lose([0]);
    old.until(|labs| !labs[0].is_reading(0)).await;
    new.assign([0]);
    world.state.gate.add_permits(2);
    drive(&mut [&mut new, &mut old], |labs| {
        labs[0].committed(0) == Some(1)
    })
    .await;
    assert_eq!(offsets(&world.state.calls()), [0, 0]);
    assert_eq!(world.state.most_at_once(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_was_given_away_while_another_owns_the_partition_ends_and_keeps_no_key() {
    let world = World::new::<gated>();
    publish(&world, 0, &["a"]);
    let (mut old, mut new) = (world.member(), world.member());
    new.assign([0]);
    new.until(|labs| labs[0].state.at_work() == 1).await;
    // The old owner has not heard of its loss yet, and still reads.
    old.assign([0]);
    old.until(|labs| labs[0].fetched() == 1).await;
    old.pass(Duration::from_secs(1)).await;
    assert_eq!(old.numbered_keys(0), 1);
    old.lose([0]);
    old.until(|labs| !labs[0].is_reading(0)).await;
    publish(&world, 0, &["a"]);
    world.state.gate.add_permits(2);
    drive(&mut [&mut new, &mut old], |labs| {
        labs[0].committed(0) == Some(2)
    })
    .await;
    assert_eq!(offsets(&world.state.calls()), [0, 1]);
    assert_eq!(world.state.most_at_once(), 1);
    assert_eq!(old.numbered_keys(0), 0, "its task has ended");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_comes_back_waits_for_its_old_task() {
    let mut lab = keyed::<gated>(&["a", "b"]);
    lab.until(|labs| labs[0].state.at_work() == 2).await;
    lab.lose([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    lab.assign([0]);
    lab.pass(Duration::from_secs(5)).await;
    assert_eq!(lab.state.calls().len(), 2);
    lab.state.gate.add_permits(4);
    lab.until_committed(0, 2).await;
    assert_eq!((lab.state.calls().len(), lab.state.most_at_once()), (4, 2));
}

#[tokio::test(start_paused = true)]
async fn a_key_waits_for_what_its_former_owner_spawned() {
    #[consumes(crate = fk, topic = "in", order = "key", rebalance_timeout_ms = 1_000)]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let task = state.call(meta);
        if state.calls().len() == 1 {
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
    old.until(|labs| labs[0].state.calls().len() == 1).await;
    new.assign([0]);
    old.revoke([0]);
    drive(&mut [&mut new, &mut old], |labs| {
        labs[0].committed(0) == Some(1)
    })
    .await;
    assert_eq!(
        (world.state.calls().len(), world.state.most_at_once()),
        (2, 1)
    );
    assert_eq!(world.state.at_work(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_the_tasks_in_hand_and_ends_at_its_deadline() {
    let mut lab = keyed::<gated>(&["a", "b", "a"]);
    lab.until(|labs| labs[0].state.at_work() == 2).await;
    lab.shared.shut_down();
    lab.pass(Duration::from_secs(1)).await;
    lab.state.gate.add_permits(1);
    lab.until(|labs| labs[0].over.is_some()).await;
    let cut = "handlers did not end in time: `gated` on in[0] at offset 1";
    assert_eq!(lab.over, Some(Err(cut.into())));
    assert_eq!((lab.state.at_work(), lab.state.calls().len()), (0, 2));
    assert_eq!(lab.committed(0), Some(1));
}

#[tokio::test(start_paused = true)]
async fn tasks_that_wait_for_ever_are_dropped_at_the_deadline() {
    #[consumes(crate = fk, topic = "in", order = "key")]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        std::future::pending::<()>().await;
    }
    let mut lab = keyed::<on>(&["a", "b", "a"]);
    lab.until(|labs| labs[0].state.at_work() == 2).await;
    let asked = lab.state.now();
    let _ = lab.shut_down().await;
    assert!(lab.state.now() - asked <= Duration::from_secs(25));
    assert_eq!((lab.state.at_work(), lab.committed(0)), (0, Some(0)));
    assert!(lock(&lab.member).closed);
}

#[tokio::test(start_paused = true)]
async fn a_blocking_task_that_does_not_end_is_named_at_the_deadline() {
    #[consumes(crate = fk, topic = "in", order = "key", blocking)]
    fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        while state.is_failing() {
            std::thread::yield_now();
        }
    }
    let mut lab = keyed::<on>(&["a"]);
    let _stop_failing = StopFailing(lab.state.clone());
    lab.state.set_failing(true);
    // A thread at work holds the paused clock.
    while lab.state.at_work() == 0 {
        lab.until(|_| true).await;
        tokio::task::yield_now().await;
    }
    lab.shared.shut_down();
    let mut seconds = 0;
    while lab.over.is_none() {
        tokio::time::advance(Duration::from_secs(1)).await;
        lab.until(|_| true).await;
        seconds += 1;
        assert!(seconds < 40, "it never ends");
    }
    assert_eq!(
        lab.over.take(),
        Some(Err(
            "handlers did not end in time: `on` on in[0] at offset 0; the client of group `lab` stays \
             open: a handler that does not return has its records"
                .into()
        ))
    );
}
