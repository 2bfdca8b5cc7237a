//! Calls that move, pause or resume a partition are made until the client has done it.

use super::cluster::lock;
use super::lab::{HandlerState, Lab};
use crate::control::Seek;
use crate::health::ProblemCode;
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, Failure, State};
use fastkafka_macros::consumes;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[consumes(crate = fk, topic = "in")]
async fn steady(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    tokio::time::sleep(SECOND / 20).await;
}

/// Half a minute of a problem that may pass by itself, and the line of it.
async fn told(lab: &mut Lab) -> String {
    lab.pass(SECOND * 29).await;
    assert!(lab.problems().is_empty(), "{:?}", lab.problems());
    lab.pass(SECOND * 3).await;
    let [line] = &lab.problems()[..] else {
        panic!("{:?}", lab.problems());
    };
    line.clone()
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_cannot_be_moved_out_of_a_gap_is_told_and_moved_when_that_is_possible() {
    let mut lab = Lab::new::<steady>(2, 5);
    lab.until_committed(0, 5).await;
    {
        // Retention has gone on ahead.
        let mut cluster = lock(&lab.cluster);
        cluster.fill(0, 100);
        let log = cluster.log(0);
        log.entries.retain(|(offset, _)| *offset >= 50);
        log.low = 50;
    }
    lock(&lab.member).refuse_calls = 40;
    lab.fill(1, 1);
    let line = told(&mut lab).await;
    assert!(
        line.contains("in[0]") && line.contains("it cannot be moved to 50"),
        "{line}"
    );
    assert_eq!(lab.committed(1), Some(6), "the other goes on");
    lab.until_committed(0, 105).await;
    lab.pass(SECOND * 2).await;
    assert_eq!(lab.problems(), Vec::<String>::new());
    assert_eq!(lab.state.offsets(0)[5..8], [50, 51, 52]);
}

#[tokio::test(start_paused = true)]
async fn a_seek_that_the_client_cannot_make_reads_nothing_of_the_old_position() {
    for late in [false, true] {
        let mut lab = Lab::new::<steady>(1, 2_000);
        lock(&lab.cluster).block = Some(10);
        lab.until(|labs| labs[0].state.offsets(0).len() >= 20).await;
        lock(&lab.member).seeks_fail_late = late;
        lock(&lab.member).refuse_calls = if late { 0 } else { 1_000 };
        let handle = lab.handle();
        let sought = lab
            .ask(async move { handle.seek(("in", 0), Seek::Offset(1_900)).await })
            .await;
        sought.unwrap();
        let begun = lab.state.offsets(0).len();
        let line = told(&mut lab).await;
        assert!(line.contains("it cannot be moved to 1900"), "{line}");
        assert!(lab.shared.failure().is_none(), "nothing else has to end");
        assert_eq!(
            (lab.committed(0), lab.state.offsets(0).len()),
            (Some(1_900), begun)
        );
        lock(&lab.member).seeks_fail_late = false;
        lock(&lab.member).refuse_calls = 0;
        lab.until_committed(0, 2_000).await;
        assert_eq!(lab.state.offsets(0)[begun], 1_900);
        lab.pass(SECOND * 2).await;
        assert_eq!(lab.problems(), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_cannot_be_resumed_is_told_and_resumed_when_that_is_possible() {
    let mut lab = Lab::new::<steady>(1, 100);
    lab.until(|labs| labs[0].state.offsets(0).len() >= 3).await;
    let handle = lab.handle();
    lab.ask(async move { handle.pause("in").await.unwrap() })
        .await;
    lock(&lab.member).refuse_calls = 40;
    let handle = lab.handle();
    lab.ask(async move { handle.resume("in").await.unwrap() })
        .await;
    lab.fill(0, 3_000);
    let line = told(&mut lab).await;
    assert!(
        line.contains("in[0]") && line.contains("it cannot be resumed"),
        "{line}"
    );
    lab.until_committed(0, 3_100).await;
    assert_eq!(lab.problems(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_cannot_be_paused_is_not_read_all_the_same() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), Failure> {
        let _busy = state.call(meta);
        if state.is_failing() {
            return Err(Failure::transient("the database is down"));
        }
        Ok(())
    }
    let mut lab = Lab::new::<on>(1, 100_000);
    lab.state.set_failing(true);
    lock(&lab.member).refuse_calls = 1_000;
    lab.pass(SECOND * 20).await;
    assert!(lab.fetched() < 20_000, "{} fetched [S10]", lab.fetched());
    lock(&lab.member).refuse_calls = 0;
    lab.state.set_failing(false);
    lab.until_committed(0, 100_000).await;
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_is_given_back_is_not_moved_any_more() {
    let mut lab = Lab::new::<steady>(1, 2_000);
    lab.until(|labs| labs[0].state.offsets(0).len() >= 20).await;
    lock(&lab.member).refuse_calls = 1_000;
    let handle = lab.handle();
    lab.ask(async move { handle.seek(("in", 0), Seek::Offset(1_900)).await })
        .await
        .unwrap();
    lab.revoke([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    let left = lock(&lab.member).refuse_calls;
    lab.pass(SECOND * 60).await;
    assert_eq!(lock(&lab.member).refuse_calls, left);
    lab.assign([0]);
    lab.until_committed(0, 2_000).await;
    let problems = lab.problems();
    assert!(
        problems.is_empty(),
        "{problems:?} {}",
        ProblemCode::PartitionStuck
    );
}
