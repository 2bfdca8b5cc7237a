//! The recorder of a process that has none: what is counted through the facade `metrics`, in fixed memory.
//!
//! A series is a few numbers that grow: nothing is kept for the next scrape, so it costs the same whether anybody
//! scrapes or not. What a user's own code counts is among it.

use super::exposition::{Family, Sample, number};
use crate::lock::lock;
use fastkafka_runtime::metrics_list::Kind;
use metrics::atomics::AtomicU64;
use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, SharedString, Unit};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock};

/// The upper bounds of the buckets of a time, in seconds.
const SECONDS: &[f64] = &[
    0.000_01, 0.000_1, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0, 30.0, 60.0,
];
/// Of anything else.
const COUNTS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 10_000.0, 100_000.0,
];

type Labels = Vec<(String, String)>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder(Arc<Mutex<BTreeMap<String, Series>>>);

/// All that has one name.
#[derive(Debug)]
struct Series {
    kind: Kind,
    unit: Option<&'static str>,
    help: String,
    by_labels: BTreeMap<Labels, Value>,
}

#[derive(Debug)]
enum Value {
    Counter(Arc<AtomicU64>),
    /// The bits of a number with a fraction.
    Gauge(Arc<AtomicU64>),
    Histogram(Arc<Buckets>),
}

#[derive(Debug)]
struct Buckets {
    bounds: &'static [f64],
    /// One more than there are bounds.
    counts: Box<[AtomicU64]>,
    /// The bits of it.
    sum: AtomicU64,
}

/// The recorder of the process, if that is ours: it is made by the first call, unless there is another.
pub(crate) fn ours() -> Option<&'static Recorder> {
    static OURS: OnceLock<Option<Recorder>> = OnceLock::new();
    let ours = OURS.get_or_init(|| {
        let recorder = Recorder::default();
        let is_ours = metrics::set_global_recorder(recorder.clone()).is_ok();
        is_ours.then_some(recorder)
    });
    ours.as_ref()
}

impl Recorder {
    pub(crate) fn families(&self) -> Vec<Family> {
        let all = lock(&self.0);
        let families = all.iter().map(|(name, series)| Family {
            name: name.clone(),
            kind: series.kind,
            unit: series.unit,
            help: series.help.clone(),
            samples: series
                .by_labels
                .iter()
                .flat_map(|(labels, value)| value.samples(labels))
                .collect(),
        });
        families.collect()
    }

    fn series<R>(&self, name: &str, kind: Kind, f: impl FnOnce(&mut Series) -> R) -> R {
        let mut all = lock(&self.0);
        let series = all.entry(sound(name)).or_insert_with(|| Series {
            kind,
            unit: None,
            help: String::new(),
            by_labels: BTreeMap::new(),
        });
        f(series)
    }

    fn describe(&self, name: &KeyName, kind: Kind, unit: Option<Unit>, help: &SharedString) {
        self.series(name.as_str(), kind, |series| {
            let unit = match unit {
                Some(Unit::Seconds) => Some("seconds"),
                Some(Unit::Bytes) => Some("bytes"),
                _ => None,
            };
            // OpenMetrics wants it in the name.
            let name = name.as_str().trim_end_matches("_total");
            series.unit = unit.filter(|unit| name.ends_with(unit));
            help.as_ref().clone_into(&mut series.help);
        });
    }

    /// The value with these labels. `None` where a user has given one name to two kinds: the first one stays.
    fn value<T>(
        &self,
        key: &Key,
        kind: Kind,
        new: impl FnOnce(&str) -> Value,
        take: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let labels = key.labels();
        let labels = labels.map(|label| (sound(label.key()), label.value().to_owned()));
        let mut labels: Labels = labels.collect();
        labels.sort();
        labels.dedup_by(|a, b| a.0 == b.0);
        self.series(key.name(), kind, |series| {
            if series.kind != kind {
                return None;
            }
            let value = series.by_labels.entry(labels);
            take(value.or_insert_with(|| new(key.name())))
        })
    }
}

/// What a name of a metric or label may have.
fn sound(name: &str) -> String {
    let is_sound = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins_with_digit = name.starts_with(|c: char| c.is_ascii_digit());
    let prefix = if begins_with_digit { "_" } else { "" };
    let sound = name.chars().map(|c| if is_sound(c) { c } else { '_' });
    prefix.chars().chain(sound).collect()
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.describe(&name, Kind::Counter, unit, &help);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.describe(&name, Kind::Gauge, unit, &help);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.describe(&name, Kind::Histogram, unit, &help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let new = |_: &str| Value::Counter(Arc::default());
        let counter = self.value(key, Kind::Counter, new, |value| match value {
            Value::Counter(counter) => Some(counter.clone()),
            _ => None,
        });
        counter.map_or(Counter::noop(), Counter::from_arc)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let new = |_: &str| Value::Gauge(Arc::default());
        let gauge = self.value(key, Kind::Gauge, new, |value| match value {
            Value::Gauge(gauge) => Some(gauge.clone()),
            _ => None,
        });
        gauge.map_or(Gauge::noop(), Gauge::from_arc)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let new = |name: &str| Value::Histogram(Arc::new(Buckets::new(name)));
        let histogram = self.value(key, Kind::Histogram, new, |value| match value {
            Value::Histogram(buckets) => Some(buckets.clone()),
            _ => None,
        });
        histogram.map_or(Histogram::noop(), Histogram::from_arc)
    }
}

