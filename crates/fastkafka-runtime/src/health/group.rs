//! The health of a group's consumer, and the records of it that stand still or wait.

use super::code::ProblemCode;
use super::problem::Problem;
use super::stalled::StalledRecord;
use super::subject::{Subject, on};
use super::time::{seconds, some_seconds};
use fastkafka_engine::Wait;
use std::fmt;
use std::time::Duration;

/// The health of a group's consumer.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct GroupHealth {
    /// The name of its cluster; empty for the app's own, unless that has one.
    pub cluster: String,
    /// The group's id.
    pub group: String,
    /// The partitions that are assigned to the consumer. To have none is no problem.
    pub assigned: Vec<(String, i32)>,
    /// Partitions, or keys of them, that stand still until somebody acts: the first hundred.
    pub stopped: Vec<StoppedPartition>,
    /// The number of those beyond the first hundred.
    pub more_stopped: usize,
    /// Records that failed and are tried again: the first hundred.
    pub waiting: Vec<WaitingRecord>,
    /// The number of those beyond the first hundred.
    pub more_waiting: usize,
    /// Records that have made no progress for as long as `stall_after` says: the first hundred.
    pub stalled: Vec<StalledRecord>,
    /// The number of those beyond the first hundred.
    pub more_stalled: usize,
    /// The partitions that the user has paused. That is no problem.
    pub paused: Vec<(String, i32)>,
    /// Partitions read as far ahead of their committed offset as `max_uncommitted` allows.
    pub span_reached: Vec<(String, i32)>,
    /// The client's last error; it may be over.
    pub last_error: Option<String>,
    /// What the client has told and is not over; without the records, which are above.
    #[serde(skip)]
    pub(crate) open: Vec<Problem>,
}

/// A partition, or a key of it, that stands still.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct StoppedPartition {
    /// The name of the cluster; empty for the app's own, unless that has one.
    pub cluster: String,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset of the record that could not be handled.
    pub offset: i64,
    /// The name of the handler that did not accept it.
    pub handler: &'static str,
    /// The attempts that were made.
    pub attempts: u32,
    /// The last failure.
    pub error: String,
    /// True in order by key and without order: only the record, and those behind it in its key, stand
    /// still.
    pub key_only: bool,
}

impl fmt::Display for StoppedPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cluster,
            topic,
            partition,
            offset,
            handler,
            attempts,
            error,
            key_only,
        } = self;
        let key_only = if *key_only {
            ", with its key alone"
        } else {
            ""
        };
        let times = if *attempts == 1 {
            "attempt"
        } else {
            "attempts"
        };
        write!(
            f,
            "{topic}[{partition}]{} stands still at offset {offset}{key_only}: `{handler}` failed after {attempts} {times}: {error}",
            on(cluster)
        )
    }
}

/// A record that failed and is tried again.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct WaitingRecord {
    /// The name of the cluster; empty for the app's own, unless that has one.
    pub cluster: String,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset of the record.
    pub offset: i64,
    /// The name of its handler.
    pub handler: &'static str,
    /// The reason to wait.
    pub wait: WaitingFor,
    /// The attempts that failed; transient failures are none.
    pub attempts: u32,
    /// For how long it has waited.
    #[serde(serialize_with = "seconds")]
    pub since: Duration,
    /// In how long it is tried again; `None` while it is.
    #[serde(serialize_with = "some_seconds")]
    pub due: Option<Duration>,
    /// The last failure.
    pub error: String,
}

/// The reason why a record waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitingFor {
    /// Its next attempt is not due.
    Retry,
    /// A transient failure must pass: such a failure uses up no attempts.
    Transient,
    /// Its dead letter cannot be written.
    DeadLetter,
}

impl From<Wait> for WaitingFor {
    fn from(wait: Wait) -> Self {
        match wait {
            Wait::Retry => Self::Retry,
            Wait::Transient => Self::Transient,
            Wait::DeadLetter => Self::DeadLetter,
        }
    }
}

impl GroupHealth {
    pub(crate) fn new(cluster: &str, group: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            group: group.to_owned(),
            ..Self::default()
        }
    }

    /// Its consumer has begun its last turn so long ago; it begins one a second.
    pub(crate) fn has_turned(&mut self, ago: Duration) {
        let stuck = Problem::new(ProblemCode::ConsumerStuck, &self.subject(), ago, "");
        self.open.extend(stuck);
    }

    /// The group in a sentence.
    pub(crate) fn name(&self) -> String {
        format!("group `{}`{}", self.group, on(&self.cluster))
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let stopped = self.stopped.iter().filter_map(|record| {
            let problem = Problem::new(
                ProblemCode::RecordStopped,
                &self.record(
                    &record.topic,
                    record.partition,
                    record.offset,
                    record.handler,
                ),
                Duration::ZERO,
                &record.error,
            )?;
            Some(problem.in_words(record.to_string()))
        });
        let waiting = self.waiting.iter().filter_map(|record| {
            let code = match record.wait {
                // Its attempts come to an end.
                WaitingFor::Retry => return None,
                WaitingFor::Transient => ProblemCode::RecordWaits,
                WaitingFor::DeadLetter => ProblemCode::DeadLetterWaits,
            };
            let subject = self.record(
                &record.topic,
                record.partition,
                record.offset,
                record.handler,
            );
            Problem::new(code, &subject, record.since, &record.error)
        });
        let stalled = self.stalled.iter();
        let stalled = stalled.filter_map(|record| record.problem(Some(&self.group)));
        let far = self.span_reached.iter().filter_map(|(topic, partition)| {
            let subject = Subject {
                topic: Some(topic),
                partition: Some(*partition),
                ..self.subject()
            };
            Problem::new(ProblemCode::SpanReached, &subject, Duration::ZERO, "")
        });
        let open = self.open.iter().cloned();
        let records = stopped.chain(waiting).chain(stalled);
        open.chain(records).chain(far).collect()
    }

    /// The records beyond the first hundred.
    pub(super) fn more(&self) -> usize {
        self.more_stopped + self.more_waiting + self.more_stalled
    }

    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            cluster: &self.cluster,
            group: Some(&self.group),
            ..Subject::default()
        }
    }

    fn record<'a>(
        &'a self,
        topic: &'a str,
        partition: i32,
        offset: i64,
        handler: &'a str,
    ) -> Subject<'a> {
        Subject {
            topic: Some(topic),
            partition: Some(partition),
            offset: Some(offset),
            function: Some(handler),
            ..self.subject()
        }
    }
}
