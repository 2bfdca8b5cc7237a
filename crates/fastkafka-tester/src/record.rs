//! A record that is sent, and what becomes of it.

use crate::function::Function;
use crate::topology::Name;
use bytes::Bytes;

/// A record that somebody sends.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewRecord {
    pub(crate) cluster: Name,
    pub(crate) topic: String,
    /// `None`: by the key, else in turns.
    pub(crate) partition: Option<i32>,
    pub(crate) key: Option<Bytes>,
    pub(crate) payload: Option<Bytes>,
    pub(crate) headers: Vec<(String, Option<Bytes>)>,
    /// `None`: now.
    pub(crate) timestamp: Option<i64>,
    /// Who sends it, if an app does.
    pub(crate) producer: Option<Function>,
}

/// What becomes of a record that the app sends. See `Tester::fail_next_produce`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProduceFault {
    /// It never arrives, and the producer hears that its time ran out. Sending it again may succeed.
    Lost,
    /// It is written, but the acknowledgement is lost: the producer hears that its time ran out.
    Unacknowledged,
    /// The broker refuses it, as one that is too large: sending it again cannot succeed.
    Refused,
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
