use super::super::cluster::{lock, place};
use super::super::lab::{HandlerState, Lab, to_out};
use super::super::outbox::{Fate, ack};
use super::{answered, at, gated, give_answers, moody, reach, seek, steady};
use crate::control::{ControlError, Seek, Target};
use crate::transport::Notice;
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, ProduceError, State};
use fastkafka_macros::consumes;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_seek_back_handles_again_and_its_commit_goes_back() {
    let mut lab = Lab::new::<steady>(1, 100);
    reach(&mut lab, 60).await;
    let moved = seek(&mut lab, ("in", 0), Seek::Offset(20)).await;
    assert_eq!(moved, Ok(vec![at(0, 20)]));
    assert_eq!(lab.committed(0), Some(20), "a crash does not undo it");
    lab.until_committed(0, 100).await;
    let calls = lab.state.offsets(0);
    let again = calls.iter().rposition(|offset| *offset == 20).unwrap();
    assert_eq!(calls[again..], (20..100).collect::<Vec<_>>());
    assert_eq!(
        calls[..again],
        (0..i64::try_from(again).unwrap()).collect::<Vec<_>>()
    );
    assert_eq!(lab.state.most_at_once(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_seek_forward_leaves_out_what_lies_between() {
    let mut lab = Lab::new::<steady>(1, 100);
    reach(&mut lab, 10).await;
    let moved = seek(&mut lab, "in", Seek::End).await;
    assert_eq!(moved, Ok(vec![at(0, 100)]));
    assert_eq!(lab.committed(0), Some(100));
    lab.fill(0, 2);
    lab.until_committed(0, 102).await;
    let calls = lab.state.offsets(0);
    assert!(calls.len() < 20);
    assert!(calls.ends_with(&[100, 101]));
}

#[tokio::test(start_paused = true)]
async fn what_was_in_hand_of_a_seek_ends_first_and_counts_for_nothing() {
    let mut lab = Lab::new::<gated>(1, 3);
    lab.until(|labs| labs[0].state.at_work() == 1).await;
    seek(&mut lab, ("in", 0), Seek::Offset(2)).await.unwrap();
    lab.pass(Duration::from_secs(5)).await;
    // The old lane still has it: nothing of the partition runs beside. [S5]
    assert_eq!((lab.state.offsets(0), lab.committed(0)), (vec![0], Some(2)));
    lab.state.gate.add_permits(1);
    lab.until(|labs| labs[0].state.offsets(0) == [0, 2]).await;
    seek(&mut lab, ("in", 0), Seek::Beginning).await.unwrap();
    assert_eq!(lab.committed(0), Some(0));
    lab.state.gate.add_permits(1);
    lab.until(|labs| labs[0].state.offsets(0) == [0, 2, 0])
        .await;
    assert_eq!(
        lab.committed(0),
        Some(0),
        "the old result of 2 moved nothing"
    );
    assert_eq!(lab.state.most_at_once(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_of_the_new_position_begins_before_its_commit_is_answered() {
    let mut lab = Lab::new::<steady>(2, 100);
    reach(&mut lab, 10).await;
    lock(&lab.member).answers = Some(Vec::new());
    let handle = lab.handle();
    let seek = lab.begin(async move { handle.seek(("in", 0), Seek::Beginning).await });
    lab.until(|labs| answered(labs[0], 1)).await;
    give_answers(&lab);
    lab.until(|labs| lock(&labs[0].member).seeks.len() == 1)
        .await;
    let begun = lab.state.offsets(0).len();
    lab.until_committed(1, 100).await;
    assert_eq!(lab.state.offsets(0).len(), begun);
    assert!(!seek.is_finished());
    give_answers(&lab);
    lock(&lab.member).answers = None;
    lab.until_committed(0, 100).await;
    assert_eq!(seek.await.unwrap(), Ok(vec![at(0, 0)]));
    assert_eq!(lab.state.offsets(0)[begun..], (0..100).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn what_is_read_at_the_old_position_while_a_seek_is_committed_does_not_follow_it() {
    let mut lab = Lab::new::<steady>(1, 100);
    lab.until_committed(0, 100).await;
    lock(&lab.member).answers = Some(Vec::new());
    let handle = lab.handle();
    let seek = lab.begin(async move { handle.seek(("in", 0), Seek::Offset(20)).await });
    lab.until(|labs| answered(labs[0], 1)).await;
    give_answers(&lab);
    lab.until(|labs| lock(&labs[0].member).seeks.len() == 1)
        .await;
    lab.fill(0, 10);
    lab.until(|labs| labs[0].fetched() == 110).await;
    lab.pass(Duration::from_secs(10)).await;
    assert_eq!((lab.state.calls().len(), lab.committed(0)), (100, Some(20)));
    give_answers(&lab);
    lock(&lab.member).answers = None;
    lab.until_committed(0, 110).await;
    assert_eq!(seek.await.unwrap(), Ok(vec![at(0, 20)]));
    assert_eq!(lab.state.offsets(0)[100..], (20..110).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_seek_forgets_what_failed_and_how_often() {
    let mut lab = Lab::new::<moody>(1, 3);
    lab.state.set_failing(true);
    lab.until(|labs| !labs[0].state.calls().is_empty()).await;
    seek(&mut lab, ("in", 0), Seek::Offset(0)).await.unwrap();
    assert!(lab.health().waiting.is_empty());
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    assert_eq!(lab.state.offsets(0), [0, 0, 0], "two attempts once more");
}

#[tokio::test(start_paused = true)]
async fn a_partition_is_not_moved_while_partitions_come_and_go() {
    let mut lab = Lab::new::<gated>(2, 3);
    lab.until(|labs| labs[0].state.at_work() == 2).await;
    lab.revoke([0]);
    lab.pass(Duration::from_secs(1)).await;
    let moved = seek(&mut lab, ("in", 1), Seek::Offset(2)).await;
    let (topic, partition) = ("in".to_owned(), 1);
    assert_eq!(moved, Err(ControlError::Rebalancing { topic, partition }));
    assert_eq!(lab.committed(1), Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_is_given_back_is_not_moved_when_it_is_back() {
    let mut lab = Lab::new::<steady>(1, 100);
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
    let calls = lab.state.offsets(0);
    let again = calls.iter().rposition(|offset| *offset == 5).unwrap();
    assert_eq!(calls[again..], (5..100).collect::<Vec<_>>());
    let times = calls.iter().filter(|offset| **offset == 5).count();
    assert_eq!(times, 2, "the late answer moved nothing");
}

#[tokio::test(start_paused = true)]
async fn a_partition_whose_rebalance_begins_while_its_position_is_asked_for_stays() {
    let mut lab = Lab::new::<gated>(2, 3);
    lab.until(|labs| labs[0].state.at_work() == 2).await;
    lock(&lab.member).answers = Some(Vec::new());
    let handle = lab.handle();
    let seek = lab.begin(async move { handle.seek(("in", 1), Seek::Offset(2)).await });
    lab.until(|labs| answered(labs[0], 1)).await;
    lab.revoke([1]);
    lab.pass(Duration::from_secs(1)).await;
    give_answers(&lab);
    lab.until(|_| seek.is_finished()).await;
    let (topic, partition) = ("in".to_owned(), 1);
    let refused = Err(ControlError::Rebalancing { topic, partition });
    assert_eq!(seek.await.unwrap(), refused);
    lab.state.gate.add_permits(1);
    lab.until(|labs| !labs[0].is_reading(1)).await;
    assert!(lab.committed(1) < Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_periodic_commit_that_is_due_with_the_seek_does_not_undo_it() {
    let mut lab = Lab::new::<steady>(1, 100);
    lock(&lab.member).commits_wait = true;
    lab.pass(Duration::from_secs(3)).await;
    assert_eq!(lab.committed(0), Some(0));
    seek(&mut lab, ("in", 0), Seek::Offset(20)).await.unwrap();
    assert_eq!(lab.committed(0), Some(20));
}

#[tokio::test(start_paused = true)]
async fn what_is_found_out_about_the_old_position_during_a_seek_stops_nothing() {
    let mut lab = Lab::new::<steady>(1, 10);
    lab.until_committed(0, 10).await;
    lock(&lab.member).answers = Some(Vec::new());
    let handle = lab.handle();
    let seek = lab.begin(async move { handle.seek(("in", 0), Seek::Offset(5)).await });
    lab.until(|labs| answered(labs[0], 1)).await;
    give_answers(&lab);
    lab.until(|labs| lock(&labs[0].member).seeks.len() == 1)
        .await;
    lab.notify(Notice::OutOfRange {
        place: place(0),
        position: 50,
        low: 0,
        high: 10,
    });
    lab.pass(Duration::from_secs(1)).await;
    give_answers(&lab);
    lock(&lab.member).answers = None;
    lab.until_committed(0, 10).await;
    assert!(seek.await.unwrap().is_ok());
    assert_eq!(lab.state.offsets(0)[10..], [5, 6, 7, 8, 9]);
    assert!(lab.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_is_lost_before_it_moves_stays() {
    let mut lab = Lab::new::<steady>(1, 100);
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
async fn a_seek_of_a_partition_that_went_and_came_back_may_be_tried_again() {
    let mut lab = Lab::new::<steady>(1, 100);
    reach(&mut lab, 10).await;
    lock(&lab.member).answers = Some(Vec::new());
    let handle = lab.handle();
    let seek = lab.begin(async move { handle.seek(("in", 0), Seek::Offset(5)).await });
    lab.until(|labs| answered(labs[0], 1)).await;
    lab.lose([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    let held = lock(&lab.member).answers.take().unwrap();
    lab.assign([0]);
    lab.until(|labs| labs[0].is_reading(0)).await;
    held.into_iter().for_each(|answer| lab.notify(answer));
    lab.until(|_| seek.is_finished()).await;
    let (topic, partition) = ("in".to_owned(), 0);
    assert_eq!(
        seek.await.unwrap(),
        Err(ControlError::Rebalancing { topic, partition })
    );
}

#[tokio::test(start_paused = true)]
async fn a_seek_that_cannot_be_committed_moves_and_says_so() {
    let mut lab = Lab::new::<steady>(1, 100);
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
    assert!(
        lab.state
            .offsets(0)
            .ends_with(&(0..100).collect::<Vec<_>>())
    );
}

#[tokio::test(start_paused = true)]
async fn late_reports_of_outputs_from_before_a_seek_move_nothing() {
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
    seek(&mut lab, ("in", 0), Seek::Beginning).await.unwrap();
    lab.until(|labs| labs[0].outbox.held() == 6).await;
    lab.outbox.report(3, ack);
    lab.pass(Duration::from_secs(5)).await;
    assert_eq!(lab.committed(0), Some(0));
    lab.outbox.report(3, ack);
    lab.until_committed(0, 3).await;
}
