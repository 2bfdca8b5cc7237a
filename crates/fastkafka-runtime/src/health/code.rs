//! The kinds of problems: their codes, words and patience, and the evidence that ends each.

use super::time::PATIENCE;
use serde::ser::{Serialize, Serializer};
use std::fmt;
use std::time::Duration;

/// The kinds of [`Problem`](super::Problem). [`ProblemCode::as_str`] is for machines and stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProblemCode {
    /// No broker of the cluster is reached.
    NoBroker,
    /// The login, or a right on the cluster, is refused.
    LoginRefused,
    /// The cluster does not speak with the client.
    ClusterRefused,
    /// The group does not take the consumer.
    GroupRefused,
    /// The consumer does not come into its group.
    NotInGroup,
    /// The consumer stands still in a call into its client.
    ConsumerStuck,
    /// A topic, or a partition of it, is not there or may not be read.
    TopicRefused,
    /// Commits of a partition are refused.
    CommitRefused,
    /// A record, or a partition behind it, stands still until somebody acts.
    RecordStopped,
    /// The log of a partition ends before the position, or is another one.
    LogTruncated,
    /// A record waits for a transient failure to pass.
    RecordWaits,
    /// The dead letter of a record cannot be written.
    DeadLetterWaits,
    /// A partition was read as far ahead as `max_uncommitted` allows.
    SpanReached,
    /// The broker does not say where a partition starts.
    StartUnknown,
    /// Nothing comes of a partition: its leader is away, or answers with an error.
    PartitionSilent,
    /// A batch of a partition cannot be read.
    BatchUnreadable,
    /// A record has been with its handler for too long.
    HandlerStalled,
    /// A record was handled, and an output, an `Ack` or a spawned task keeps it open.
    RecordOpen,
    /// A partition could not be moved, paused or resumed.
    PartitionStuck,
    /// Records were sent and are not acknowledged.
    OutputsWait,
    /// The client of a producer has ended, and another takes its place.
    ProducerEnded,
    /// A background task fails.
    TaskFails,
    /// The app has ended by itself, or it did not stop cleanly.
    AppEnded,
}

