//! What is counted while the app runs, through the facade `metrics`.
//!
//! A handle is looked up once, for a partition or a group, and then added to once for a run of records. Without a
//! recorder in the process an addition is a test for `None`.

mod letters;
pub mod list;

use self::letters::Letters;
use self::list::{
    ALL, ATTEMPT, COMMITS, Kind, OUTPUTS, REBALANCE_SECONDS, REBALANCES, RECORDS, RUN_RECORDS,
};
use fastkafka_core::FailureKind;
use metrics::{Counter, Histogram, Label, Unit};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Tells the recorder of the process what the names mean.
pub(crate) fn describe() {
    // Those of the process belong to whoever collects them, and outputs are counted by their clients.
    let ours = ALL
        .iter()
        .filter(|metric| metric.name.starts_with("fastkafka_") && metric.name != OUTPUTS.name);
    for metric in ours {
        let unit = match metric.unit {
            Some("seconds") => Unit::Seconds,
            Some("bytes") => Unit::Bytes,
            _ => Unit::Count,
        };
        let (name, help) = (metric.name, metric.help);
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(name, unit, help),
            Kind::Histogram => metrics::describe_histogram!(name, unit, help),
            // They are not recorded.
            Kind::Gauge => {}
        }
    }
}

/// What is counted of the records of a partition.
pub(crate) struct Meters {
    handled: Counter,
    failed: Counter,
    rejected: Counter,
    dead_lettered: Counter,
    skipped: Counter,
    attempt: Histogram,
    run: Histogram,
    /// Records that count as handled in the end of their run, and were given up within it.
    given_up: AtomicUsize,
    letters: Letters,
}

impl Meters {
    pub(crate) fn new(handler: &'static str, topic: &str) -> Self {
        let records = |outcome: &'static str| {
            metrics::counter!(
                RECORDS.name,
                "handler" => handler, "topic" => topic.to_owned(), "outcome" => outcome
            )
        };
        Self {
            handled: records("handled"),
            failed: records("failed"),
            rejected: records("rejected"),
            dead_lettered: records("dead_lettered"),
            skipped: records("skipped"),
            attempt: metrics::histogram!(ATTEMPT.name, "handler" => handler),
            run: metrics::histogram!(RUN_RECORDS.name, "handler" => handler),
            given_up: AtomicUsize::new(0),
            letters: Letters::default(),
        }
    }

    /// A call has ended after this time: so many records were handled, and as many were not accepted.
    pub(crate) fn ended(
        &self,
        took: Duration,
        handled: usize,
        failed: Option<(usize, FailureKind)>,
    ) {
        let records = handled + failed.map_or(0, |(records, _)| records);
        if records == 0 {
            return;
        }
        #[allow(clippy::cast_precision_loss, reason = "a run has few records")]
        let count = records as f64;
        self.run.record(count);
        self.attempt
            .record_many(took.as_secs_f64() / count, records);
        self.handled
            .increment(self.without_given_up(handled) as u64);
        if let Some((records, kind)) = failed {
            self.failed(kind, records);
        }
    }

    /// Attempts for so many records were not accepted.
    pub(crate) fn failed(&self, kind: FailureKind, records: usize) {
        let counter = match kind {
            FailureKind::Rejected => &self.rejected,
            FailureKind::Retry { .. } | FailureKind::Transient { .. } => &self.failed,
        };
        counter.increment(records as u64);
    }

    /// A record was given up within its run, which goes on. The end of the run counts it as handled.
    pub(crate) fn given_up(&self, kind: FailureKind) {
        self.failed(kind, 1);
        self.given_up.fetch_add(1, Relaxed);
    }

    /// Runs of other keys may have ended in between: what one does not take away the next one does.
    fn without_given_up(&self, handled: usize) -> usize {
        if self.given_up.load(Relaxed) == 0 {
            return handled;
        }
        let given_up = self.given_up.swap(0, Relaxed);
        let mine = given_up.min(handled);
        self.given_up.fetch_add(given_up - mine, Relaxed);
        handled - mine
    }

    /// The letter of this record is written.
    pub(crate) fn letter_written(&self, at: i64) {
        self.letters.written(at);
    }

    /// The letter that was sent within the run of this record is lost. That the record was not accepted was counted
    /// then.
    pub(crate) fn letter_lost(&self, at: i64) {
        self.letters.lost(at);
    }

    /// Records that were handled will not settle.
    pub(crate) fn not_settled(&self, from: i64, to: i64, kind: FailureKind) {
        if !self.letters.take_lost(from, to) {
            self.failed(kind, 1);
        }
    }

    /// Nothing will handle this record again.
    pub(crate) fn done(&self, at: i64) {
        if self.letters.take(at) {
            self.dead_lettered.increment(1);
        }
    }

    /// Nor any that is below.
    pub(crate) fn done_below(&self, watermark: i64) {
        let letters = self.letters.take_below(watermark);
        if letters > 0 {
            self.dead_lettered.increment(letters as u64);
        }
    }

    /// Nothing more comes of what was read.
    pub(crate) fn forget(&self) {
        self.letters.forget();
    }

    pub(crate) fn skipped(&self) {
        self.skipped.increment(1);
    }
}

impl std::fmt::Debug for Meters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meters").finish_non_exhaustive()
    }
}

/// What is counted of a group's consumer.
pub(crate) struct GroupMeters {
    pub(crate) taken: Counter,
    pub(crate) refused: Counter,
    pub(crate) assigned: Rebalances,
    pub(crate) revoked: Rebalances,
    pub(crate) lost: Rebalances,
}

/// What is counted of rebalances of a kind.
pub(crate) struct Rebalances {
    pub(crate) count: Counter,
    pub(crate) time: Histogram,
}

impl GroupMeters {
    pub(crate) fn new(cluster: &str, group: &str) -> Self {
        let labels = |name: &'static str, value: &'static str| {
            // As with the gauges: the app's own cluster goes without saying.
            let cluster = Some(cluster).filter(|cluster| !cluster.is_empty());
            let cluster = cluster.map(|cluster| Label::new("cluster", cluster.to_owned()));
            let group = Label::new("group", group.to_owned());
            let all = cluster.into_iter().chain([group, Label::new(name, value)]);
            all.collect::<Vec<_>>()
        };
        let commits = |result| metrics::counter!(COMMITS.name, labels("result", result));
        let rebalances = |kind| Rebalances {
            count: metrics::counter!(REBALANCES.name, labels("kind", kind)),
            time: metrics::histogram!(REBALANCE_SECONDS.name, labels("kind", kind)),
        };
        Self {
            taken: commits("taken"),
            refused: commits("refused"),
            assigned: rebalances("assigned"),
            revoked: rebalances("revoked"),
            lost: rebalances("lost"),
        }
    }
}
