//! What a consumer is doing, as those see it who watch.

use super::cluster::{Entry, lock};
use super::lab::{HandlerState, Lab};
use crate::state::PartitionState;
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, Failure, State};
use fastkafka_macros::consumes;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Fails while it is told to.
#[consumes(crate = fk, topic = "in", auto_offset_reset = "earliest", attempts = 3, backoff = 2 * SECOND)]
async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) -> Result<(), Failure> {
    let _busy = state.call(meta);
    if state.is_failing() {
        return Err(Failure::retry("the till says: 4711"));
    }
    Ok(())
}

/// Waits to be let go on.
#[consumes(crate = fk, topic = "in", auto_offset_reset = "earliest")]
async fn gated(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    state.gate.acquire().await.unwrap().forget();
}

#[consumes(crate = fk, topic = "in", auto_offset_reset = "earliest", order = "key")]
async fn gated_by_key(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    state.gate.acquire().await.unwrap().forget();
}

#[consumes(crate = fk, topic = "in", auto_offset_reset = "earliest")]
async fn rejecting(_: u32) -> Result<(), Failure> {
    Err(Failure::reject("it stands still"))
}

const SECOND: Duration = Duration::from_secs(1);

fn state(lab: &Lab) -> crate::state::MemberState {
    lab.shared.state(lab.health())
}

fn partition(lab: &Lab, name: &str) -> PartitionState {
    state(lab).partitions[name].clone()
}

/// A record that was written so many seconds ago.
fn written(lab: &Lab, ago: u64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at = i64::try_from(now.as_millis()).unwrap() - i64::try_from(ago * 1_000).unwrap();
    let entry = Entry {
        payload: Some("7".into()),
        timestamp: Some(at),
        ..Entry::default()
    };
    lock(&lab.cluster).publish(0, entry);
    lab.fill(0, 0);
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_is_read_to_its_end_has_no_lag() {
    let mut lab = Lab::new::<on>(2, 7);
    lab.until_committed(1, 7).await;
    lab.pass(2 * SECOND).await;
    let one = partition(&lab, "in[1]");
    assert_eq!((&*one.topic, one.partition, one.handler), ("in", 1, "on"));
    assert_eq!((one.committed, one.settled, one.position), (Some(7), 7, 7));
    assert_eq!((one.end, one.lag), (Some(7), Some(0)));
    assert_eq!((one.lag_seconds, one.open), (Some(0.0), 0));
    assert_eq!((one.oldest_open, one.commit_age_seconds), (None, 0.0));
    assert!(!one.stopped && !one.paused);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_open_record_is_named_with_its_age_in_order_and_by_key() {
    for mut lab in [Lab::new::<gated>(1, 0), Lab::new::<gated_by_key>(1, 0)] {
        written(&lab, 100);
        written(&lab, 50);
        lab.until(|labs| labs[0].state.at_work() > 0).await;
        lab.pass(5 * SECOND).await;
        let one = partition(&lab, "in[0]");
        assert_eq!((one.oldest_open, one.open, one.lag), (Some(0), 2, Some(2)));
        assert_eq!((one.position, one.uncommitted_span), (2, 2));
        let age = one.lag_seconds.unwrap();
        assert!((100.0..200.0).contains(&age), "{age}");
        let stands = one.oldest_open_seconds.unwrap();
        assert!((3.0..6.0).contains(&stands), "{stands} of virtual time");
        assert!(one.in_hand > 0 && one.held_bytes > 0);
        lab.state.gate.add_permits(9);
        lab.until_committed(0, 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_read_of_a_paused_partition_has_waited_since_it_was_seen() {
    let mut lab = Lab::new::<on>(1, 3);
    lab.until_committed(0, 3).await;
    let paused = lab.handle();
    lab.ask(async move { paused.pause("in").await })
        .await
        .unwrap();
    lab.pass(SECOND).await;
    lab.fill(0, 4);
    lab.pass(10 * SECOND).await;
    let one = partition(&lab, "in[0]");
    assert!(one.paused);
    assert_eq!((one.settled, one.end, one.lag), (3, Some(7), Some(4)));
    let age = one.lag_seconds.unwrap();
    assert!((8.0..11.0).contains(&age), "{age}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_tried_again_says_when_and_what_stands_still_says_so() {
    let mut lab = Lab::new::<on>(1, 0);
    lab.state.set_failing(true);
    lab.fill(0, 2);
    // Between two attempts.
    let waits = |lab: &Lab| state(lab).waiting.into_iter().find(|one| one.due.is_some());
    lab.until(|labs| waits(labs[0]).is_some()).await;
    let waiting = waits(&lab).unwrap();
    assert_eq!(waiting.offset, 0);
    assert!((1..3).contains(&waiting.attempts), "{waiting:?}");
    assert!(waiting.due.unwrap() < 4 * SECOND, "{waiting:?}");
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    lab.pass(2 * SECOND).await;
    assert!(partition(&lab, "in[0]").stopped);
}

/// Nobody had looked at it before.
#[tokio::test(start_paused = true)]
async fn a_record_that_stands_still_has_an_age_and_is_not_held() {
    let mut lab = Lab::new::<rejecting>(1, 0);
    written(&lab, 100);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    lab.pass(2 * SECOND).await;
    let one = partition(&lab, "in[0]");
    assert_eq!((one.oldest_open, one.held_bytes), (Some(0), 0));
    let age = one.lag_seconds.unwrap();
    assert!((100.0..200.0).contains(&age), "{age}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_of_a_partition_that_is_given_away() {
    let mut lab = Lab::new::<on>(2, 1);
    lab.until_committed(1, 1).await;
    let names = |lab: &Lab| state(lab).partitions.into_keys().collect::<Vec<_>>();
    assert_eq!(names(&lab), ["in[0]", "in[1]"]);
    lab.revoke([1]);
    lab.until(|labs| !labs[0].is_reading(1)).await;
    assert_eq!(names(&lab), ["in[0]"]);
    lab.lose([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    assert_eq!(names(&lab), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_settled_and_not_committed_has_an_age() {
    let mut lab = Lab::new::<on>(1, 0);
    lab.pass(SECOND).await;
    lock(&lab.member).commits_wait = true;
    lab.fill(0, 5);
    lab.pass(30 * SECOND).await;
    let one = partition(&lab, "in[0]");
    assert_eq!((one.committed, one.settled, one.lag), (Some(0), 5, Some(0)));
    let age = one.commit_age_seconds;
    assert!((28.0..31.0).contains(&age), "{age}");
    lock(&lab.member).commits_wait = false;
    lab.until_committed(0, 5).await;
    lab.pass(2 * SECOND).await;
    assert_eq!(partition(&lab, "in[0]").commit_age_seconds, 0.0);
}
