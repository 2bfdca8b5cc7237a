//! Handler calls and outputs as a test keeps them.

use crate::function::Function;
use crate::lines::{content_line, record_line};
use crate::lock::lock;
use crate::record::TopicRecord;
use bytes::Bytes;
use fastkafka::error::{FailureKind, Rejection};
use fastkafka::record::RawRecord;
use fastkafka::{EventMetadata, Failure};
use fastkafka_core::{
    Header, Owned, Record, RecordEnd, Timestamp, TimestampType, TopicPartition, read_again,
};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// The outcome of a handler call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallOutcome {
    /// The handler has not returned.
    Running,
    /// It accepted its records.
    Done,
    /// It returned an error, or the hook around it did.
    Failed {
        /// The error's text.
        error: String,
        /// Whether it may be retried.
        kind: FailureKind,
    },
    /// The record does not fit the handler's parameters, so that it was not called: a payload that
    /// does not decode, a key that is missing.
    Refused(String),
    /// It panicked.
    Panicked(String),
    /// It was given up before it returned: its time was over, or its partition was given away.
    GivenUp,
}

/// The place of an event among all others of the process, on whatever thread: whoever knows of an
/// event has a higher number than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number(pub(crate) u64);

impl Number {
    pub(crate) fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Relaxed))
    }
}

struct Progress {
    /// The app's hook has let the call through to the function.
    begun: bool,
    outcome: CallOutcome,
    took: Option<Duration>,
    ended: Option<Number>,
    /// Of a call that failed: its first records that the runtime takes as handled. A batch may name the
    /// record that it failed at.
    accepted: usize,
    /// Outputs that are not acknowledged: under way or lost.
    open_outputs: usize,
}

/// A call of a handler, or a record that does not fit its parameters.
pub(crate) struct RecordedCall {
    pub(crate) function: Function,
    pub(crate) records: Vec<TopicRecord>,
    pub(crate) metadata: EventMetadata,
    pub(crate) attempt: u32,
    /// The process of its app.
    pub(crate) process: u32,
    pub(crate) begun: Number,
    started: Instant,
    progress: Mutex<Progress>,
}

impl RecordedCall {
    pub(crate) fn new<'r>(
        function: Function,
        process: u32,
        attempt: u32,
        records: impl Iterator<Item = RawRecord<'r>>,
        metadata: EventMetadata,
    ) -> Self {
        Self {
            function,
            records: records.map(|record| kept(&record)).collect(),
            metadata,
            attempt,
            process,
            begun: Number::next(),
            started: Instant::now(),
            progress: Mutex::new(Progress {
                begun: false,
                outcome: CallOutcome::Running,
                took: None,
                ended: None,
                accepted: 0,
                open_outputs: 0,
            }),
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        lock(&self.progress)
    }

    pub(crate) fn begin(&self) {
        self.progress().begun = true;
    }

    pub(crate) fn refuse(&self, rejection: &Rejection) {
        let mut progress = self.progress();
        progress.outcome = CallOutcome::Refused(rejection.to_string());
        progress.ended = Some(Number::next());
    }

    /// The function or its mock was called. Otherwise the record was refused before, or a hook has
    /// skipped the call.
    pub(crate) fn is_call(&self) -> bool {
        let progress = self.progress();
        progress.begun && !matches!(progress.outcome, CallOutcome::Refused(_))
    }

    pub(crate) fn end(&self, outcome: CallOutcome) {
        let took = self.started.elapsed();
        let mut progress = self.progress();
        progress.outcome = outcome;
        progress.took = Some(took);
        // The first time counts: a panic has dropped the call before it is told.
        progress.ended.get_or_insert_with(Number::next);
    }

    /// The runtime takes the first `accepted` records as handled and the others as failed, whatever the
    /// call itself has returned.
    pub(crate) fn judge(&self, accepted: usize, failure: &Failure) {
        let mut progress = self.progress();
        progress.accepted = accepted;
        if progress.outcome == CallOutcome::Done {
            progress.outcome = CallOutcome::new(Some(failure));
        }
    }

    /// When it ended; `None` while it runs.
    pub(crate) fn ended(&self) -> Option<Number> {
        self.progress().ended
    }

    /// The records that it has handled.
    pub(crate) fn accepted(&self) -> &[TopicRecord] {
        let progress = self.progress();
        let accepted = match progress.outcome {
            CallOutcome::Done => self.records.len(),
            _ => progress.accepted,
        };
        &self.records[..accepted]
    }

    /// What it has produced is acknowledged.
    pub(crate) fn outputs_acknowledged(&self) -> bool {
        self.progress().open_outputs == 0
    }

    /// An output of it is on its way.
    pub(crate) fn output_begun(&self) {
        self.progress().open_outputs += 1;
    }

    /// One is acknowledged, or was not taken, which its producer has heard.
    pub(crate) fn output_over(&self) {
        self.progress().open_outputs -= 1;
    }

    pub(crate) fn outcome(&self) -> CallOutcome {
        self.progress().outcome.clone()
    }

    pub(crate) fn took(&self) -> Option<Duration> {
        self.progress().took
    }

    /// The first parameter of the call, decoded once more.
    ///
    /// # Errors
    /// When the decoder refuses now what it has accepted for the handler.
    pub(crate) fn args<C: Owned>(&self) -> Result<C::Args, Rejection> {
        let records: Vec<_> = self
            .records
            .iter()
            .map(|kept| Record {
                payload: kept.payload.as_deref(),
                key: kept.key.as_deref(),
                offset: kept.offset,
                timestamp: Timestamp::new(kept.timestamp, TimestampType::CreateTime),
            })
            .collect();
        let headers: Vec<Vec<Header<'_>>> = self
            .records
            .iter()
            .map(|kept| {
                kept.headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_deref()))
                    .collect()
            })
            .collect();
        let metadata = &self.metadata;
        let place = TopicPartition::intern_on(
            metadata.cluster(),
            metadata.topic(),
            metadata.topic(),
            metadata.partition(),
        );
        read_again::<C>(place, &records, &headers)
    }

    /// The records of the call in one line.
    fn records_line(&self) -> String {
        let record = self.records.first().map(record_line).unwrap_or_default();
        match self.records.len() {
            0 | 1 => record,
            more => format!("{record} and {} more", more - 1),
        }
    }

    /// The call in one line when it begins.
    pub(crate) fn beginning(&self) -> String {
        let records = self.records_line();
        match self.attempt {
            1 => records,
            attempt => format!("{records}, attempt {attempt}"),
        }
    }

    /// The call in one line.
    pub(crate) fn line(&self) -> String {
        let records = self.records_line();
        let attempt = match self.attempt {
            1 => String::new(),
            attempt => format!("attempt {attempt} "),
        };
        let outcome = match self.outcome() {
            CallOutcome::Running => "is running".to_owned(),
            CallOutcome::Done if !self.is_call() => "skipped by the hook".to_owned(),
            CallOutcome::Done => "done".to_owned(),
            CallOutcome::Refused(why) => format!("refused: {why}"),
            CallOutcome::Failed { error, .. } => format!("failed: {error}"),
            CallOutcome::Panicked(text) => format!("panicked: {text}"),
            CallOutcome::GivenUp => "was given up".to_owned(),
        };
        format!("{records} => {attempt}{outcome}")
    }
}

