//! Partitions whose starts cannot be worked out hold up themselves alone.

use super::cluster::lock;
use super::lab::{HandlerState, Lab, World};
use crate::health::{Health, ProblemCode};
use crate::transport::{Notice, StartError};
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, State};
use fastkafka_macros::consumes;
use std::time::Duration;

#[consumes(crate = fk, topic = "in")]
async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
}

fn no_leader() -> StartError {
    StartError::Retry("no leader".to_owned())
}

/// The start of this partition is not known until that is over.
fn hide(lab: &Lab, partition: i32, why: StartError) {
    lock(&lab.member).starts_unknown.insert(partition, why);
}

fn find(lab: &Lab, partition: i32) {
    lock(&lab.member).starts_unknown.remove(&partition);
}

// [H2]
#[tokio::test(start_paused = true)]
async fn a_partition_whose_start_is_not_known_holds_up_itself_alone() {
    let mut lab = Lab::new::<on>(2, 3);
    hide(&lab, 1, no_leader());
    lab.until_committed(0, 3).await;
    assert!(lab.state.now() < Duration::from_secs(2));
    assert!(!lab.shared.is_started());
    lab.pass(Duration::from_secs(15)).await;
    assert!(lab.shared.is_started(), "with what it has");
    assert!(!lab.is_reading(1));
    find(&lab, 1);
    let found = lab.state.now();
    lab.until_committed(1, 3).await;
    assert!(lab.state.now() - found < Duration::from_secs(4));
    assert_eq!(lab.state.offsets(1), [0, 1, 2]);
}

// [H1]
#[tokio::test(start_paused = true)]
async fn a_start_that_is_not_known_for_half_a_minute_is_told_until_it_is() {
    let mut lab = Lab::new::<on>(2, 1);
    hide(&lab, 1, no_leader());
    lab.pass(Duration::from_secs(29)).await;
    assert!(lab.problems().is_empty());
    lab.pass(Duration::from_secs(3)).await;
    let health = Health {
        groups: vec![lab.health()],
        ..Health::default()
    };
    assert!(!health.is_ready());
    let problem = &health.problems()[0];
    assert_eq!(problem.code, ProblemCode::StartUnknown);
    let told = problem.to_string();
    assert!(
        told.starts_with("in[1]: its first offset is not known, so nothing is read for 3"),
        "{told}"
    );
    let why = "cannot work out where to start: no leader";
    assert!(told.ends_with(why), "{told}");
    find(&lab, 1);
    lab.until_committed(1, 1).await;
    lab.pass(Duration::from_secs(1)).await;
    assert!(lab.problems().is_empty());
    // Nor is it ours to tell of a partition that is another's.
    let mut lab = Lab::new::<on>(2, 1);
    hide(&lab, 1, no_leader());
    lab.pass(Duration::from_secs(32)).await;
    assert_eq!(lab.problems().len(), 1);
    lab.revoke([1]);
    lab.pass(Duration::from_secs(1)).await;
    assert!(lab.problems().is_empty());
}

// The topic grows, and the leader of the new partition is away. [H2]
#[tokio::test(start_paused = true)]
async fn a_new_partition_without_a_start_does_not_hold_up_those_that_were_there() {
    let mut lab = Lab::new::<on>(1, 1);
    lab.until_committed(0, 1).await;
    hide(&lab, 1, no_leader());
    lab.assign([1]);
    lab.pass(Duration::from_secs(3)).await;
    lab.fill(0, 4);
    let sent = lab.state.now();
    lab.until_committed(0, 5).await;
    assert!(lab.state.now() - sent < Duration::from_secs(2));
    assert!(!lab.is_reading(1));
    find(&lab, 1);
    lab.until(|labs| labs[0].is_reading(1)).await;
}

#[tokio::test(start_paused = true)]
async fn an_assign_is_answered_in_time_also_when_nobody_says_where_to_start() {
    let mut lab = Lab::new::<on>(1, 1);
    lab.until_committed(0, 1).await;
    lock(&lab.member).answers = Some(Vec::new());
    lab.assign([1]);
    lab.pass(Duration::from_secs(3)).await;
    lab.fill(0, 1);
    let sent = lab.state.now();
    lab.until_committed(0, 2).await;
    assert!(lab.state.now() - sent < Duration::from_secs(2));
    // The answer comes at last.
    lab.fill(1, 1);
    let kept = lock(&lab.member).answers.take().unwrap();
    for answer in kept {
        lab.notify(answer);
    }
    lab.until(|labs| labs[0].is_reading(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_partition_without_a_start_is_given_back_or_lost_as_any_other() {
    for lost in [false, true] {
        let mut lab = Lab::new::<on>(2, 2);
        hide(&lab, 1, no_leader());
        lab.until_committed(0, 2).await;
        if lost {
            lab.lose([0, 1]);
        } else {
            lab.revoke([0, 1]);
        }
        lab.until(|labs| !labs[0].is_reading(0)).await;
        find(&lab, 1);
        lab.pass(Duration::from_secs(10)).await;
        assert!(!lab.is_reading(1), "it is another's");
        assert_eq!(lab.state.offsets(1), [0; 0]);
        lab.assign([1]);
        lab.until_committed(1, 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_waits_for_a_start_can_be_shut_down() {
    let mut lab = Lab::new::<on>(2, 2);
    hide(&lab, 1, no_leader());
    lab.until_committed(0, 2).await;
    let asked = lab.state.now();
    assert_eq!(lab.shut_down().await, Ok(()));
    assert!(lab.state.now() - asked < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_was_paused_before_its_start_is_known_is_read_paused() {
    let mut lab = Lab::new::<on>(2, 2);
    hide(&lab, 1, no_leader());
    lab.until_committed(0, 2).await;
    let handle = lab.handle();
    lab.ask(async move { handle.pause("in").await })
        .await
        .unwrap();
    find(&lab, 1);
    lab.until(|labs| labs[0].is_reading(1)).await;
    lab.pass(Duration::from_secs(5)).await;
    assert_eq!(lab.state.offsets(1), [0; 0]);
    let handle = lab.handle();
    lab.ask(async move { handle.resume("in").await })
        .await
        .unwrap();
    lab.until_committed(1, 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_start_that_may_not_be_worked_out_ends_the_start_of_the_app_and_later_keeps_its_partition()
 {
    let causes = [
        StartError::NoCommit("in[1]".to_owned()),
        StartError::Refused("topic authorization failed".to_owned()),
    ];
    for why in causes {
        let mut lab = Lab::new::<on>(2, 1);
        hide(&lab, 1, why.clone());
        lab.until(|labs| labs[0].shared.failure().is_some()).await;
        assert!(!lab.shared.is_started(), "{why:?}");

        let mut lab = Lab::new::<on>(1, 1);
        lab.until_committed(0, 1).await;
        hide(&lab, 1, why);
        lab.assign([1]);
        lab.pass(Duration::from_secs(5)).await;
        assert_eq!(lab.shared.failure(), None);
        lab.fill(0, 1);
        lab.until_committed(0, 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_consumer_with_nothing_to_read_is_started() {
    for nothing in [Notice::NoTopic, Notice::NoPartition] {
        let world = World::new::<on>();
        let mut lab = world.member();
        lab.notify(nothing);
        lab.until(|labs| labs[0].shared.is_started()).await;
        assert!(lab.problems().is_empty());
        // It comes later.
        lab.fill(0, 2);
        lock(&lab.cluster)
            .committed
            .insert(super::cluster::place(0), 0);
        lab.assign([0]);
        lab.until_committed(0, 2).await;
    }
}
