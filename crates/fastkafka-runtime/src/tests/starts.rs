use super::cluster::lock;
use super::lab::{HandlerState, Lab, World};
use super::log::Log;
use crate::client_error::{ClientError, Lasting, Scope};
use crate::transport::{Notice, StartError};
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, State};
use fastkafka_macros::consumes;
use std::time::Duration;

#[consumes(crate = fk, topic = "in")]
async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
}

#[tokio::test(start_paused = true)]
async fn a_new_group_starts_at_the_end_and_commits_that_before_it_is_started() {
    let world = World::new::<on>();
    world.fill(0, 5);
    let mut lab = world.member();
    assert!(!lab.shared.is_started());
    lab.assign([0]);
    lab.until(|labs| labs[0].shared.is_started()).await;
    assert_eq!(lab.committed(0), Some(5));
    lab.fill(0, 2);
    lab.until_committed(0, 7).await;
    assert_eq!(lab.state.offsets(0), [5, 6]);
}

#[tokio::test(start_paused = true)]
async fn a_member_without_partitions_is_started() {
    let world = World::new::<on>();
    let mut lab = world.member();
    lab.assign([]);
    lab.until(|labs| labs[0].shared.is_started()).await;
    assert!(lab.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_group_that_may_not_choose_a_start_does_not_start() {
    let lab = &mut Lab::new::<on>(1, 1);
    lock(&lab.member).start_error = Some(StartError::NoCommit("in[0]".into()));
    lab.until(|labs| labs[0].shared.failure().is_some()).await;
    assert!(
        lab.shared
            .failure()
            .unwrap()
            .starts_with("no committed offset for in[0]")
    );
    assert!(!lab.shared.is_started());
}

#[tokio::test(start_paused = true)]
async fn an_assignment_that_the_client_does_not_take_ends_the_app() {
    let mut lab = Lab::new::<on>(1, 1);
    lock(&lab.member).refuse_assign = true;
    lab.until(|labs| labs[0].shared.failure().is_some()).await;
    assert!(!lab.shared.is_started());
}

#[tokio::test(start_paused = true)]
async fn starts_that_cannot_be_worked_out_are_asked_for_again() {
    let mut lab = Lab::new::<on>(1, 1);
    lock(&lab.member).start_error = Some(StartError::Retry("coordinator moves".into()));
    lab.pass(Duration::from_millis(400)).await;
    assert!(!lab.shared.is_started());
    lab.until_committed(0, 1).await;
    assert!(lab.state.now() < Duration::from_secs(2));
}

// The broker was away longer than the session: the pin is refused for as long as it is tried.
#[tokio::test(start_paused = true)]
async fn an_assignment_lost_before_its_start_is_known_is_given_up() {
    let mut lab = Lab::new::<on>(1, 3);
    lock(&lab.member).start_refused = true;
    lab.pass(Duration::from_secs(2)).await;
    lab.lose([0]);
    lab.until(|labs| !lock(&labs[0].member).lost).await;
    lock(&lab.member).start_refused = false;
    lab.assign([0]);
    lab.until_committed(0, 3).await;
    assert_eq!(lab.state.offsets(0), [0, 1, 2]);
}

// Between the two another member had the partition, and went on.
#[tokio::test(start_paused = true)]
async fn s3_a_start_of_an_assignment_that_was_given_up_is_not_taken_for_the_next() {
    let answers = |lab: &Lab| lock(&lab.member).answers.as_ref().map_or(0, Vec::len);
    let mut lab = Lab::new::<on>(1, 10);
    lock(&lab.member).answers = Some(Vec::new());
    lab.until(|labs| answers(labs[0]) == 1).await;
    lab.lose([0]);
    lab.until(|labs| !lock(&labs[0].member).lost).await;
    lock(&lab.cluster)
        .committed
        .insert(super::cluster::place(0), 5);
    lab.assign([0]);
    lab.until(|labs| answers(labs[0]) == 2).await;
    let kept = lock(&lab.member).answers.take().unwrap();
    for answer in kept {
        lab.notify(answer);
    }
    lab.until_committed(0, 10).await;
    assert_eq!(lab.state.offsets(0), [5, 6, 7, 8, 9]);
}

#[tokio::test(start_paused = true)]
async fn records_that_are_gone_are_left_out() {
    let mut lab = Lab::new::<on>(1, 10);
    {
        let mut cluster = lock(&lab.cluster);
        let log = cluster.log(0);
        (log.low, log.entries) = (6, log.entries.split_off(6));
    }
    lab.until_committed(0, 10).await;
    assert_eq!(lab.state.offsets(0), [6, 7, 8, 9]);
}

#[tokio::test(start_paused = true)]
async fn a_position_past_the_end_of_the_log_stops_its_partition_alone() {
    let mut lab = Lab::new::<on>(2, 3);
    lock(&lab.cluster)
        .committed
        .insert(super::cluster::place(0), 9);
    lab.until_committed(1, 3).await;
    lab.until(|labs| !labs[0].problems().is_empty()).await;
    lab.fill(0, 20);
    lab.fill(1, 1);
    lab.until_committed(1, 4).await;
    lab.pass(Duration::from_secs(5)).await;
    let problems = lab.problems();
    assert!(
        problems[0].contains("past the end of the log"),
        "{problems:?}"
    );
    assert_eq!((lab.committed(0), lab.state.offsets(0)), (Some(9), vec![]));
}

fn unreachable() -> Notice {
    let (scope, lasting) = (Scope::Cluster, Lasting::Passing);
    Notice::Error(ClientError::new(
        "_ALL_BROKERS_DOWN",
        scope,
        lasting,
        "all brokers down",
    ))
}

#[tokio::test(start_paused = true)]
async fn refused_commits_are_told_after_half_a_minute() {
    let mut lab = Lab::new::<on>(1, 1);
    lock(&lab.cluster).refuse_commits = Some("not authorised".into());
    lab.pass(Duration::from_secs(29)).await;
    assert!(lab.problems().is_empty());
    lab.pass(Duration::from_secs(3)).await;
    let problems = lab.problems();
    assert!(
        problems[0].starts_with("in[0]: commits are refused for 3"),
        "{problems:?}"
    );
    lock(&lab.cluster).refuse_commits = None;
    lab.until_committed(0, 1).await;
    lab.pass(Duration::from_secs(2)).await;
    assert!(lab.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_not_reached_is_told_after_half_a_minute() {
    let mut lab = Lab::new::<on>(1, 0);
    lock(&lab.member).notify(unreachable());
    lab.pass(Duration::from_secs(29)).await;
    assert!(lab.problems().is_empty());
    lab.pass(Duration::from_secs(3)).await;
    assert!(lab.problems()[0].starts_with("group `lab`: no broker is reached for 3"));
    lock(&lab.member).notify(Notice::Connected);
    lab.pass(Duration::from_secs(2)).await;
    assert!(lab.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_log_says_once_that_no_broker_is_reached_and_once_that_one_answers() {
    let mut lab = Lab::new::<on>(1, 0);
    let log = Log::default();
    let _subscribed = log.listen();
    for _ in 0..2 {
        for _ in 0..3 {
            lock(&lab.member).notify(unreachable());
            lab.pass(Duration::from_secs(1)).await;
        }
        lock(&lab.member).notify(Notice::Connected);
        lab.pass(Duration::from_secs(1)).await;
    }
    assert_eq!(log.text().matches("all brokers down").count(), 2);
    assert_eq!(log.text().matches("a broker answers again").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_the_broker_refuses_ends_the_start_and_later_only_the_readiness() {
    let refused = || {
        let message = "topic authorization failed";
        let error = ClientError::new(
            "TOPIC_AUTHORIZATION_FAILED",
            Scope::Topic,
            Lasting::Permanent,
            message,
        );
        Notice::Error(error.at(super::cluster::place(0)))
    };
    let world = World::new::<on>();
    let mut lab = world.member();
    lock(&lab.member).notify(refused());
    lab.until(|labs| labs[0].shared.failure().is_some()).await;

    let mut lab = Lab::new::<on>(1, 0);
    lab.until(|labs| labs[0].shared.is_started()).await;
    lock(&lab.member).notify(refused());
    lab.until(|labs| !labs[0].problems().is_empty()).await;
    assert!(lab.shared.failure().is_none());
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_fatal_to_the_client_ends_the_app() {
    let mut lab = Lab::new::<on>(1, 0);
    let fenced = ClientError::new(
        "FENCED_INSTANCE_ID",
        Scope::Client,
        Lasting::Permanent,
        "fenced",
    );
    lock(&lab.member).notify(Notice::Error(fenced));
    lab.until(|labs| labs[0].shared.failure().is_some()).await;
    assert_eq!(
        lab.shared.failure().unwrap(),
        "the consumer of group `lab` cannot go on: fenced"
    );
}

#[tokio::test(start_paused = true)]
async fn an_idle_member_is_polled_at_least_every_second() {
    let mut lab = Lab::new::<on>(1, 1);
    lab.pass(Duration::from_secs(60)).await;
    let polls = lock(&lab.member).polls.clone();
    let gap = polls.windows(2).map(|pair| pair[1] - pair[0]).max();
    assert!(gap.unwrap() <= Duration::from_millis(1_005), "{gap:?} [L3]");
}