#[allow(clippy::cast_precision_loss, reason = "a count of a process")]
fn count(count: u64) -> f64 {
    count as f64
}

impl Value {
    fn samples(&self, labels: &Labels) -> Vec<Sample> {
        let sample = |suffix, labels: &Labels, value| Sample {
            suffix,
            labels: labels.clone(),
            value,
        };
        match self {
            Self::Counter(counter) => vec![sample("", labels, count(counter.load(Relaxed)))],
            Self::Gauge(gauge) => vec![sample("", labels, f64::from_bits(gauge.load(Relaxed)))],
            Self::Histogram(buckets) => {
                let mut all = 0;
                let mut samples = Vec::with_capacity(buckets.counts.len() + 2);
                let bounds = buckets.bounds.iter().chain([&f64::INFINITY]);
                for (bound, counted) in bounds.zip(&buckets.counts) {
                    all += counted.load(Relaxed);
                    let mut labels = labels.clone();
                    labels.push(("le".to_owned(), number(*bound)));
                    samples.push(sample("_bucket", &labels, count(all)));
                }
                let sum = f64::from_bits(buckets.sum.load(Relaxed));
                samples.push(sample("_sum", labels, sum));
                samples.push(sample("_count", labels, count(all)));
                samples
            }
        }
    }
}

impl Buckets {
    fn new(name: &str) -> Self {
        let bounds = match name.ends_with("_seconds") {
            true => SECONDS,
            false => COUNTS,
        };
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0.0_f64.to_bits()),
        }
    }
}

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        self.record_many(value, 1);
    }

    fn record_many(&self, value: f64, many: usize) {
        let at = self.bounds.partition_point(|bound| *bound < value);
        self.counts[at].fetch_add(many as u64, Relaxed);
        let added = value * count(many as u64);
        let add = |sum| Some((f64::from_bits(sum) + added).to_bits());
        let _ = self.sum.fetch_update(Relaxed, Relaxed, add);
    }
}

#[cfg(test)]
mod tests {
    use super::super::exposition::{Format, text};
    use super::*;

    fn shown(record: impl FnOnce()) -> String {
        let recorder = Recorder::default();
        metrics::with_local_recorder(&recorder, record);
        text(&recorder.families(), Format::Text)
    }

    #[test]
    fn one_handle_or_many_count_together() {
        let text = shown(|| {
            metrics::describe_counter!("orders_total", "What was ordered");
            let first = metrics::counter!("orders_total", "kind" => "book");
            first.increment(2);
            metrics::counter!("orders_total", "kind" => "book").increment(3);
            metrics::counter!("orders_total", "kind" => "pen").increment(1);
            metrics::gauge!("till").set(1.5);
        });
        let expected = "# TYPE orders_total counter\n# HELP orders_total What was ordered\n\
             orders_total{kind=\"book\"} 5\norders_total{kind=\"pen\"} 1\n\
             # TYPE till gauge\ntill 1.5\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_histogram_counts_what_is_at_most_as_large_as_each_bound() {
        let text = shown(|| {
            let histogram = metrics::histogram!("fastkafka_attempt_seconds", "handler" => "on");
            histogram.record(0.001);
            histogram.record_many(0.02, 9);
            histogram.record(100.0);
        });
        for line in [
            "fastkafka_attempt_seconds_bucket{handler=\"on\",le=\"0.0001\"} 0",
            "fastkafka_attempt_seconds_bucket{handler=\"on\",le=\"0.001\"} 1",
            "fastkafka_attempt_seconds_bucket{handler=\"on\",le=\"0.025\"} 10",
            "fastkafka_attempt_seconds_bucket{handler=\"on\",le=\"60\"} 10",
            "fastkafka_attempt_seconds_bucket{handler=\"on\",le=\"+Inf\"} 11",
            "fastkafka_attempt_seconds_count{handler=\"on\"} 11",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        let sum = text.lines().find(|line| line.contains("_sum")).unwrap();
        assert!(
            sum.starts_with("fastkafka_attempt_seconds_sum{handler=\"on\"} 100.18"),
            "{sum}"
        );
    }

    #[test]
    fn names_that_prometheus_does_not_know_are_made_sound() {
        let text = shown(|| {
            metrics::counter!("my.orders", "a-b" => "1\n2").increment(1);
            metrics::counter!("9lives").increment(1);
        });
        assert!(text.contains("my_orders{a_b=\"1\\n2\"} 1\n"), "{text}");
        assert!(text.contains("_9lives 1\n"), "{text}");
    }

    #[test]
    fn a_name_that_is_used_for_two_kinds_stays_what_it_was() {
        let text = shown(|| {
            metrics::counter!("orders").increment(1);
            metrics::gauge!("orders").set(7.0);
        });
        assert_eq!(text, "# TYPE orders counter\norders 1\n");
    }
}
