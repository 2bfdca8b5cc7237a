use super::super::cluster::{Log, lock, place};
use super::super::lab::Lab;
use super::{at, moody, resume, seek, steady};
use crate::control::Seek;
use crate::transport::Notice;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_stopped_record_that_is_resumed_is_tried_again_with_all_attempts() {
    let mut lab = Lab::new::<moody>(1, 3);
    lab.state.set_failing(true);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    // They come while it stands still, and are not lost.
    lab.fill(0, 7);
    lab.pass(Duration::from_secs(10)).await;
    let stopped = lab.health().stopped[0].clone();
    resume(&mut lab, &stopped).await;
    assert!(lab.health().stopped.is_empty());
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    assert_eq!(lab.state.offsets(0), [0, 0, 0, 0]);
    lab.state.set_failing(false);
    resume(&mut lab, "in").await;
    lab.until_committed(0, 10).await;
    assert_eq!(lab.state.offsets(0)[4..], (0..10).collect::<Vec<_>>());
    assert!(lab.problems().is_empty());
}

/// It may stand for days, and a batch that is half a megabyte on its way may be half a gigabyte in memory.
#[tokio::test(start_paused = true)]
async fn a_partition_that_has_stopped_keeps_no_records_and_is_read_again_when_it_goes_on() {
    let mut lab = Lab::new::<moody>(1, 100);
    lock(&lab.cluster).block = Some(10);
    lab.state.set_failing(true);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    for _ in 0..2 {
        lab.pass(Duration::from_secs(10)).await;
        assert_eq!(lab.blocks(), 0);
        lab.fill(0, 50);
    }
    lab.state.set_failing(false);
    resume(&mut lab, "in").await;
    lab.until_committed(0, 200).await;
    assert_eq!(lab.state.offsets(0)[2..], (0..200).collect::<Vec<_>>());
    assert!(lock(&lab.member).seeks.is_empty(), "no commit goes back");
    lab.pass(Duration::from_secs(1)).await;
    assert_eq!(lab.blocks(), 0);
}

/// It sends no offset that the broker has, and the next one would wait for the answer.
#[tokio::test(start_paused = true)]
async fn the_client_is_not_told_again_where_a_stopped_partition_goes_on() {
    let mut lab = Lab::new::<moody>(1, 3);
    seek(&mut lab, ("in", 0), Seek::Offset(1)).await.unwrap();
    lab.state.set_failing(true);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    lab.pass(Duration::from_secs(1)).await;
    lock(&lab.member).commits_wait = true;
    for stored in [false, true] {
        lab.state.set_failing(!stored);
        resume(&mut lab, "in").await;
        lab.pass(Duration::from_secs(1)).await;
        assert_eq!(lock(&lab.member).stored.contains_key(place(0)), stored);
    }
}

/// What stood behind the record is gone from memory: the client's own position is not where it goes on.
#[tokio::test(start_paused = true)]
async fn a_stopped_partition_whose_topic_was_made_anew_goes_on_at_its_record() {
    let mut lab = Lab::new::<moody>(1, 5);
    lab.state.set_failing(true);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    let (place, position) = (place(0), 5);
    lab.notify(Notice::MadeAnew { place, position });
    lab.until(|labs| labs[0].problems().len() == 2).await;
    lab.state.set_failing(false);
    resume(&mut lab, "in").await;
    lab.until_committed(0, 5).await;
    assert_eq!(lab.state.offsets(0), [0, 0, 0, 1, 2, 3, 4]);
    assert!(lab.problems().is_empty());
}

/// Nothing behind the record is left out, and what is settled before it does not come again.
#[tokio::test(start_paused = true)]
async fn a_stopped_partition_goes_on_when_its_client_can_be_moved() {
    let mut lab = Lab::new::<moody>(1, 3);
    lab.until_committed(0, 3).await;
    lab.state.set_failing(true);
    lab.fill(0, 3);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    lab.fill(0, 3);
    lab.pass(Duration::from_secs(1)).await;
    lab.state.set_failing(false);
    lock(&lab.member).refuse_calls = 7;
    resume(&mut lab, "in").await;
    lab.until_committed(0, 9).await;
    assert_eq!(lab.state.offsets(0)[3..], [3, 3, 3, 4, 5, 6, 7, 8]);
}

#[tokio::test(start_paused = true)]
async fn a_seek_leaves_a_stopped_record_behind() {
    let mut lab = Lab::new::<moody>(1, 3);
    lab.state.set_failing(true);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    lab.state.set_failing(false);
    seek(&mut lab, ("in", 0), Seek::Offset(1)).await.unwrap();
    lab.until_committed(0, 3).await;
    assert_eq!(lab.state.offsets(0), [0, 0, 1, 2]);
    assert!(lab.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_seek_is_the_cure_for_a_log_that_was_cut() {
    let mut lab = Lab::new::<steady>(1, 10);
    lab.until_committed(0, 10).await;
    lab.revoke([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    // The topic was made anew.
    *lock(&lab.cluster).log(0) = Log::default();
    lab.fill(0, 4);
    lab.assign([0]);
    lab.until(|labs| !labs[0].problems().is_empty()).await;
    resume(&mut lab, "in").await;
    lab.until(|labs| !labs[0].problems().is_empty()).await;
    let moved = seek(&mut lab, ("in", 0), Seek::Beginning).await;
    assert_eq!(moved, Ok(vec![at(0, 0)]));
    lab.until_committed(0, 4).await;
    assert_eq!(lab.state.offsets(0)[10..], [0, 1, 2, 3]);
    assert!(lab.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_log_that_has_grown_up_to_the_position_again_is_read_on_there() {
    let mut lab = Lab::new::<steady>(1, 4);
    lock(&lab.cluster).committed.insert(place(0), 10);
    lab.until(|labs| !labs[0].problems().is_empty()).await;
    lab.fill(0, 8);
    resume(&mut lab, "in").await;
    lab.until_committed(0, 12).await;
    assert_eq!(lab.state.offsets(0), [10, 11]);
    assert!(lab.problems().is_empty());
}
