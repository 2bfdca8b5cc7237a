//! Every metric of FastKafka: its name, what it counts, and its labels. Nothing else names one.
//!
//! Counters and histograms are recorded through the facade `metrics`. Gauges are what an app's state says at the
//! moment of a scrape: a partition that has gone leaves nothing behind, which the facade could not do.

use std::fmt;

/// A metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name. That of a counter ends with `_total`.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Its labels, in their order.
    pub labels: &'static [&'static str],
    /// The unit of its value, which its name has as well.
    pub unit: Option<&'static str>,
    /// What it says, in a sentence.
    pub help: &'static str,
}

/// The kinds of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It is what it is now.
    Gauge,
    /// Counts by size.
    Histogram,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        })
    }
}

macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $constant:ident = $name:literal $kind:ident $(in $unit:literal)? [$($label:literal),*];)*) => {
        $($(#[doc = $help])+ pub const $constant: Metric = Metric {
            name: $name,
            kind: Kind::$kind,
            labels: &[$($label),*],
            unit: metrics!(@unit $($unit)?),
            help: concat!($($help),+),
        };)*

        /// All of them, in the order of the guide.
        pub const ALL: &[Metric] = &[$($constant),*];
    };
    (@unit) => { None };
    (@unit $unit:literal) => { Some($unit) };
}

