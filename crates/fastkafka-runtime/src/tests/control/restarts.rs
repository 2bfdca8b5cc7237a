use super::super::cluster::{Log, lock, place};
use super::super::lab::Lab;
use super::{at, moody, resume, seek, steady};
use crate::control::Seek;
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
