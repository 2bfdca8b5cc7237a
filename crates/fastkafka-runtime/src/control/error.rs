//! Why a command could not be carried out.

use super::target::Target;

/// Why a [`Handle`](super::handle::Handle) could not do what it was asked to.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlError {
    /// The app has not joined its groups yet.
    #[error("the app is not started")]
    NotStarted,
    /// The app is shutting down, or has ended.
    #[error("the app is stopping")]
    Stopping,
    /// The app reads no such topic, or not in that group.
    #[error("no consumer of the app reads {target}; it reads {}", .known.join(", "))]
    Unknown {
        /// The target of the request.
        target: Target,
        /// The topics that are read, each with its group.
        known: Vec<String>,
    },
    /// A seek moves the position of one group.
    #[error("{target} is read by the groups {}: name one, as in `Target::topic(\"{}\").group(\"{}\")`", .groups.join(", "), .target.topic, .groups[0])]
    SeveralGroups {
        /// The target of the request.
        target: Target,
        /// Its groups.
        groups: Vec<String>,
    },
    /// A seek moves the position on one cluster.
    #[error("{target} is read on several clusters, {}: name one, as in `Target::topic(\"{}\").cluster(\"{}\")`", quoted(.clusters), .target.topic, .clusters[0])]
    SeveralClusters {
        /// The target of the request.
        target: Target,
        /// Its clusters.
        clusters: Vec<String>,
    },
    /// An offset means another record in each partition.
    #[error("an offset belongs to one partition of `{topic}`: name it, as in `(\"{topic}\", 0)`")]
    NoPartition {
        /// The topic.
        topic: String,
    },
    /// The partition is another member's, or nobody's yet.
    #[error("{target} is not assigned to this process")]
    NotAssigned {
        /// The target of the request.
        target: Target,
    },
    /// The group is rebalancing.
    #[error("{topic}[{partition}] cannot be moved during a rebalance: try again")]
    Rebalancing {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
    },
    /// A seek of the partition is under way.
    #[error("{topic}[{partition}] is being moved already: try again")]
    Seeking {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
    },
    /// The log has no such record.
    #[error("offset {offset} is not in the log of {topic}[{partition}], which has {low} to {high}")]
    OutOfRange {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset of the request.
        offset: i64,
        /// The log's first offset.
        low: i64,
        /// The offset after the log's last record.
        high: i64,
    },
    /// The broker did not answer, or refused to.
    #[error("where {topic}[{partition}] is to go on could not be asked: {why}")]
    Unanswered {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// In the client's words.
        why: String,
    },
    /// The partition goes on at the new offset, but a crash would undo that.
    #[error(
        "{topic}[{partition}] goes on at {offset}, which is not committed: {why}; seek again to be sure"
    )]
    NotCommitted {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset where it goes on.
        offset: i64,
        /// In the client's words.
        why: String,
    },
}

fn quoted(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(" and ")
}