metrics! {
    #[doc = "1 while the app is ready, as `/readyz` says it"]
    READY = "fastkafka_ready" Gauge [];
    #[doc = "The problems that health lists, by code"]
    PROBLEMS = "fastkafka_problems" Gauge ["code"];
    #[doc = "1, with the title and the version of the app"]
    BUILD_INFO = "fastkafka_build_info" Gauge ["title", "version", "fastkafka"];
    #[doc = "Offsets from what is settled, and committed or about to be, to the end of the log"]
    LAG = "fastkafka_lag" Gauge ["cluster", "group", "topic", "partition"];
    #[doc = "The age of the oldest record that is not settled; of one that was not read, since it was seen that there is one"]
    LAG_SECONDS = "fastkafka_lag_seconds" Gauge in "seconds" ["cluster", "group", "topic", "partition"];
    #[doc = "1 while the partition stands still until somebody acts, or by key a key of it"]
    STOPPED = "fastkafka_partitions_stopped" Gauge ["cluster", "group", "topic", "partition"];
    #[doc = "The partitions that this process reads"]
    ASSIGNED = "fastkafka_partitions_assigned" Gauge ["cluster", "group", "topic"];
    #[doc = "Those of them that are paused by the user"]
    PAUSED = "fastkafka_partitions_paused" Gauge ["cluster", "group", "topic"];
    #[doc = "Records that were read and are not settled"]
    OPEN_RECORDS = "fastkafka_open_records" Gauge ["cluster", "group", "topic"];
    #[doc = "The longest time without progress of the oldest open record of a partition"]
    OLDEST_OPEN = "fastkafka_oldest_open_seconds" Gauge in "seconds" ["cluster", "group", "topic"];
    #[doc = "The widest span from the oldest open record of a partition to what was read of it, in offsets"]
    SPAN = "fastkafka_uncommitted_span" Gauge ["cluster", "group", "topic"];
    #[doc = "Keys and payloads in memory until their records are settled"]
    HELD = "fastkafka_held_bytes" Gauge in "bytes" ["cluster", "group", "topic"];
    #[doc = "The longest time for which something settled of a partition has not been committed"]
    COMMIT_AGE = "fastkafka_commit_age_seconds" Gauge in "seconds" ["cluster", "group", "topic"];
    #[doc = "Records that were sent and are not acknowledged"]
    IN_FLIGHT = "fastkafka_in_flight_outputs" Gauge [];
    #[doc = "The bytes of records that were sent and are not acknowledged"]
    IN_FLIGHT_BYTES = "fastkafka_in_flight_bytes" Gauge in "bytes" [];
    #[doc = "Records that were sent, `outputs` or `dead_letters`, once it is known what became of them: `acknowledged` or `lost`"]
    OUTPUTS = "fastkafka_outputs_total" Counter ["cluster", "kind", "result"];
    #[doc = "Records by outcome: `handled` when the handler has returned success, `failed` and `rejected` for each attempt that was not accepted, `dead_lettered` and `skipped` once at the end"]
    RECORDS = "fastkafka_records_total" Counter ["handler", "topic", "outcome"];
    #[doc = "The time of an attempt; records that are handled in one go count with their mean"]
    ATTEMPT = "fastkafka_attempt_seconds" Histogram in "seconds" ["handler"];
    #[doc = "The records that a handler is given in one go"]
    RUN_RECORDS = "fastkafka_run_records" Histogram ["handler"];
    #[doc = "Answered commits of a partition: `taken` or `refused`"]
    COMMITS = "fastkafka_commits_total" Counter ["cluster", "group", "result"];
    #[doc = "Rebalances in which this process was `assigned` partitions, the first of a start too, or had them `revoked` or `lost`"]
    REBALANCES = "fastkafka_rebalances_total" Counter ["cluster", "group", "kind"];
    #[doc = "The time of such a rebalance, from the group's question to the answer: until starts are known, at most about two seconds; until all in hand is done and committed"]
    REBALANCE_SECONDS = "fastkafka_rebalance_seconds" Histogram in "seconds" ["cluster", "group", "kind"];
    #[doc = "CPU time of the process, user and system"]
    CPU = "process_cpu_seconds_total" Counter in "seconds" [];
    #[doc = "Memory of the process that is in RAM"]
    RESIDENT = "process_resident_memory_bytes" Gauge in "bytes" [];
    #[doc = "Memory that the process has asked for"]
    VIRTUAL = "process_virtual_memory_bytes" Gauge in "bytes" [];
    #[doc = "Open file descriptors of the process"]
    OPEN_FDS = "process_open_fds" Gauge [];
    #[doc = "Threads of the process"]
    THREADS = "process_threads" Gauge [];
    #[doc = "When the process was started, in seconds since 1970"]
    START_TIME = "process_start_time_seconds" Gauge in "seconds" [];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_unit_and_a_counter_ends_as_counters_do() {
        for metric in ALL {
            let counts = metric.kind == Kind::Counter;
            assert_eq!(metric.name.ends_with("_total"), counts, "{}", metric.name);
            let name = metric.name.trim_end_matches("_total");
            if let Some(unit) = metric.unit {
                assert!(name.ends_with(&format!("_{unit}")), "{}", metric.name);
            }
            let is_ours = name.starts_with("fastkafka_") || name.starts_with("process_");
            assert!(is_ours, "{name}");
        }
    }

    /// A panel or an alert of a metric that is not there would stay empty for ever.
    #[test]
    fn rules_and_dashboard_name_metrics_that_are_there() {
        let files = [
            include_str!("../../../../deploy/prometheus-rules.yaml"),
            include_str!("../../../../deploy/grafana-dashboard.json"),
            include_str!("../../../../docs/guide/watching.md"),
        ];
        let is_part = |c: char| c.is_ascii_lowercase() || c == '_';
        let words = files.iter().flat_map(|file| file.split(|c| !is_part(c)));
        let named = words.filter(|word| word.starts_with("fastkafka_"));
        let mut count = 0;
        for name in named {
            let suffixes = ["_bucket", "_count", "_sum"];
            let bare = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix));
            let is_there = ALL.iter().any(|metric| {
                let is_histogram = metric.kind == Kind::Histogram;
                metric.name == name || is_histogram && Some(metric.name) == bare
            });
            assert!(is_there, "{name}");
            count += 1;
        }
        assert!(count > 40, "{count}");
    }

    #[test]
    fn the_guide_has_a_row_for_each_metric() {
        let guide = include_str!("../../../../docs/guide/watching.md");
        let rows = guide
            .lines()
            .filter(|line| line.starts_with("| `fastkafka_") || line.starts_with("| `process_"));
        let rows: Vec<_> = rows.collect();
        let expected = ALL.iter().map(|metric| {
            let labels = metric.labels.iter().map(|label| format!("`{label}`"));
            let labels: Vec<_> = labels.collect();
            let (name, kind, help) = (metric.name, metric.kind, metric.help);
            format!("| `{name}` | {kind} | {} | {help} |", labels.join(", "))
        });
        assert_eq!(rows, expected.collect::<Vec<_>>());
    }
}
