//! What is kept of a handler call, and of a record that a producer handed over.

use crate::function::Function;
use crate::watching::journal::TopicRecord;
use bytes::Bytes;
use fastkafka::error::{FailureKind, Rejection};
use fastkafka::record::RawRecord;
use fastkafka::{EventMetadata, Failure};
use fastkafka_core::{Header, Owned, Record, Timestamp, TimestampType, TopicPartition, read_again};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What came of a handler call.
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
        /// What may follow.
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

struct Progress {
    /// The hook of the app has let it through.
    begun: bool,
    outcome: CallOutcome,
    took: Option<Duration>,
}

/// A call of a handler, or a record that it refused.
pub(crate) struct Recorded {
    pub(crate) function: Function,
    pub(crate) records: Vec<TopicRecord>,
    pub(crate) metadata: EventMetadata,
    pub(crate) attempt: u32,
    started: Instant,
    progress: Mutex<Progress>,
}

impl Recorded {
    pub(crate) fn new<'r>(
        function: Function,
        attempt: u32,
        records: impl Iterator<Item = RawRecord<'r>>,
        metadata: EventMetadata,
    ) -> Self {
        Self {
            function,
            records: records.map(|record| kept(&record)).collect(),
            metadata,
            attempt,
            started: Instant::now(),
            progress: Mutex::new(Progress {
                begun: false,
                outcome: CallOutcome::Running,
                took: None,
            }),
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self) {
        self.progress().begun = true;
    }

    pub(crate) fn refuse(&self, rejection: &Rejection) {
        self.progress().outcome = CallOutcome::Refused(rejection.to_string());
    }

    /// The function was called, or what stands in for it.
    pub(crate) fn is_call(&self) -> bool {
        let progress = self.progress();
        progress.begun && !matches!(progress.outcome, CallOutcome::Refused(_))
    }

    pub(crate) fn end(&self, outcome: CallOutcome) {
        let took = self.started.elapsed();
        let mut progress = self.progress();
        progress.outcome = outcome;
        progress.took = Some(took);
    }

    pub(crate) fn outcome(&self) -> CallOutcome {
        self.progress().outcome.clone()
    }

    pub(crate) fn took(&self) -> Option<Duration> {
        self.progress().took
    }

    /// The first parameter of the call.
    pub(crate) fn args<C: Owned>(&self) -> Result<C::Args, Rejection> {
        let kept = self.records.iter();
        let records = kept.map(|kept| Record {
            payload: kept.payload.as_deref(),
            key: kept.key.as_deref(),
            offset: kept.offset,
            timestamp: Timestamp::new(kept.timestamp, TimestampType::CreateTime),
        });
        let records: Vec<_> = records.collect();
        let kept = self.records.iter();
        let headers = kept.map(|kept| {
            let headers = kept.headers.iter();
            headers
                .map(|(name, value)| (name.as_str(), value.as_deref()))
                .collect()
        });
        let headers: Vec<Vec<Header<'_>>> = headers.collect();
        let metadata = &self.metadata;
        let place = TopicPartition::intern_on(
            metadata.cluster(),
            metadata.topic(),
            metadata.topic(),
            metadata.partition(),
        );
        read_again::<C>(place, &records, &headers)
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

/// A parameter could not be made of the record.
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

/// What Kafka's protocol writes for a record without a time.
const NO_TIMESTAMP: i64 = -1;

/// A record that a producer handed over.
pub(crate) struct HandedOver {
    pub(crate) function: Function,
    pub(crate) topic: String,
    pub(crate) partition: Option<i32>,
    pub(crate) key: Option<Bytes>,
    pub(crate) payload: Option<Bytes>,
    pub(crate) headers: Vec<(String, Option<Bytes>)>,
    /// Why it was not taken.
    pub(crate) error: Option<String>,
    /// On a real broker: it was seen in its topic.
    pub(crate) arrived: AtomicBool,
}
