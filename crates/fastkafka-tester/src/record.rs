//! Records before and after they reach a topic.

use crate::function::Function;
use crate::topology::ClusterName;
use bytes::Bytes;

/// A record of a topic, as a consumer would read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicRecord {
    /// The name of the cluster; empty for the app's own cluster, unless that has a name.
    pub cluster: &'static str,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset in the partition.
    pub offset: i64,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// The key.
    pub key: Option<Bytes>,
    /// The payload; `None` is a tombstone.
    pub payload: Option<Bytes>,
    /// The headers, in order.
    pub headers: Vec<(String, Option<Bytes>)>,
    /// The function of an app that sent it; `None` for a record from a mirror, and for a dead letter.
    pub producer: Option<Function>,
}

/// A record that an app or the test sends.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewRecord {
    pub(crate) cluster: ClusterName,
    pub(crate) topic: String,
    /// `None`: chosen by the key, or round robin if there is no key.
    pub(crate) partition: Option<i32>,
    pub(crate) key: Option<Bytes>,
    pub(crate) payload: Option<Bytes>,
    pub(crate) headers: Vec<(String, Option<Bytes>)>,
    /// `None`: now.
    pub(crate) timestamp: Option<i64>,
    /// The producer, if an app sends it.
    pub(crate) producer: Option<Function>,
}

/// Why a record was not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "there is no topic `{0}`; declare it with `.topic(\"{0}\", Topic::new())` on the app, or make it with `tester.create_topic(\"{0}\", 1)`"
    )]
    UnknownTopic(String),
    #[error("topic `{topic}` has no partition {partition}: it has {partitions}")]
    UnknownPartition {
        topic: String,
        partition: i32,
        partitions: usize,
    },
    #[error("the broker is down")]
    Down,
    #[error("the record was not acknowledged in time")]
    TimedOut,
    #[error("the broker refuses it: message size too large")]
    Refused,
}
