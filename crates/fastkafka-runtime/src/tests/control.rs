use super::cluster::{lock, place};
use super::lab::{Desk, Lab, World, drive, handle, to_out};
use super::outbox::Fate;
use crate::control::{ControlError, Position, Seek, Target};
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, Failure, ProduceError, State};
use fastkafka_macros::consumes;
use std::time::Duration;

/// 50 ms per record.
#[consumes(crate = fk, topic = "in")]
async fn steady(_: u32, meta: EventMetadata, State(desk): State<Desk>) {
    let _busy = desk.call(meta);
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// Waits at the gate.
#[consumes(crate = fk, topic = "in")]
async fn gated(_: u32, meta: EventMetadata, State(desk): State<Desk>) {
    let _busy = desk.call(meta);
    desk.gate.acquire().await.unwrap().forget();
}

/// Fails while the weather is bad.
#[consumes(crate = fk, topic = "in", attempts = 2)]
async fn moody(_: u32, meta: EventMetadata, State(desk): State<Desk>) -> Result<(), Failure> {
    let _busy = desk.call(meta);
    if desk.is_bad() {
        Err(Failure::retry("bad"))
    } else {
        Ok(())
    }
}

fn at(partition: i32, offset: i64) -> Position {
    Position {
        topic: "in".to_owned(),
        partition,
        offset,
    }
}

/// Until the commits have come so far.
async fn reach(lab: &mut Lab, offset: i64) {
    lab.until(|labs| labs[0].committed(0) >= Some(offset)).await;
}

async fn pause(lab: &mut Lab, target: impl Into<Target>) {
    let (handle, target) = (lab.handle(), target.into());
    lab.ask(async move { handle.pause(target).await })
        .await
        .unwrap();
}

async fn resume(lab: &mut Lab, target: impl Into<Target>) {
    let (handle, target) = (lab.handle(), target.into());
    lab.ask(async move { handle.resume(target).await })
        .await
        .unwrap();
}

async fn seek(
    lab: &mut Lab,
    target: impl Into<Target>,
    to: Seek,
) -> Result<Vec<Position>, ControlError> {
    let (handle, target) = (lab.handle(), target.into());
    lab.ask(async move { handle.seek(target, to).await }).await
}

#[tokio::test(start_paused = true)]
async fn a_pause_takes_effect_at_the_next_record_and_commits_what_is_done() {
    let mut lab = Lab::of::<steady>(2, 1_000);
    lab.pass(Duration::from_millis(1_010)).await;
    pause(&mut lab, ("in", 0)).await;
    let begun = lab.desk.offsets(0);
    lab.pass(Duration::from_secs(10)).await;
    assert_eq!(lab.desk.offsets(0), begun, "nothing of it starts");
    assert!(begun.len() < 30);
    assert_eq!(lab.committed(0), Some(i64::try_from(begun.len()).unwrap()));
    assert!(lab.desk.offsets(1).len() > 100, "the other one goes on");
    resume(&mut lab, "in").await;
    lab.until_committed(0, 1_000).await;
    assert_eq!(lab.desk.offsets(0), (0..1_000).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_of_a_paused_partition() {
    let mut lab = Lab::of::<steady>(1, 0);
    lab.pass(Duration::from_secs(1)).await;
    pause(&mut lab, "in").await;
    lab.fill(0, 100);
    lab.pass(Duration::from_secs(10)).await;
    assert_eq!((lab.fetched(), lab.desk.offsets(0).len()), (0, 0));
    resume(&mut lab, "in").await;
    lab.until_committed(0, 100).await;
}

#[tokio::test(start_paused = true)]
async fn health_shows_a_pause_and_finds_no_fault_in_it() {
    let mut lab = Lab::of::<steady>(3, 1);
    lab.until_committed(2, 1).await;
    pause(&mut lab, "in").await;
    resume(&mut lab, ("in", 1)).await;
    let paused = [("in".to_owned(), 0), ("in".to_owned(), 2)];
    assert_eq!(lab.health().paused, paused);
    assert_eq!(lab.handle().paused(), paused);
    lab.pass(Duration::from_secs(300)).await;
    assert!(lab.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_pause_stays_when_its_partition_comes_back() {
    let mut lab = Lab::of::<steady>(2, 100);
    lab.pass(Duration::from_secs(1)).await;
    pause(&mut lab, ("in", 0)).await;
    lab.revoke([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    assert!(lab.handle().paused().is_empty());
    lab.assign([0]);
    lab.until(|labs| labs[0].is_reading(0)).await;
    let (begun, fetched) = (lab.desk.offsets(0).len(), lab.fetched());
    lab.until_committed(1, 100).await;
    assert_eq!((lab.desk.offsets(0).len(), lab.fetched()), (begun, fetched));
    assert_eq!(lab.handle().paused(), [("in".to_owned(), 0)]);
    resume(&mut lab, ("in", 0)).await;
    lab.until_committed(0, 100).await;
    assert_eq!(lab.desk.offsets(0), (0..100).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn all_workers_of_the_process_obey_whoever_has_the_partition() {
    let world = World::new::<steady>();
    for partition in 0..2 {
        world.fill(partition, 100);
        lock(&world.cluster).committed.insert(place(partition), 0);
    }
    let (mut one, mut two) = (world.member(), world.member());
    one.assign([0]);
    two.assign([1]);
    let handle = handle(&[&one, &two]);
    drive(&mut [&mut one, &mut two], |labs| {
        labs[0].desk.calls().len() > 10
    })
    .await;
    let asked = one.begin({
        let handle = handle.clone();
        async move { handle.pause("in").await }
    });
    drive(&mut [&mut one, &mut two], |_| asked.is_finished()).await;
    let begun = world.desk.calls().len();
    // The partition of one goes to the other.
    one.revoke([0]);
    drive(&mut [&mut one, &mut two], |labs| !labs[0].is_reading(0)).await;
    two.assign([0]);
    let end = world.desk.now() + Duration::from_secs(10);
    drive(&mut [&mut one, &mut two], |labs| labs[0].desk.now() >= end).await;
    assert!(two.is_reading(0));
    assert_eq!(world.desk.calls().len(), begun);
    assert_eq!(
        handle.paused(),
        [("in".to_owned(), 0), ("in".to_owned(), 1)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_seek_back_handles_again_and_its_commit_goes_back() {
    let mut lab = Lab::of::<steady>(1, 100);
    reach(&mut lab, 60).await;
    let moved = seek(&mut lab, ("in", 0), Seek::Offset(20)).await;
    assert_eq!(moved, Ok(vec![at(0, 20)]));
    assert_eq!(lab.committed(0), Some(20), "a crash does not undo it");
    lab.until_committed(0, 100).await;
    let calls = lab.desk.offsets(0);
    let again = calls.iter().rposition(|offset| *offset == 20).unwrap();
    assert_eq!(calls[again..], (20..100).collect::<Vec<_>>());
    assert_eq!(
        calls[..again],
        (0..i64::try_from(again).unwrap()).collect::<Vec<_>>()
    );
    assert_eq!(lab.desk.most_at_once(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_seek_forward_leaves_out_what_lies_between() {
    let mut lab = Lab::of::<steady>(1, 100);
    reach(&mut lab, 10).await;
    let moved = seek(&mut lab, "in", Seek::End).await;
    assert_eq!(moved, Ok(vec![at(0, 100)]));
    assert_eq!(lab.committed(0), Some(100));
    lab.fill(0, 2);
    lab.until_committed(0, 102).await;
    let calls = lab.desk.offsets(0);
    assert!(calls.len() < 20);
    assert!(calls.ends_with(&[100, 101]));
}

#[tokio::test(start_paused = true)]
async fn what_was_in_hand_of_a_seek_ends_first_and_counts_for_nothing() {
    let mut lab = Lab::of::<gated>(1, 3);
    lab.until(|labs| labs[0].desk.at_work() == 1).await;
    seek(&mut lab, ("in", 0), Seek::Offset(2)).await.unwrap();
    lab.pass(Duration::from_secs(5)).await;
    // The old lane still has it: nothing of the partition runs beside. [S5]
    assert_eq!((lab.desk.offsets(0), lab.committed(0)), (vec![0], Some(2)));
    lab.desk.gate.add_permits(1);
    lab.until(|labs| labs[0].desk.offsets(0) == [0, 2]).await;
    seek(&mut lab, ("in", 0), Seek::Beginning).await.unwrap();
    assert_eq!(lab.committed(0), Some(0));
    lab.desk.gate.add_permits(1);
    lab.until(|labs| labs[0].desk.offsets(0) == [0, 2, 0]).await;
    assert_eq!(
        lab.committed(0),
        Some(0),
        "the old result of 2 moved nothing"
    );
    assert_eq!(lab.desk.most_at_once(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_of_the_new_position_begins_before_its_commit_is_answered() {
    let mut lab = Lab::of::<steady>(2, 100);
    reach(&mut lab, 10).await;
    lock(&lab.member).answers = Some(Vec::new());
    let handle = lab.handle();
    let seek = lab.begin(async move { handle.seek(("in", 0), Seek::Beginning).await });
    lab.until(|labs| answered(labs[0], 1)).await;
    give_answers(&lab);
    lab.until(|labs| lock(&labs[0].member).seeks.len() == 1)
        .await;
    let begun = lab.desk.offsets(0).len();
    lab.until_committed(1, 100).await;
    assert_eq!(lab.desk.offsets(0).len(), begun);
    assert!(!seek.is_finished());
    give_answers(&lab);
    lock(&lab.member).answers = None;
    lab.until_committed(0, 100).await;
    assert_eq!(seek.await.unwrap(), Ok(vec![at(0, 0)]));
    assert_eq!(lab.desk.offsets(0)[begun..], (0..100).collect::<Vec<_>>());
}

fn answered(lab: &Lab, n: usize) -> bool {
    lock(&lab.member).answers.as_ref().map_or(0, Vec::len) == n
}

/// Lets the member hear what was kept back; what it asks then is kept back again.
fn give_answers(lab: &Lab) {
    let kept = lock(&lab.member).answers.replace(Vec::new());
    for notice in kept.unwrap_or_default() {
        lab.notify(notice);
    }
}

#[tokio::test(start_paused = true)]
async fn a_partition_is_not_moved_while_partitions_come_and_go() {
    let mut lab = Lab::of::<gated>(2, 3);
    lab.until(|labs| labs[0].desk.at_work() == 2).await;
    lab.revoke([0]);
    lab.pass(Duration::from_secs(1)).await;
    let moved = seek(&mut lab, ("in", 1), Seek::Offset(2)).await;
    let (topic, partition) = ("in".to_owned(), 1);
    assert_eq!(moved, Err(ControlError::Rebalancing { topic, partition }));
    assert_eq!(lab.committed(1), Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_is_given_back_is_not_moved_when_it_is_back() {
    let mut lab = Lab::of::<steady>(1, 100);
    reach(&mut lab, 10).await;
    lock(&lab.member).answers = Some(Vec::new());
    let handle = lab.handle();
    let seek = lab.begin(async move { handle.seek(("in", 0), Seek::Offset(5)).await });
    lab.until(|labs| answered(labs[0], 1)).await;
    give_answers(&lab);
    lab.until(|labs| lock(&labs[0].member).seeks.len() == 1)
        .await;
    let late = lock(&lab.member).answers.take().unwrap();
    lab.revoke([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    lab.assign([0]);
    reach(&mut lab, 50).await;
    late.into_iter().for_each(|notice| lab.notify(notice));
    lab.until_committed(0, 100).await;
    // It was committed before the partition went: that is where it came back.
    assert_eq!(seek.await.unwrap(), Ok(vec![at(0, 5)]));
    let calls = lab.desk.offsets(0);
    let again = calls.iter().rposition(|offset| *offset == 5).unwrap();
    assert_eq!(calls[again..], (5..100).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_is_lost_before_it_moves_stays() {
    let mut lab = Lab::of::<steady>(1, 100);
    reach(&mut lab, 10).await;
    lock(&lab.member).answers = Some(Vec::new());
    let handle = lab.handle();
    let seek = lab.begin(async move { handle.seek(("in", 0), Seek::Offset(5)).await });
    lab.until(|labs| answered(labs[0], 1)).await;
    lab.lose([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    give_answers(&lab);
    lab.until(|_| seek.is_finished()).await;
    let target = Target::from(("in", 0));
    assert_eq!(
        seek.await.unwrap(),
        Err(ControlError::NotAssigned { target })
    );
    assert!(lock(&lab.member).seeks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_seek_that_cannot_be_committed_moves_and_says_so() {
    let mut lab = Lab::of::<steady>(1, 100);
    reach(&mut lab, 10).await;
    lock(&lab.cluster).refuse_commits = Some("not coordinator".into());
    let moved = seek(&mut lab, ("in", 0), Seek::Beginning).await;
    let error = moved.unwrap_err().to_string();
    assert_eq!(
        error,
        "in[0] goes on at 0, which is not committed: not coordinator; seek again to be sure"
    );
    lock(&lab.cluster).refuse_commits = None;
    lab.until_committed(0, 100).await;
    assert!(lab.desk.offsets(0).ends_with(&(0..100).collect::<Vec<_>>()));
}

#[tokio::test(start_paused = true)]
async fn a_paused_partition_can_be_moved_and_stays_paused() {
    let mut lab = Lab::of::<steady>(1, 100);
    reach(&mut lab, 10).await;
    pause(&mut lab, "in").await;
    seek(&mut lab, ("in", 0), Seek::Offset(90)).await.unwrap();
    let begun = lab.desk.offsets(0).len();
    lab.pass(Duration::from_secs(10)).await;
    assert_eq!(
        (lab.desk.offsets(0).len(), lab.committed(0)),
        (begun, Some(90))
    );
    resume(&mut lab, "in").await;
    lab.until_committed(0, 100).await;
    assert_eq!(lab.desk.offsets(0)[begun..], (90..100).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_stopped_record_that_is_resumed_is_tried_again_with_all_attempts() {
    let mut lab = Lab::of::<moody>(1, 3);
    lab.desk.set_bad(true);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    // They come while it stands still, and are not lost.
    lab.fill(0, 7);
    lab.pass(Duration::from_secs(10)).await;
    let stopped = lab.health().stopped[0].clone();
    resume(&mut lab, &stopped).await;
    assert!(lab.health().stopped.is_empty());
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    assert_eq!(lab.desk.offsets(0), [0, 0, 0, 0]);
    lab.desk.set_bad(false);
    resume(&mut lab, "in").await;
    lab.until_committed(0, 10).await;
    assert_eq!(lab.desk.offsets(0)[4..], (0..10).collect::<Vec<_>>());
    assert!(lab.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_seek_leaves_a_stopped_record_behind() {
    let mut lab = Lab::of::<moody>(1, 3);
    lab.desk.set_bad(true);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    lab.desk.set_bad(false);
    seek(&mut lab, ("in", 0), Seek::Offset(1)).await.unwrap();
    lab.until_committed(0, 3).await;
    assert_eq!(lab.desk.offsets(0), [0, 0, 1, 2]);
    assert!(lab.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_seek_is_the_cure_for_a_log_that_was_cut() {
    let mut lab = Lab::of::<steady>(1, 10);
    lab.until_committed(0, 10).await;
    lab.revoke([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    // The topic was made anew.
    *lock(&lab.cluster).log(0) = super::cluster::Log::default();
    lab.fill(0, 4);
    lab.assign([0]);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    resume(&mut lab, "in").await;
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    let moved = seek(&mut lab, ("in", 0), Seek::Beginning).await;
    assert_eq!(moved, Ok(vec![at(0, 0)]));
    lab.until_committed(0, 4).await;
    assert_eq!(lab.desk.offsets(0)[10..], [0, 1, 2, 3]);
    assert!(lab.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn late_reports_of_outputs_from_before_a_seek_move_nothing() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(
        value: u32,
        meta: EventMetadata,
        State(desk): State<Desk>,
    ) -> Result<(), ProduceError> {
        let _busy = desk.call(meta);
        to_out(value.to_string()).await.map(drop)
    }
    let mut lab = Lab::of::<on>(1, 3);
    lab.outbox.decide(|_| Fate::Hold);
    lab.until(|labs| labs[0].outbox.held() == 3).await;
    seek(&mut lab, ("in", 0), Seek::Beginning).await.unwrap();
    lab.until(|labs| labs[0].outbox.held() == 6).await;
    lab.outbox.report(3, super::outbox::ack);
    lab.pass(Duration::from_secs(5)).await;
    assert_eq!(lab.committed(0), Some(0));
    lab.outbox.report(3, super::outbox::ack);
    lab.until_committed(0, 3).await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_done_is_refused_with_a_reason() {
    let mut lab = Lab::of::<steady>(2, 5);
    lab.until_committed(1, 5).await;
    let mut refused =
        async |target: Target, to| seek(&mut lab, target, to).await.unwrap_err().to_string();
    assert_eq!(
        refused("other".into(), Seek::End).await,
        "no consumer of the app reads `other`; it reads `in` in `lab`"
    );
    assert_eq!(
        refused(Target::of::<gated>(), Seek::End).await,
        format!(
            "no consumer of the app reads `in` of `{}::gated`; it reads `in` in `lab`",
            module_path!()
        )
    );
    assert_eq!(
        refused("in".into(), Seek::Offset(3)).await,
        "an offset belongs to one partition of `in`: name it, as in `(\"in\", 0)`"
    );
    assert_eq!(
        refused(("in", 7).into(), Seek::End).await,
        "in[7] is not assigned to this process"
    );
    assert_eq!(
        refused(("in", 0).into(), Seek::Offset(6)).await,
        "offset 6 is not in the log of in[0], which has 0 to 5"
    );
    assert_eq!(lab.committed(0), Some(5));
    let handle = lab.handle();
    lab.shut_down().await.unwrap();
    lab.shared.close();
    assert_eq!(handle.pause("in").await, Err(ControlError::Stopping));
    assert_eq!(
        crate::control::Handle::default().pause("in").await,
        Err(ControlError::NotStarted)
    );
}
