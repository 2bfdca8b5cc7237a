use super::cluster::lock;
use super::keyed::keyed;
use super::lab::{HandlerState, Lab, StopFailing, to_out};
use super::outbox::{Fate, ack};
use crate::shared::Shared;
use fastkafka_core as fk;
use fastkafka_core::{Ack, EventMetadata, Failure, ProduceError, State};
use fastkafka_macros::consumes;
use std::time::Duration;

#[consumes(crate = fk, topic = "in")]
async fn steady(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    tokio::time::sleep(Duration::from_millis(50)).await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_in_the_middle_of_a_long_run_commits_all_that_was_handled() {
    let mut lab = Lab::new::<steady>(2, 1_000);
    lab.pass(Duration::from_millis(10_020)).await;
    let asked = lab.state.now();
    lab.shut_down().await.unwrap();
    assert!(lab.state.now() - asked < Duration::from_millis(200));
    for partition in 0..2 {
        let begun = i64::try_from(lab.state.offsets(partition).len()).unwrap();
        assert_eq!(lab.committed(partition), Some(begun));
    }
    assert!(lock(&lab.member).closed);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(lab.state.at_work(), 0);
}

/// Waits at the gate.
#[consumes(crate = fk, topic = "in")]
async fn gated(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    state.gate.acquire().await.unwrap().forget();
}

/// A member that has left sends no heartbeats: the group would give its records to another member, and
/// refuse its commits.
#[tokio::test(start_paused = true)]
async fn a_member_leaves_its_group_when_what_it_has_in_hand_has_ended() {
    let mut lab = Lab::new::<gated>(1, 3);
    lab.until(|labs| labs[0].state.at_work() == 1).await;
    lab.shared.shut_down();
    lab.pass(Duration::from_secs(20)).await;
    assert!(!lock(&lab.member).left);
    lab.state.gate.add_permits(1);
    lab.until(|labs| labs[0].over.is_some()).await;
    assert!(lock(&lab.member).left);
    assert_eq!(
        (lab.committed(0), lab.over.clone()),
        (Some(1), Some(Ok(())))
    );
    assert_eq!(lab.state.offsets(0), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_member_on_its_way_out_does_not_join_again_after_a_revoke() {
    let mut lab = Lab::new::<gated>(1, 3);
    lab.until(|labs| labs[0].state.at_work() == 1).await;
    lab.shared.shut_down();
    lab.revoke([0]);
    lab.pass(Duration::from_secs(1)).await;
    assert!(!lock(&lab.member).left);
    lab.state.gate.add_permits(1);
    lab.until(|labs| labs[0].over.is_some()).await;
    assert!(!lock(&lab.member).joins_again);
    assert_eq!(
        (lab.committed(0), lab.over.clone()),
        (Some(1), Some(Ok(())))
    );
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_the_reports_of_what_was_handled() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(
        value: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), ProduceError> {
        let _busy = state.call(meta);
        to_out(value.to_string()).await.map(drop)
    }
    let mut lab = Lab::new::<on>(1, 3);
    lab.outbox.decide(|_| Fate::Hold);
    lab.until(|labs| labs[0].outbox.held() == 3).await;
    lab.shared.shut_down();
    lab.pass(Duration::from_secs(5)).await;
    assert!(lab.over.is_none());
    lab.outbox.report(3, ack);
    lab.until(|labs| labs[0].over.is_some()).await;
    assert_eq!(
        (lab.committed(0), lab.over.clone()),
        (Some(3), Some(Ok(())))
    );
}

/// Shuts down with handlers that wait for ever, and says what the result is.
async fn cut(lab: &mut Lab, at_work: usize) -> String {
    lab.until(|labs| labs[0].state.at_work() == at_work).await;
    let asked = lab.state.now();
    let ended = lab.shut_down().await;
    assert!(lab.state.now() - asked <= Duration::from_secs(25));
    assert_eq!(lab.state.at_work(), 0, "a handler goes on");
    assert!(lock(&lab.member).closed, "the client is left open");
    ended.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_is_cut_at_the_deadline_is_named_with_its_record() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let stays = meta.offset() == 2;
        let _busy = state.call(meta);
        if stays {
            std::future::pending::<()>().await;
        }
    }
    let mut lab = Lab::new::<on>(2, 5);
    let told = cut(&mut lab, 2).await;
    assert_eq!(
        told,
        "handlers did not end in time: `on` on in[0] at offset 2, `on` on in[1] at offset 2"
    );
    assert_eq!((lab.committed(0), lab.committed(1)), (Some(2), Some(2)));
}

#[tokio::test(start_paused = true)]
async fn by_key_each_record_that_is_cut_is_named() {
    #[consumes(crate = fk, topic = "in", order = "key")]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let stays = meta.offset() != 1;
        let _busy = state.call(meta);
        if stays {
            std::future::pending::<()>().await;
        }
    }
    let mut lab = keyed::<on>(&["a", "b", "c", "a"]);
    let told = cut(&mut lab, 2).await;
    assert_eq!(
        told,
        "handlers did not end in time: `on` on in[0] at offset 0, `on` on in[0] at offset 2"
    );
}

#[tokio::test(start_paused = true)]
async fn of_a_batch_that_is_cut_all_records_are_named() {
    #[consumes(crate = fk, topic = "in", max_poll_records = 3)]
    async fn on(values: Vec<u32>, State(state): State<HandlerState>) {
        lock(&state.batches).push((0, values.len()));
        std::future::pending::<()>().await;
    }
    let mut lab = Lab::new::<on>(1, 5);
    lab.until(|labs| !lock(&labs[0].state.batches).is_empty())
        .await;
    let told = lab.shut_down().await.unwrap_err();
    assert_eq!(
        told,
        "handlers did not end in time: `on` on in[0] at offsets 0 to 2"
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_not_settled_at_the_deadline_is_named() {
    #[consumes(crate = fk, topic = "in", enable_auto_commit = false)]
    async fn on(_: u32, meta: EventMetadata, ack: Ack, State(state): State<HandlerState>) {
        lock(&state.acks).push((meta.offset(), ack));
    }
    let mut lab = Lab::new::<on>(1, 3);
    lab.until(|labs| lock(&labs[0].state.acks).len() == 3).await;
    let (_, ack) = lock(&lab.state.acks).remove(0);
    ack.ack().unwrap();
    let told = lab.shut_down().await.unwrap_err();
    assert_eq!(
        told,
        "records were handled and not settled in time: `on` on in[0] from offset 1"
    );
    assert_eq!(lab.committed(0), Some(1));
    assert!(lock(&lab.member).closed);
}

/// Record 0 has lost its output and is handled alone; the report of record 1 is late.
async fn told_of_late_reports(lab: &mut Lab) -> String {
    lock(&lab.cluster).block = Some(1);
    lab.outbox.decide(|_| Fate::Hold);
    lab.until(|labs| labs[0].outbox.held() == 2).await;
    lab.outbox
        .report(1, |token| token.fail(Failure::retry("broker gone")));
    lab.until(|labs| labs[0].outbox.held() == 2).await;
    assert_eq!(lab.state.offsets(0), [0, 1, 0]);
    lab.shut_down().await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_record_that_would_be_handled_again_is_not_named_for_its_late_report() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(
        value: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), ProduceError> {
        let _busy = state.call(meta);
        to_out(value.to_string()).await.map(drop)
    }
    let mut lab = Lab::new::<on>(1, 2);
    let told = told_of_late_reports(&mut lab).await;
    assert_eq!(
        told,
        "records were handled and not settled in time: `on` on in[0] from offset 0"
    );
}

#[tokio::test(start_paused = true)]
async fn by_key_too_only_what_counts_is_named_for_its_late_report() {
    #[consumes(crate = fk, topic = "in", order = "key")]
    async fn on(
        value: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), ProduceError> {
        let _busy = state.call(meta);
        to_out(value.to_string()).await.map(drop)
    }
    let mut lab = keyed::<on>(&["a", "a"]);
    let told = told_of_late_reports(&mut lab).await;
    assert_eq!(
        told,
        "records were handled and not settled in time: `on` on in[0] from offset 0"
    );
}

/// The partition is another member's: nobody waits for the record, but its handler has begun.
#[tokio::test(start_paused = true)]
async fn a_handler_at_work_on_a_lost_partition_has_the_time_of_the_shutdown_too() {
    for ends in [true, false] {
        let mut lab = Lab::new::<gated>(1, 3);
        lab.until(|labs| labs[0].state.at_work() == 1).await;
        lab.lose([0]);
        lab.until(|labs| labs[0].health().assigned.is_empty()).await;
        lab.shared.shut_down();
        lab.pass(Duration::from_secs(20)).await;
        assert_eq!((lab.over.clone(), lab.state.at_work()), (None, 1));
        if ends {
            lab.state.gate.add_permits(1);
        }
        lab.until(|labs| labs[0].over.is_some()).await;
        let cut = "handlers did not end in time: `gated` on in[0] at offset 0";
        let expected = if ends { Ok(()) } else { Err(cut.to_owned()) };
        assert_eq!(lab.over, Some(expected));
        assert_eq!(lab.committed(0), Some(0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_later_request_may_shorten_the_time_of_a_shutdown() {
    let mut lab = Lab::new::<gated>(1, 3);
    lab.until(|labs| labs[0].state.at_work() == 1).await;
    let asked = lab.state.now();
    lab.shared.shut_down();
    lab.pass(Duration::from_secs(5)).await;
    lab.shared.shut_down_within(Duration::from_secs(60));
    lab.pass(Duration::from_secs(1)).await;
    lab.shared.shut_down_within(Duration::from_secs(2));
    lab.until(|labs| labs[0].over.is_some()).await;
    let took = lab.state.now() - asked;
    assert!(took <= Duration::from_secs(8), "{took:?}");
    assert!(lab.over.take().is_some_and(|ended| ended.is_err()));
}

#[tokio::test(start_paused = true)]
async fn a_blocking_handler_that_does_not_end_is_named_at_the_deadline() {
    let seconds = seconds_until_it_is_named(Shared::shut_down).await;
    assert!((25..=26).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_deadline_is_the_deadline() {
    let left = Duration::from_secs(10);
    let seconds = seconds_until_it_is_named(|shared| shared.shut_down_within(left)).await;
    assert!((10..=11).contains(&seconds), "{seconds}");
}

async fn seconds_until_it_is_named(shut_down: impl FnOnce(&Shared)) -> u32 {
    #[consumes(crate = fk, topic = "in", blocking)]
    fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        while state.is_failing() {
            std::thread::yield_now();
        }
    }
    let mut lab = Lab::new::<on>(1, 1);
    let _stop_failing = StopFailing(lab.state.clone());
    lab.state.set_failing(true);
    // A thread at work holds the paused clock.
    while lab.state.at_work() == 0 {
        lab.until(|_| true).await;
        tokio::task::yield_now().await;
    }
    shut_down(&lab.shared);
    let mut seconds = 0;
    while lab.over.is_none() {
        tokio::time::advance(Duration::from_secs(1)).await;
        lab.until(|_| true).await;
        seconds += 1;
        assert!(seconds < 40, "it never ends");
    }
    assert_eq!(
        lab.over.take(),
        Some(Err(
            "handlers did not end in time: `on` on in[0] at offset 0; the client of group `lab` stays \
             open: a handler that does not return has its records"
                .into()
        ))
    );
    seconds
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_during_a_retry_leaves_its_record_open() {
    #[consumes(crate = fk, topic = "in", backoff = Duration::from_secs(10))]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), &'static str> {
        let _busy = state.call(meta);
        if meta.offset() == 1 {
            Err("no")
        } else {
            Ok(())
        }
    }
    let mut lab = Lab::new::<on>(1, 3);
    lab.until(|labs| !labs[0].health().waiting.is_empty()).await;
    let asked = lab.state.now();
    lab.shut_down().await.unwrap();
    assert!(lab.state.now() - asked < Duration::from_secs(1));
    assert_eq!(
        (lab.committed(0), lab.state.offsets(0)),
        (Some(1), vec![0, 1])
    );
}

#[tokio::test(start_paused = true)]
async fn offsets_that_were_refused_last_are_told_at_the_end() {
    let mut lab = Lab::new::<steady>(1, 10);
    lock(&lab.cluster).refuse_commits = Some("coordinator gone".into());
    lab.pass(Duration::from_secs(1)).await;
    let result = lab.shut_down().await;
    assert_eq!(
        result,
        Err("the last offsets could not be committed: in[0]: coordinator gone".into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_member_without_partitions_ends_at_once() {
    let mut lab = Lab::new::<steady>(0, 0);
    lab.shut_down().await.unwrap();
    assert!(lab.state.now() < Duration::from_secs(1));
}

/// As after a panic of the driver.
#[tokio::test(start_paused = true)]
async fn handlers_end_with_their_driver() {
    let mut lab = Lab::new::<gated>(2, 3);
    lab.until(|labs| labs[0].state.at_work() == 2).await;
    let state = lab.state.clone();
    drop(lab);
    while state.at_work() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(state.calls().len(), 2);
}
