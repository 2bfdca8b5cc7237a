//! A consumer that is not in its group is named until it is.

use super::lab::{HandlerState, Lab};
use super::stalls::{SECOND, problems};
use crate::client_error::{ClientError, Lasting, Scope};
use crate::health::ProblemCode;
use crate::transport::{Absent, Notice};
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, State};
use fastkafka_macros::consumes;
use std::time::Duration;

#[consumes(crate = fk, topic = "in")]
async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
}

/// The client has not been in its group for so long, as it says.
fn absent(lab: &Lab, lasts: Duration) {
    let why = "its coordinator is not known".to_owned();
    lab.notify(Notice::Membership(Err(Absent { lasts, why })));
}

/// A member that was in its group for a while, and now is not for 31 seconds.
async fn lab() -> Lab {
    let mut lab = Lab::new::<on>(1, 3);
    lab.until_committed(0, 3).await;
    lab.pass(SECOND * 50).await;
    absent(&lab, SECOND * 12);
    lab.pass(SECOND * 17).await;
    assert!(problems(&lab).is_empty(), "it may pass");
    absent(&lab, SECOND * 29);
    lab.pass(SECOND * 2).await;
    lab
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_is_not_in_its_group_is_named_for_as_long_as_that_lasts() {
    let mut lab = lab().await;
    let named = problems(&lab);
    let [problem] = &*named else {
        panic!("{named:?}")
    };
    assert_eq!(problem.code, ProblemCode::NotInGroup);
    assert_eq!(
        problem.to_string(),
        "group `lab`: the consumer is not in the group for 31 s: its coordinator is not known"
    );
    assert!(problem.blocks);
    // A broker that answers does not make it a member.
    lab.notify(Notice::Connected);
    lab.pass(SECOND).await;
    assert_eq!(problems(&lab).len(), 1);
    lab.notify(Notice::Membership(Ok(())));
    lab.pass(SECOND).await;
    assert!(problems(&lab).is_empty());
}

#[tokio::test(start_paused = true)]
async fn partitions_are_evidence_that_it_is_in_its_group() {
    let mut lab = lab().await;
    lab.revoke([0]);
    lab.pass(SECOND).await;
    assert_eq!(problems(&lab).len(), 1);
    lab.assign([0]);
    lab.pass(SECOND).await;
    assert!(problems(&lab).is_empty());
}

/// Two outages of 20 seconds, with a broker that answers for a moment between them.
#[tokio::test(start_paused = true)]
async fn what_keeps_it_out_is_named_alone_once_it_is_named() {
    let mut lab = Lab::new::<on>(1, 3);
    lab.until_committed(0, 3).await;
    let away = || {
        let error = ClientError::new(
            "_ALL_BROKERS_DOWN",
            Scope::Cluster,
            Lasting::Passing,
            "down",
        );
        Notice::Error(error)
    };
    for _ in 0..2 {
        lab.notify(away());
        lab.pass(SECOND * 20).await;
        lab.notify(Notice::Connected);
        lab.pass(SECOND).await;
    }
    absent(&lab, SECOND * 42);
    lab.notify(away());
    lab.pass(SECOND).await;
    let codes = |lab: &Lab| {
        let problems = problems(lab).into_iter();
        problems.map(|problem| problem.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&lab), [ProblemCode::NotInGroup]);
    lab.pass(SECOND * 30).await;
    assert_eq!(codes(&lab), [ProblemCode::NoBroker]);
    lab.notify(Notice::Connected);
    lab.pass(SECOND).await;
    assert_eq!(codes(&lab), [ProblemCode::NotInGroup]);
}
