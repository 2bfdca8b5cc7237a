//! Records without progress are named, and end the readiness only when others wait for them.

use super::cluster::{Entry, lock};
use super::lab::{HandlerState, Lab, to_out};
use super::log::Log;
use super::outbox::{Fate, ack};
use crate::health::{Health, Problem, ProblemCode};
use crate::spawn;
use fastkafka_core as fk;
use fastkafka_core::{Ack, EventMetadata, Failure, ProduceError, State};
use fastkafka_macros::consumes;
use std::time::Duration;

pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) fn problems(lab: &Lab) -> Vec<Problem> {
    let groups = vec![lab.health()];
    let health = Health {
        groups,
        ..Health::default()
    };
    health.problems()
}

pub(super) fn is_ready(lab: &Lab) -> bool {
    problems(lab).iter().all(|problem| !problem.blocks)
}

/// Code, partition and offset of each.
pub(super) fn named(lab: &Lab) -> Vec<(ProblemCode, i32, i64)> {
    let problems = problems(lab);
    let named = problems.iter();
    named
        .map(|p| (p.code, p.partition.unwrap(), p.offset.unwrap()))
        .collect()
}

/// Waits for a permit at each record of partition 0.
#[consumes(crate = fk, topic = "in")]
pub(super) async fn waits(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    if meta.partition() == 0 {
        state.gate.acquire().await.unwrap().forget();
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_never_returns_is_told_after_half_a_minute_and_goes_when_it_has() {
    let mut lab = Lab::new::<waits>(2, 5);
    lab.pass(SECOND * 29).await;
    assert_eq!(named(&lab), []);
    lab.pass(SECOND * 2).await;
    assert_eq!(named(&lab), [(ProblemCode::HandlerStalled, 0, 0)]);
    let line = problems(&lab)[0].to_string();
    assert_eq!(
        line,
        "in[0] offset 0: its handler has not returned for 30 s, `waits`"
    );
    assert!(!is_ready(&lab), "four records wait behind it");
    lab.pass(SECOND * 3_000).await;
    assert_eq!(problems(&lab)[0].since.as_secs(), 3_030);
    // The next one has its own time.
    lab.state.gate.add_permits(1);
    lab.pass(SECOND).await;
    assert_eq!(named(&lab), []);
    lab.pass(SECOND * 30).await;
    assert_eq!(named(&lab), [(ProblemCode::HandlerStalled, 0, 1)]);
    lab.state.gate.add_permits(4);
    lab.until_committed(0, 5).await;
    lab.pass(SECOND).await;
    assert_eq!(named(&lab), []);
}

#[tokio::test(start_paused = true)]
async fn an_app_is_ready_until_a_record_waits_behind_the_one_in_hand() {
    let mut lab = Lab::new::<waits>(2, 1);
    lab.pass(SECOND * 40).await;
    assert_eq!(named(&lab), [(ProblemCode::HandlerStalled, 0, 0)]);
    assert!(is_ready(&lab), "nobody waits");
    lab.fill(1, 5);
    lab.pass(SECOND).await;
    assert!(is_ready(&lab), "those of the other partition do not wait");
    lab.fill(0, 1);
    lab.pass(SECOND).await;
    assert!(!is_ready(&lab));
    // The user waits for the records behind it, too.
    let handle = lab.handle();
    lab.ask(async move { handle.pause("in").await.unwrap() })
        .await;
    lab.pass(SECOND).await;
    assert!(is_ready(&lab));
}

#[tokio::test(start_paused = true)]
async fn a_slow_handler_that_goes_on_is_not_told() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        tokio::time::sleep(SECOND * 20).await;
    }
    let mut lab = Lab::new::<on>(1, 10);
    lab.until(|labs| {
        assert_eq!(named(labs[0]), []);
        labs[0].committed(0) == Some(10)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_log_names_it_once_a_minute() {
    let mut lab = Lab::new::<waits>(1, 5);
    let log = Log::default();
    let _subscribed = log.listen();
    lab.pass(SECOND * 100).await;
    let text = log.text();
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.contains("has not returned"))
        .collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains("in[0] offset 0") && lines[0].contains("`waits`"));
}

/// By key, a record of key "a" waits for a permit.
#[consumes(crate = fk, topic = "in", order = "key", stall_after = SECOND * 5)]
pub(super) async fn waits_by_key(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    if meta.offset() % 2 == 0 {
        state.gate.acquire().await.unwrap().forget();
    }
}

#[tokio::test(start_paused = true)]
async fn by_key_a_record_is_told_and_blocks_only_when_its_key_waits() {
    let mut lab = Lab::new::<waits_by_key>(1, 0);
    let send = |lab: &Lab, keys: &str| {
        let mut cluster = lock(&lab.cluster);
        for key in keys.chars() {
            let entry = Entry {
                key: Some(key.to_string().into()),
                payload: Some("1".into()),
                ..Entry::default()
            };
            cluster.publish(0, entry);
        }
    };
    send(&lab, "ab");
    lab.pass(SECOND * 4).await;
    assert_eq!(named(&lab), []);
    lab.pass(SECOND * 2).await;
    assert_eq!(named(&lab), [(ProblemCode::HandlerStalled, 0, 0)]);
    send(&lab, "cb");
    lab.pass(SECOND * 6).await;
    let expected = [0, 2].map(|offset| (ProblemCode::HandlerStalled, 0, offset));
    assert_eq!(named(&lab), expected);
    assert!(is_ready(&lab), "their keys have no other records");
    send(&lab, "a");
    lab.pass(SECOND).await;
    assert!(!is_ready(&lab));
    lab.state.gate.add_permits(9);
    lab.until_committed(0, 5).await;
    lab.pass(SECOND).await;
    assert_eq!(named(&lab), []);
}

/// Keeps the `Ack` of record 1 of partition 0.
#[consumes(crate = fk, topic = "in", enable_auto_commit = false)]
async fn keeps_one(_: u32, meta: EventMetadata, ack: Ack, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    if (meta.partition(), meta.offset()) == (0, 1) {
        lock(&state.acks).push((1, ack));
    } else {
        ack.ack().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_ack_that_nobody_settles_is_told_and_blocks_when_its_partition_is_full() {
    let mut lab = Lab::new::<keeps_one>(2, 10);
    lab.pass(SECOND * 29).await;
    assert_eq!(named(&lab), []);
    lab.pass(SECOND * 3).await;
    assert_eq!(lab.committed(0), Some(1));
    assert_eq!(named(&lab), [(ProblemCode::RecordOpen, 0, 1)]);
    let line = problems(&lab)[0].to_string();
    assert!(
        line.starts_with("in[0] offset 1: is handled and still open for 3"),
        "{line}"
    );
    assert!(
        line.contains("`keeps_one`") && line.contains("`Ack`"),
        "{line}"
    );
    assert!(is_ready(&lab), "those behind it are handled");
    lab.fill(0, 40_000);
    lab.pass(SECOND * 9).await;
    assert!(!is_ready(&lab), "they are not read any more");
    lock(&lab.state.acks)
        .drain(..)
        .for_each(|(_, ack)| ack.ack().unwrap());
    lab.until_committed(0, 40_010).await;
    lab.pass(SECOND).await;
    assert_eq!(named(&lab), []);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_end_and_an_output_without_a_report_are_told() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(
        value: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), ProduceError> {
        let _busy = state.call(meta);
        if meta.partition() == 0 {
            let gate = state.gate.clone();
            spawn(async move { gate.acquire().await.unwrap().forget() });
            return Ok(());
        }
        to_out(value.to_string()).await.map(drop)
    }
    let mut lab = Lab::new::<on>(2, 3);
    lab.outbox.decide(|_| Fate::Hold);
    lab.pass(SECOND * 32).await;
    let expected = [0, 1].map(|partition| (ProblemCode::RecordOpen, partition, 0));
    assert_eq!(named(&lab), expected);
    lab.state.gate.add_permits(3);
    lab.outbox.report(3, ack);
    lab.until_committed(0, 3).await;
    lab.until_committed(1, 3).await;
    lab.pass(SECOND).await;
    assert_eq!(named(&lab), []);
}

#[tokio::test(start_paused = true)]
async fn of_records_whose_reports_are_late_the_one_that_counts_is_told() {
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
    lock(&lab.cluster).block = Some(1);
    lab.outbox.decide(|_| Fate::Hold);
    lab.until(|labs| labs[0].outbox.held() == 2).await;
    lab.outbox
        .report(1, |token| token.fail(Failure::retry("broker gone")));
    // Record 1 is handled again when record 0 is settled: its first report does not count any more.
    lab.pass(SECOND * 40).await;
    assert_eq!(lab.state.offsets(0), [0, 1, 0]);
    assert_eq!(named(&lab), [(ProblemCode::RecordOpen, 0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_ended_at_its_time_limit_has_not_stalled() {
    #[consumes(crate = fk, topic = "in", handler_timeout = SECOND * 5, attempts = 3)]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        std::future::pending::<()>().await;
    }
    let mut lab = Lab::new::<on>(1, 5);
    lab.until(|labs| {
        let named = named(labs[0]);
        assert!(
            named.iter().all(|p| p.0 == ProblemCode::RecordStopped),
            "{named:?}"
        );
        !named.is_empty()
    })
    .await;
    assert_eq!(lab.state.times(0).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_next_attempt_has_not_stalled() {
    #[consumes(crate = fk, topic = "in", attempts = "forever", stall_after = SECOND)]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), Failure> {
        let _busy = state.call(meta);
        Err(Failure::retry("no"))
    }
    let mut lab = Lab::new::<on>(1, 5);
    lab.pass(SECOND * 100).await;
    assert_eq!(named(&lab), []);
}

#[tokio::test(start_paused = true)]
async fn what_was_given_away_is_not_told() {
    let mut lab = Lab::new::<keeps_one>(1, 10);
    lab.pass(SECOND * 40).await;
    assert_eq!(named(&lab).len(), 1);
    lab.lose([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    lab.pass(SECOND).await;
    assert_eq!(named(&lab), []);
}

#[tokio::test(start_paused = true)]
async fn a_poll_interval_that_was_exceeded_is_told_by_handler() {
    use crate::client_error::{ClientError, Lasting, Scope};
    let mut lab = Lab::new::<waits>(1, 1);
    let log = Log::default();
    let _subscribed = log.listen();
    lab.notify(crate::transport::Notice::Error(ClientError::new(
        "_MAX_POLL_EXCEEDED",
        Scope::Member,
        Lasting::Passing,
        "maximum poll interval exceeded",
    )));
    lab.pass(SECOND).await;
    let text = log.text();
    let line = text.lines().find(|line| line.contains("poll interval"));
    assert!(
        line.is_some_and(|line| line.contains("of waits to others")),
        "{text}"
    );
}

/// Keeps its thread until the test lets it go.
#[consumes(crate = fk, topic = "in")]
async fn blocks(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    while state.is_failing() {
        std::thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_handler_that_keeps_its_thread_for_a_second_is_told_with_its_record() {
    use super::lab::StopFailing;
    let mut lab = Lab::new::<blocks>(1, 3);
    lab.state.set_failing(true);
    let _end = StopFailing(lab.state.clone());
    let log = Log::default();
    let _subscribed = log.listen();
    // On a clock of the test's: the thread that is kept is another one.
    let mut now = Duration::ZERO;
    while lab.state.offsets(0).is_empty() {
        lab.turn_at(now);
        std::thread::yield_now();
    }
    for _ in 0..20 {
        now += SECOND / 4;
        lab.turn_at(now);
    }
    lab.state.set_failing(false);
    let text = log.text();
    let mut lines = text.lines().filter(|line| line.contains("thread back"));
    let line = lines.next().expect("it is told");
    assert!(line.contains("blocks") && line.contains("in[0]") && line.contains("offset=0"));
    assert_eq!(lines.next(), None, "once");
    while lab.state.offsets(0).len() < 3 {
        std::thread::yield_now();
    }
}
