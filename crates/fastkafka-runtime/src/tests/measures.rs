//! What is counted: each record once for each of its outcomes.

use super::cluster::lock;
use super::lab::{HandlerState, Lab};
use super::outbox::{Fate, Sent};
use crate::measures::GroupMeters;
use crate::transport::StartError;
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, Failure, State};
use fastkafka_macros::consumes;
use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Adds up what it is told, by name and labels.
#[derive(Debug, Default, Clone)]
struct Sums(Arc<Mutex<BTreeMap<String, f64>>>);

#[derive(Debug)]
struct Sum(Sums, String);

impl Sums {
    fn sum(&self, key: &Key) -> Arc<Sum> {
        let labels = key.labels().map(|label| format!(" {}", label.value()));
        Arc::new(Sum(
            self.clone(),
            format!("{}{}", key.name(), labels.collect::<String>()),
        ))
    }

    fn read(&self, name: &str) -> f64 {
        self.0
            .lock()
            .unwrap()
            .get(name)
            .copied()
            .unwrap_or_default()
    }
}

impl Sum {
    fn add(&self, value: f64) {
        *self.0.0.lock().unwrap().entry(self.1.clone()).or_default() += value;
    }
}

impl CounterFn for Sum {
    fn increment(&self, value: u64) {
        #[expect(clippy::cast_precision_loss)]
        self.add(value as f64);
    }
    fn absolute(&self, _: u64) {
        unreachable!("nobody sets a counter")
    }
}

/// Counts values.
impl HistogramFn for Sum {
    fn record(&self, _: f64) {
        self.add(1.0);
    }
}

impl Recorder for Sums {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.sum(key))
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        unreachable!("gauges are written from the state")
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.sum(key))
    }
}

async fn judged(offset: i64) -> Result<(), Failure> {
    match offset % 10 {
        3 => Err(Failure::reject("no such order")),
        _ => Ok(()),
    }
}

#[consumes(crate = fk, topic = "in", auto_offset_reset = "earliest", dead_letter = "dead")]
async fn lettered(
    _: u32,
    meta: EventMetadata,
    State(state): State<HandlerState>,
) -> Result<(), Failure> {
    let _busy = state.call(meta);
    judged(meta.offset()).await
}

#[consumes(crate = fk, topic = "in", auto_offset_reset = "earliest", dead_letter = "dead", order = "key")]
async fn lettered_by_key(
    _: u32,
    meta: EventMetadata,
    State(state): State<HandlerState>,
) -> Result<(), Failure> {
    let _busy = state.call(meta);
    judged(meta.offset()).await
}

#[consumes(crate = fk, topic = "in", auto_offset_reset = "earliest", on_failure = "skip")]
async fn skipping(
    _: u32,
    meta: EventMetadata,
    State(state): State<HandlerState>,
) -> Result<(), Failure> {
    let _busy = state.call(meta);
    judged(meta.offset()).await
}

/// Fails each record once.
#[consumes(crate = fk, topic = "in", auto_offset_reset = "earliest")]
async fn second_time(
    _: u32,
    meta: EventMetadata,
    State(state): State<HandlerState>,
) -> Result<(), Failure> {
    let _busy = state.call(meta);
    match state.times(meta.offset()).len() {
        1 => Err(Failure::retry("not yet")),
        _ => Ok(()),
    }
}

/// Gives each record up after one attempt.
#[consumes(crate = fk, topic = "in", auto_offset_reset = "earliest", dead_letter = "dead", attempts = 1)]
async fn once(
    _: u32,
    meta: EventMetadata,
    State(state): State<HandlerState>,
) -> Result<(), Failure> {
    let _busy = state.call(meta);
    Err(Failure::retry("not yet"))
}

type Counted = Box<dyn Fn(&str) -> f64>;

async fn counted<C: fk::Register>(handler: &str, records: i64) -> Counted {
    counted_where::<C>(handler, records, |_| Fate::Ack).await
}

/// The same where this becomes of what is sent.
async fn counted_where<C: fk::Register>(
    handler: &str,
    records: i64,
    fate: impl FnMut(&Sent) -> Fate + Send + 'static,
) -> Counted {
    let sums = Sums::default();
    let _guard = metrics::set_default_local_recorder(recorder(&sums));
    let mut lab = Lab::new::<C>(1, records);
    lab.outbox.decide(fate);
    lab.until_committed(0, records).await;
    let calls = lab.state.calls();
    let handler = handler.to_owned();
    Box::new(move |what| match what {
        #[expect(clippy::cast_precision_loss)]
        "calls" => calls.len() as f64,
        "attempts" => sums.read(&format!("fastkafka_attempt_seconds {handler}")),
        "commits" => sums.read("fastkafka_commits_total lab taken"),
        outcome => sums.read(&format!("fastkafka_records_total {handler} in {outcome}")),
    })
}

