//! Placeholder of the cluster in memory.
use bytes::Bytes;

/// A record that somebody sends.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewRecord {
    pub(crate) topic: String,
    pub(crate) partition: Option<i32>,
    pub(crate) key: Option<Bytes>,
    pub(crate) payload: Option<Bytes>,
    pub(crate) headers: Vec<(String, Option<Bytes>)>,
    pub(crate) timestamp: Option<i64>,
}