impl ProblemCode {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::NoBroker,
        Self::LoginRefused,
        Self::ClusterRefused,
        Self::GroupRefused,
        Self::NotInGroup,
        Self::ConsumerStuck,
        Self::TopicRefused,
        Self::CommitRefused,
        Self::RecordStopped,
        Self::LogTruncated,
        Self::RecordWaits,
        Self::DeadLetterWaits,
        Self::SpanReached,
        Self::StartUnknown,
        Self::PartitionSilent,
        Self::BatchUnreadable,
        Self::HandlerStalled,
        Self::RecordOpen,
        Self::PartitionStuck,
        Self::OutputsWait,
        Self::ProducerEnded,
        Self::TaskFails,
        Self::AppEnded,
    ];

    /// The code for machines, such as `no-broker`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoBroker => "no-broker",
            Self::LoginRefused => "login-refused",
            Self::ClusterRefused => "cluster-refused",
            Self::GroupRefused => "group-refused",
            Self::NotInGroup => "not-in-group",
            Self::ConsumerStuck => "consumer-stuck",
            Self::TopicRefused => "topic-refused",
            Self::CommitRefused => "commit-refused",
            Self::RecordStopped => "record-stopped",
            Self::LogTruncated => "log-truncated",
            Self::RecordWaits => "record-waits",
            Self::DeadLetterWaits => "dead-letter-waits",
            Self::SpanReached => "span-reached",
            Self::StartUnknown => "start-unknown",
            Self::PartitionSilent => "partition-silent",
            Self::BatchUnreadable => "batch-unreadable",
            Self::HandlerStalled => "handler-stalled",
            Self::RecordOpen => "record-open",
            Self::PartitionStuck => "partition-stuck",
            Self::OutputsWait => "outputs-wait",
            Self::ProducerEnded => "producer-ended",
            Self::TaskFails => "task-fails",
            Self::AppEnded => "app-ended",
        }
    }

    /// How long it must last before it is listed: half a minute for what may pass by itself.
    pub(crate) fn patience(self) -> Duration {
        match self {
            Self::LoginRefused
            | Self::ClusterRefused
            | Self::GroupRefused
            | Self::TopicRefused
            | Self::RecordStopped
            | Self::LogTruncated
            | Self::SpanReached
            | Self::BatchUnreadable
            | Self::ProducerEnded
            | Self::AppEnded => Duration::ZERO,
            // What is raised only after the time that was set for it.
            Self::HandlerStalled | Self::RecordOpen => Duration::ZERO,
            Self::NoBroker
            | Self::NotInGroup
            | Self::CommitRefused
            | Self::RecordWaits
            | Self::DeadLetterWaits
            | Self::StartUnknown
            | Self::PartitionSilent
            | Self::PartitionStuck
            | Self::OutputsWait
            | Self::ConsumerStuck
            | Self::TaskFails => PATIENCE,
        }
    }

    /// What is wrong, in words that follow the subject.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::NoBroker => "no broker is reached",
            Self::LoginRefused => "the login is refused",
            Self::ClusterRefused => "the cluster refuses the client",
            Self::GroupRefused => "the consumer is refused",
            Self::NotInGroup => "the consumer is not in the group",
            Self::ConsumerStuck => "its thread stands still in a call",
            Self::TopicRefused => "cannot be read",
            Self::CommitRefused => "commits are refused",
            Self::RecordStopped => "stands still",
            Self::LogTruncated => "its log is not the one that was read",
            Self::RecordWaits => "waits for a transient failure to pass",
            Self::DeadLetterWaits => "its dead letter cannot be written",
            Self::SpanReached => {
                "has read `max_uncommitted` offsets ahead of its oldest open record"
            }
            Self::StartUnknown => "its first offset is not known, so nothing is read",
            Self::PartitionSilent => "nothing is read of it",
            Self::BatchUnreadable => "a batch cannot be read",
            Self::HandlerStalled => "its handler has not returned",
            Self::RecordOpen => "is handled and still open",
            Self::PartitionStuck => "cannot be moved, paused or resumed",
            Self::OutputsWait => "records are not acknowledged",
            Self::ProducerEnded => "its client has ended, and another takes its place",
            Self::TaskFails => "fails",
            Self::AppEnded => "has ended",
        }
    }

    /// The evidence with which a problem of this kind goes.
    pub fn ends(self) -> &'static str {
        match self {
            Self::NoBroker => "a broker answers",
            Self::LoginRefused => "a broker takes the login",
            Self::ClusterRefused => "a broker answers",
            Self::GroupRefused => {
                "a commit is taken, or the coordinator answers for the group again"
            }
            Self::NotInGroup => {
                "the coordinator answers it as a member, or the group gives it partitions"
            }
            Self::ConsumerStuck => "the call returns",
            Self::TopicRefused => {
                "the broker lists the topic; of a partition, when a record of it is read, or another client of the app can read it"
            }
            Self::CommitRefused => {
                "a commit of the partition is taken, or the partition is given away"
            }
            Self::RecordStopped => {
                "`Handle::resume` tries the record again, or `Handle::seek` leaves it"
            }
            Self::LogTruncated => "`Handle::seek` moves the partition to an offset that is there",
            Self::RecordWaits => "an attempt succeeds",
            Self::DeadLetterWaits => "the dead letter is written",
            Self::SpanReached => "the oldest open record is settled",
            Self::StartUnknown => "the broker says where the partition starts",
            Self::PartitionSilent => {
                "a record of it is read, or another client of the app can read it; where its leader was away, when that answers"
            }
            Self::BatchUnreadable => {
                "records beyond the batch are read, or `Handle::seek` leaves it"
            }
            Self::HandlerStalled => "the handler returns",
            Self::RecordOpen => "the output is acknowledged, the `Ack` or the task ends",
            Self::PartitionStuck => "the client does it; it is tried again every second",
            Self::OutputsWait => {
                "one of them is acknowledged, or each has its report; of one partition when one of it is acknowledged, or none was late for two minutes"
            }
            Self::ProducerEnded => {
                "the next client delivers a record, or has lived for 10 s and a broker answers it"
            }
            Self::AppEnded => "the app is started again",
            Self::TaskFails => "the task runs for a while without a failure",
        }
    }
}

impl Serialize for ProblemCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_says_of_each_problem_what_it_means_and_what_to_do() {
        let guide = include_str!("../../../../docs/guide/health.md");
        let rows = guide.lines().filter(|line| line.starts_with("| `"));
        let rows: Vec<_> = rows.collect();
        let told = rows.iter().filter_map(|row| row.split('`').nth(1));
        let all = ProblemCode::ALL.iter().map(|code| code.as_str());
        assert_eq!(told.collect::<Vec<_>>(), all.collect::<Vec<_>>());
        for (row, code) in rows.iter().zip(ProblemCode::ALL) {
            // Whoever has a line, and no code, looks for its words.
            let words = code.words();
            assert!(row.contains(words), "{code} without `{words}`");
        }
    }
}
