//! Records as the cluster in memory keeps them, and as a consumer holds them.

use bytes::Bytes;
use fastkafka_core::{Fetched, Header, Record, Timestamp, TimestampType};
use fastkafka_sim::Entry;
use std::ops::Range;
use std::sync::Arc;

/// The content of a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) key: Option<Bytes>,
    pub(crate) payload: Option<Bytes>,
    pub(crate) headers: Vec<(String, Option<Bytes>)>,
}

/// A record in a log of the simulator.
pub(crate) type Stored = Arc<Content>;

/// The records that one fetch brought from one partition.
#[derive(Debug)]
pub(crate) struct Block(pub(crate) Vec<Entry<Stored>>);

impl Fetched for Block {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn offset(&self, at: usize) -> i64 {
        self.0[at].offset
    }

    fn records<'r>(&'r self, range: Range<usize>, into: &mut Vec<Record<'r>>) {
        into.extend(self.0[range].iter().map(|entry| Record {
            payload: entry.record.payload.as_deref(),
            key: entry.record.key.as_deref(),
            offset: entry.offset,
            timestamp: Timestamp::new(entry.timestamp, TimestampType::CreateTime),
        }));
    }

    fn headers(&self, at: usize) -> Vec<Header<'_>> {
        let headers = self.0[at].record.headers.iter();
        headers
            .map(|(name, value)| (name.as_str(), value.as_deref()))
            .collect()
    }
}
