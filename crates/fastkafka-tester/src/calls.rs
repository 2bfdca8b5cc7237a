//! What is kept of a handler call, and of a record that a producer handed over.

use crate::function::Function;
use crate::journal::TopicRecord;
use bytes::Bytes;
use fastkafka::{EventMetadata, FailureKind, RawRecord, Rejection};
use fastkafka_core::{
    Header, Outcome, Owned, Record, Timestamp, TimestampType, TopicPartition, read_again,
};
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
    /// It panicked.
    Panicked(String),
    /// It was given up before it returned: its time was over, or its partition was given away.
    GivenUp,
}

/// How far a call has come before it is one that counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Decoded; the hook of the app has it.
    Met,
    Begun,
    /// The function is not called: a parameter does not fit the record.
    Refused,
}

struct Progress {
    stage: Stage,
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
                stage: Stage::Met,
                outcome: CallOutcome::Running,
                took: None,
            }),
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self) {
        self.progress().stage = Stage::Begun;
    }

    pub(crate) fn refuse(&self) {
        self.progress().stage = Stage::Refused;
    }

    /// The function was called, or what stands in for it.
    pub(crate) fn is_call(&self) -> bool {
        self.progress().stage == Stage::Begun
    }

    /// The record does not fit the handler's parameters.
    pub(crate) fn is_refused(&self) -> bool {
        self.progress().stage == Stage::Refused
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
        let place = TopicPartition::intern(metadata.topic(), metadata.partition());
        read_again::<C>(place, &records, &headers)
    }
}

impl From<&Outcome> for CallOutcome {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Ok(()) => Self::Done,
            Err((_, failure)) => Self::Failed {
                error: failure.message().to_owned(),
                kind: failure.kind(),
            },
        }
    }
}

/// A record as the handler saw it, copied.
fn kept(record: &RawRecord<'_>) -> TopicRecord {
    let metadata = record.metadata();
    let headers = record.headers();
    TopicRecord {
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
}