impl CallOutcome {
    pub(crate) fn new(failure: Option<&Failure>) -> Self {
        match failure {
            None => Self::Done,
            Some(failure) if is_refusal(failure) => Self::Refused(failure.message().to_owned()),
            Some(failure) => Self::Failed {
                error: failure.message().to_owned(),
                kind: failure.kind(),
            },
        }
    }
}

/// A parameter could not be made from the record.
fn is_refusal(failure: &Failure) -> bool {
    match failure.error() {
        Some(error) => failure.kind() == FailureKind::Rejected && error.is::<Rejection>(),
        None => false,
    }
}

/// A record as the handler saw it, copied.
fn kept(record: &RawRecord<'_>) -> TopicRecord {
    let metadata = record.metadata();
    let headers = record.headers();
    TopicRecord {
        cluster: metadata.cluster(),
        topic: metadata.topic().to_owned(),
        partition: metadata.partition(),
        offset: metadata.offset(),
        timestamp: metadata.timestamp().unwrap_or(NO_TIMESTAMP),
        key: record.key().map(Bytes::copy_from_slice),
        payload: record.payload().map(Bytes::copy_from_slice),
        headers: headers
            .iter()
            .map(|(name, value)| (name.to_owned(), value.map(Bytes::copy_from_slice)))
            .collect(),
        producer: None,
    }
}

/// The timestamp in Kafka's protocol of a record without one.
const NO_TIMESTAMP: i64 = -1;

/// The end of a record that its handler has not accepted.
#[derive(Clone, Copy)]
pub(crate) struct EndedRecord {
    pub(crate) function: Function,
    pub(crate) process: u32,
    pub(crate) place: &'static TopicPartition,
    pub(crate) offset: i64,
    pub(crate) how: RecordEnd,
    pub(crate) number: Number,
}

/// A record that a producer handed over.
pub(crate) struct RecordedOutput {
    pub(crate) function: Function,
    pub(crate) topic: String,
    pub(crate) partition: Option<i32>,
    pub(crate) key: Option<Bytes>,
    pub(crate) payload: Option<Bytes>,
    pub(crate) headers: Vec<(String, Option<Bytes>)>,
    /// Why the client did not take it.
    pub(crate) error: Option<String>,
    /// On a real broker: it was seen in its topic. See [`Watcher::claim`](super::watcher::Watcher::claim).
    pub(crate) arrived: AtomicBool,
}

impl RecordedOutput {
    /// The record in one line.
    pub(crate) fn line(&self) -> String {
        let line = content_line(&self.topic, self.key.as_deref(), self.payload.as_deref());
        match &self.error {
            None => line,
            Some(error) => format!("{line} => refused: {error}"),
        }
    }
}
