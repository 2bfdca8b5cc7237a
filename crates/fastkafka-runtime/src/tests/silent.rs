//! Partitions of which nothing comes are named until something does.

use super::cluster::place;
use super::lab::{HandlerState, Lab};
use super::stalls::{SECOND, problems};
use crate::client_error::{ClientError, Lasting, Scope};
use crate::health::ProblemCode;
use crate::transport::{Notice, Silent};
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, State};
use fastkafka_macros::consumes;
use std::time::Duration;

#[consumes(crate = fk, topic = "in")]
async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
}

/// Partition 0 is silent for so long, as the client says.
fn silent(lab: &Lab, lasts: Duration) {
    let why = "orders[0] has no leader".to_owned();
    lab.notify(Notice::Silence(vec![(
        place(0),
        Err(Silent { lasts, why }),
    )]));
}

/// Two partitions, and the first is silent for 40 s.
async fn lab() -> Lab {
    let mut lab = Lab::new::<on>(2, 3);
    lab.until_committed(0, 3).await;
    lab.pass(SECOND * 50).await;
    silent(&lab, SECOND * 12);
    lab.pass(SECOND * 17).await;
    assert!(problems(&lab).is_empty(), "it may pass");
    silent(&lab, SECOND * 29);
    lab.pass(SECOND * 2).await;
    lab
}

#[tokio::test(start_paused = true)]
async fn a_partition_of_which_nothing_comes_is_named_for_as_long_as_that_lasts() {
    let lab = lab().await;
    let problems = problems(&lab);
    let [problem] = &*problems else {
        panic!("{problems:?}")
    };
    assert_eq!(problem.code, ProblemCode::PartitionSilent);
    assert_eq!(
        problem.to_string(),
        "in[0]: nothing is read of it for 31 s: orders[0] has no leader"
    );
    assert_eq!(
        problem.ends(),
        "a record of it is read, or another client of the app can read it; where its leader was away, when that \
         answers"
    );
    assert!(problem.blocks);
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_the_leader_answers_a_record_comes_or_the_partition_is_given_away() {
    for end in 0..3 {
        let mut lab = lab().await;
        lab.fill(1, 1);
        lab.pass(SECOND).await;
        assert_eq!(
            problems(&lab).len(),
            1,
            "a record of the other one is no sign"
        );
        match end {
            0 => lab.notify(Notice::Silence(vec![(place(0), Ok(()))])),
            1 => lab.fill(0, 1),
            _ => lab.revoke([0]),
        }
        lab.pass(SECOND).await;
        assert!(problems(&lab).is_empty(), "{end}");
        // The client may not have heard of that yet.
        if end == 2 {
            silent(&lab, SECOND * 60);
            lab.pass(SECOND).await;
            assert!(problems(&lab).is_empty());
        }
    }
}

/// A broker's `UNKNOWN_SERVER_ERROR`: librdkafka tries again for ever, and its leader answers other questions.
#[tokio::test(start_paused = true)]
async fn a_partition_that_is_answered_with_an_error_again_and_again_is_named() {
    let mut lab = Lab::new::<on>(2, 3);
    lab.until_committed(0, 3).await;
    let fails = |lab: &Lab| {
        let error = ClientError::new("UNKNOWN", Scope::Request, Lasting::Passing, "it fails");
        lab.notify(Notice::Error(error.at(place(0))));
    };
    for second in 1..40 {
        fails(&lab);
        lab.pass(SECOND).await;
        let expected = usize::from(second >= 30);
        assert_eq!(problems(&lab).len(), expected, "{second}");
    }
    let [problem] = &*problems(&lab) else {
        panic!("it is named")
    };
    assert_eq!(problem.code, ProblemCode::PartitionSilent);
    assert!(problem.to_string().contains("it fails"), "{problem}");
    // Another client of the app could read it.
    lab.notify(Notice::Reads(place(0)));
    lab.pass(SECOND).await;
    assert!(problems(&lab).is_empty());
    fails(&lab);
    lab.pass(SECOND).await;
    lab.fill(0, 1);
    lab.pass(SECOND * 40).await;
    assert!(problems(&lab).is_empty(), "there are records again");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_for_a_reason_of_its_own_has_one_name() {
    let mut lab = Lab::new::<on>(1, 3);
    lab.until_committed(0, 3).await;
    let refused = ClientError::new(
        "TOPIC_AUTHORIZATION_FAILED",
        Scope::Topic,
        Lasting::Permanent,
        "no right",
    );
    lab.notify(Notice::Error(refused.at(place(0))));
    silent(&lab, SECOND * 60);
    lab.pass(SECOND).await;
    let codes: Vec<_> = problems(&lab).iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [ProblemCode::TopicRefused]);
}

/// Nothing is read of it, so nothing could show that its batch can be read again.
#[tokio::test(start_paused = true)]
async fn what_a_partition_cannot_be_read_for_is_no_problem_while_the_user_has_paused_it() {
    let mut lab = lab().await;
    lab.notify(Notice::Unreadable {
        place: place(1),
        position: 3,
        why: "damaged".to_owned(),
    });
    lab.pass(SECOND).await;
    assert_eq!(problems(&lab).len(), 2);
    let handle = lab.handle();
    lab.ask(async move { handle.pause("in").await.unwrap() })
        .await;
    lab.pass(SECOND).await;
    assert!(problems(&lab).is_empty());
    let handle = lab.handle();
    lab.ask(async move { handle.resume("in").await.unwrap() })
        .await;
    lab.pass(SECOND).await;
    assert_eq!(problems(&lab).len(), 2, "it is tried again");
    lab.fill(1, 1);
    lab.pass(SECOND).await;
    assert_eq!(problems(&lab).len(), 1);
}