/// The first two letters are lost.
fn lose_two() -> impl FnMut(&Sent) -> Fate + Send + 'static {
    let mut lost = 0;
    move |sent| match &*sent.topic {
        "dead" if lost < 2 => {
            lost += 1;
            Fate::Lose(Failure::retry("broker gone"))
        }
        _ => Fate::Ack,
    }
}

fn recorder(sums: &Sums) -> &'static Sums {
    Box::leak(Box::new(sums.clone()))
}

fn outcomes(counted: impl Fn(&str) -> f64) -> [f64; 5] {
    ["handled", "failed", "rejected", "dead_lettered", "skipped"].map(counted)
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_given_up_within_its_run_is_not_handled() {
    let counted = counted::<lettered>("lettered", 100).await;
    assert_eq!(outcomes(&counted), [90.0, 0.0, 10.0, 10.0, 0.0]);
    assert!(counted("commits") >= 1.0);
}

#[tokio::test(start_paused = true)]
async fn by_key_the_same_is_counted() {
    let counted = counted::<lettered_by_key>("lettered_by_key", 100).await;
    assert_eq!(outcomes(&counted), [90.0, 0.0, 10.0, 10.0, 0.0]);
    assert_eq!(counted("attempts"), 100.0);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_skipped_was_rejected_before() {
    let counted = counted::<skipping>("skipping", 40).await;
    assert_eq!(outcomes(&counted), [36.0, 0.0, 4.0, 0.0, 4.0]);
    assert_eq!(counted("attempts"), 40.0);
}

#[tokio::test(start_paused = true)]
async fn each_attempt_that_fails_is_counted() {
    let counted = counted::<second_time>("second_time", 5).await;
    assert_eq!(outcomes(&counted), [5.0, 5.0, 0.0, 0.0, 0.0]);
    assert_eq!(counted("attempts"), 10.0);
}

/// What is behind a lost letter is handled again, and its letters are written again.
#[tokio::test(start_paused = true)]
async fn a_record_whose_letter_is_written_again_has_one() {
    for counted in [
        counted_where::<lettered>("lettered", 100, lose_two()).await,
        counted_where::<lettered_by_key>("lettered_by_key", 100, lose_two()).await,
        counted_where::<once>("once", 100, lose_two()).await,
    ] {
        let [handled, failed, rejected, dead_lettered, skipped] = outcomes(&counted);
        let not_accepted = failed + rejected;
        assert_eq!(
            handled + not_accepted,
            counted("calls"),
            "each attempt counts once"
        );
        assert!(failed == 0.0 || rejected == 0.0, "{failed} {rejected}");
        let expected = if failed > 0.0 { 100.0 } else { 10.0 };
        assert_eq!((dead_lettered, skipped), (expected, 0.0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_rebalance_is_counted_once_also_where_partitions_start_late() {
    let sums = Sums::default();
    let _guard = metrics::set_default_local_recorder(recorder(&sums));
    let mut lab = Lab::new::<second_time>(3, 0);
    let late = StartError::Retry("no leader".to_owned());
    lock(&lab.member).starts_unknown.insert(1, late);
    lab.pass(Duration::from_secs(60)).await;
    assert!(!lab.is_reading(1));
    lock(&lab.member).starts_unknown.remove(&1);
    lab.until(|labs| labs[0].is_reading(1)).await;
    let kinds = ["assigned", "revoked", "lost"];
    let counted = || kinds.map(|kind| sums.read(&format!("fastkafka_rebalances_total lab {kind}")));
    assert_eq!(counted(), [1.0, 0.0, 0.0], "the first of a start is one");
    lab.revoke([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    lab.assign([0]);
    lab.until(|labs| labs[0].is_reading(0)).await;
    lab.lose([0, 1, 2]);
    lab.until(|labs| !labs[0].is_reading(2)).await;
    assert_eq!(counted(), [2.0, 1.0, 1.0]);
    let timed = kinds.map(|kind| sums.read(&format!("fastkafka_rebalance_seconds lab {kind}")));
    assert_eq!(timed, counted());
}

/// As the gauges have it.
#[test]
fn the_series_of_a_group_say_its_cluster_unless_that_is_the_apps_own() {
    let sums = Sums::default();
    metrics::with_local_recorder(&sums, || {
        for cluster in ["", "payments"] {
            let meters = GroupMeters::new(cluster, "shop");
            meters.taken.increment(1);
            meters.lost.count.increment(2);
        }
    });
    for (series, value) in [
        ("fastkafka_commits_total shop taken", 1.0),
        ("fastkafka_commits_total payments shop taken", 1.0),
        ("fastkafka_rebalances_total shop lost", 2.0),
        ("fastkafka_rebalances_total payments shop lost", 2.0),
    ] {
        assert_eq!(sums.read(series), value, "{series}");
    }
}
