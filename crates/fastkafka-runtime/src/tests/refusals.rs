//! What the client tells stays a problem until there is evidence of its own that it is over.

use super::cluster::{lock, place};
use super::lab::{HandlerState, Lab};
use crate::client_error::{ClientError, Lasting, Scope};
use crate::transport::Notice;
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, State};
use fastkafka_macros::consumes;
use std::time::Duration;

#[consumes(crate = fk, topic = "in", auto_offset_reset = "earliest")]
async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
}

const SECOND: Duration = Duration::from_secs(1);

fn refused(scope: Scope, what: &str) -> ClientError {
    ClientError::new("REFUSED", scope, Lasting::Permanent, what)
}

fn checked(topic: Result<(), ClientError>, group: Result<(), ClientError>) -> Notice {
    Notice::Checked {
        topics: vec![("in".to_owned(), topic)],
        group,
    }
}

/// There is this one problem.
async fn told(lab: &mut Lab, line: &str) {
    lab.until(|labs| matches!(&labs[0].problems()[..], [only] if only.starts_with(line)))
        .await;
}

async fn started(partitions: i32, records: i64) -> Lab {
    let mut lab = Lab::new::<on>(partitions, records);
    lab.until(|labs| labs[0].shared.is_started()).await;
    lab
}

#[tokio::test(start_paused = true)]
async fn h1_a_refused_topic_is_told_until_the_topic_is_there_whatever_else_is_committed() {
    let mut lab = started(2, 0).await;
    let gone = || refused(Scope::Topic, "unknown topic");
    lab.notify(checked(Err(gone()), Ok(())));
    told(&mut lab, "topic `in`: cannot be read").await;
    lab.fill(1, 5);
    lab.until_committed(1, 5).await;
    lab.pass(3600 * SECOND).await;
    assert!(lab.problems()[0].starts_with("topic `in`: cannot be read for 36"));
    // A look that was not answered is no evidence.
    let silence = ClientError::new("_TIMED_OUT", Scope::Cluster, Lasting::Passing, "");
    lab.notify(checked(Err(silence), Ok(())));
    lab.pass(SECOND).await;
    assert_eq!(lab.problems().len(), 1);
    lab.notify(checked(Ok(()), Ok(())));
    lab.until(|labs| labs[0].problems().is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn h1_a_refused_group_is_over_when_it_is_asked_and_answers_also_where_nothing_is_committed() {
    let mut lab = started(1, 0).await;
    lab.notify(Notice::Error(refused(Scope::Member, "no right")));
    told(&mut lab, "group `lab`: the consumer is refused").await;
    lab.notify(checked(Ok(()), Ok(())));
    lab.until(|labs| labs[0].problems().is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn h2_a_partition_that_may_not_be_read_is_told_by_itself_until_it_is_read() {
    let mut lab = started(2, 0).await;
    let error = refused(Scope::Topic, "no right").at(place(0));
    lab.notify(Notice::Error(error));
    told(&mut lab, "in[0]: cannot be read").await;
    lab.fill(1, 1);
    lab.until_committed(1, 1).await;
    assert_eq!(lab.problems().len(), 1);
    lab.notify(Notice::Reads(place(0)));
    lab.until(|labs| labs[0].problems().is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn h1_refused_commits_of_a_partition_that_was_given_away_are_another_members() {
    let mut lab = started(2, 1).await;
    lock(&lab.cluster).refuse_commits = Some("not authorised".into());
    lab.pass(40 * SECOND).await;
    assert_eq!(lab.problems().len(), 2, "{:?}", lab.problems());
    lab.revoke([0]);
    lab.until(|labs| labs[0].health().assigned.len() == 1).await;
    lab.pass(SECOND).await;
    let problems = lab.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("in[1]: commits are refused"));
    lock(&lab.cluster).refuse_commits = None;
    lab.until_committed(1, 1).await;
    lab.until(|labs| labs[0].problems().is_empty()).await;
    lab.shut_down().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn h3_a_commit_that_is_refused_at_the_end_is_told_with_its_partition() {
    let mut lab = started(2, 1).await;
    lab.until(|labs| labs[0].state.now() > SECOND).await;
    lock(&lab.cluster).refuse_commits = Some("not authorised".into());
    lab.fill(0, 1);
    lab.fill(1, 1);
    lab.until(|labs| (0..2).all(|p| labs[0].state.offsets(p).len() == 2))
        .await;
    let ended = lab.shut_down().await;
    assert_eq!(
        ended.unwrap_err(),
        "the last offsets could not be committed: in[0]: not authorised, in[1]: not authorised"
    );
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_refused_is_over_when_a_broker_answers() {
    let mut lab = started(1, 0).await;
    lab.notify(Notice::Error(refused(Scope::Login, "wrong password")));
    told(&mut lab, "group `lab`: the login is refused").await;
    lab.notify(Notice::Connected);
    lab.until(|labs| labs[0].problems().is_empty()).await;
}
