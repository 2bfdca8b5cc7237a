//! By key.

use super::super::cluster::lock;
use super::super::keyed::{keyed, offsets, publish};
use super::super::lab::{HandlerState, Lab};
use super::{answered, at, give_answers, pause, resume, seek};
use crate::control::Seek;
use crate::spawn;
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, Failure, State};
use fastkafka_macros::consumes;
use std::time::Duration;

/// Waits at the gate.
#[consumes(crate = fk, topic = "in", order = "key")]
async fn gated(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    state.gate.acquire().await.unwrap().forget();
}

/// Fails at record 1 while the test makes handlers fail.
#[consumes(crate = fk, topic = "in", order = "key", attempts = 2)]
async fn moody(
    _: u32,
    meta: EventMetadata,
    State(state): State<HandlerState>,
) -> Result<(), Failure> {
    let _busy = state.call(meta);
    if state.is_failing() && meta.offset() == 1 {
        Err(Failure::retry("bad"))
    } else {
        Ok(())
    }
}

/// What is kept in memory: bytes of records, and keys under a number.
fn kept(lab: &mut Lab) -> (u64, usize) {
    (lab.held_bytes(0), lab.numbered_keys(0))
}

#[tokio::test(start_paused = true)]
async fn a_pause_by_key_ends_what_is_in_hand_and_starts_no_other() {
    let mut lab = keyed::<gated>(&["a", "a", "b", "b"]);
    lab.until(|labs| labs[0].state.at_work() == 2).await;
    pause(&mut lab, "in").await;
    lab.state.gate.add_permits(4);
    lab.until_committed(0, 1).await;
    lab.pass(Duration::from_secs(10)).await;
    assert_eq!(offsets(&lab.state.calls()), [0, 2]);
    resume(&mut lab, "in").await;
    lab.until_committed(0, 4).await;
    assert_eq!(offsets(&lab.state.calls()), [0, 2, 1, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_seek_gives_back_what_was_kept_of_the_records_it_leaves_out() {
    let mut lab = keyed::<gated>(&["a", "a", "b", "c", "c"]);
    lab.until(|labs| labs[0].state.at_work() == 3).await;
    assert_eq!(kept(&mut lab), (10, 3));
    seek(&mut lab, ("in", 0), Seek::End).await.unwrap();
    // Each key keeps its number until its task has ended.
    assert_eq!(kept(&mut lab), (0, 3));
    lab.state.gate.add_permits(3);
    lab.until(|labs| labs[0].state.at_work() == 0).await;
    lab.pass(Duration::from_secs(1)).await;
    assert_eq!(kept(&mut lab), (0, 0));
    assert_eq!(lab.committed(0), Some(5));
    publish(&lab, 0, &["a"]);
    lab.state.gate.add_permits(1);
    lab.until_committed(0, 6).await;
    assert_eq!(kept(&mut lab), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_seek_back_by_key_waits_for_the_task_that_has_the_key() {
    let mut lab = keyed::<gated>(&["a", "b", "a"]);
    lab.until(|labs| labs[0].state.at_work() == 2).await;
    lab.state.gate.add_permits(1);
    // Record 0 is done, so record 2 has its key.
    lab.until(|labs| labs[0].state.calls().len() == 3).await;
    let moved = seek(&mut lab, ("in", 0), Seek::Beginning).await;
    assert_eq!((moved, lab.committed(0)), (Ok(vec![at(0, 0)]), Some(0)));
    lab.pass(Duration::from_secs(5)).await;
    assert_eq!(lab.state.calls().len(), 3, "1 and 2 are still in hand [S5]");
    lab.state.gate.add_permits(2);
    lab.until(|labs| labs[0].state.calls().len() == 5).await;
    assert_eq!(lab.committed(0), Some(0), "the old results moved nothing");
    lab.state.gate.add_permits(3);
    lab.until_committed(0, 3).await;
    assert_eq!(offsets(&lab.state.calls())[5..], [2]);
    assert_eq!(lab.state.most_at_once(), 2);
    assert_eq!(kept(&mut lab), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_read_at_the_old_position_while_a_seek_is_committed_is_not_kept() {
    let mut lab = keyed::<moody>(&["a", "b", "a"]);
    lab.until_committed(0, 3).await;
    lock(&lab.member).answers = Some(Vec::new());
    let handle = lab.handle();
    let seek = lab.begin(async move { handle.seek(("in", 0), Seek::Offset(1)).await });
    lab.until(|labs| answered(labs[0], 1)).await;
    give_answers(&lab);
    lab.until(|labs| lock(&labs[0].member).seeks.len() == 1)
        .await;
    publish(&lab, 0, &["c", "d"]);
    lab.until(|labs| labs[0].fetched() == 5).await;
    assert_eq!(kept(&mut lab), (0, 0));
    give_answers(&lab);
    lock(&lab.member).answers = None;
    lab.until_committed(0, 5).await;
    assert_eq!(seek.await.unwrap(), Ok(vec![at(0, 1)]));
    assert_eq!(offsets(&lab.state.calls())[3..], [1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_key_waits_after_a_seek_for_what_its_records_spawned() {
    #[consumes(crate = fk, topic = "in", order = "key")]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let task = state.call(meta);
        if state.calls().len() == 1 {
            spawn(async move {
                let _task = task;
                std::future::pending::<()>().await;
            });
        }
    }
    let mut lab = keyed::<on>(&["a"]);
    lab.until(|labs| labs[0].state.calls().len() == 1).await;
    seek(&mut lab, ("in", 0), Seek::Beginning).await.unwrap();
    lab.until_committed(0, 1).await;
    assert_eq!((lab.state.calls().len(), lab.state.most_at_once()), (2, 1));
    assert_eq!(lab.state.at_work(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_key_that_is_resumed_handles_all_behind_it_and_nothing_twice() {
    let mut lab = keyed::<moody>(&["good", "bad", "good", "bad"]);
    lab.state.set_failing(true);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    // They come while the key stands still: those of others are handled meanwhile.
    publish(&lab, 0, &["bad", "good", "bad"]);
    lab.pass(Duration::from_secs(10)).await;
    assert_eq!(offsets(&lab.state.calls()), [0, 1, 2, 1, 5]);
    resume(&mut lab, "in").await;
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    assert_eq!(
        offsets(&lab.state.calls())[5..],
        [1, 1],
        "all attempts anew"
    );
    lab.state.set_failing(false);
    let stopped = lab.health().stopped[0].clone();
    resume(&mut lab, &stopped).await;
    lab.until_committed(0, 7).await;
    assert_eq!(offsets(&lab.state.calls())[7..], [1, 3, 4, 6]);
    assert!(lab.problems().is_empty());
    assert_eq!(kept(&mut lab), (0, 0));
}
