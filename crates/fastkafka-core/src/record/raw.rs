//! A record as it was read.

use super::{EventMetadata, Fetched, Headers, Record, TopicPartition};
use std::fmt;

/// A record as it was read: bytes, headers, metadata. A parameter of handlers, and what a custom
/// decoder may take.
#[derive(Clone, Copy)]
pub struct RawRecord<'r> {
    place: &'static TopicPartition,
    record: &'r Record<'r>,
    /// The client's block of records, for the headers.
    fetched: &'r dyn Fetched,
    /// The record's index in `fetched`.
    at: usize,
}

impl<'r> RawRecord<'r> {
    #[inline]
    pub(crate) fn new(
        place: &'static TopicPartition,
        record: &'r Record<'r>,
        fetched: &'r dyn Fetched,
        at: usize,
    ) -> Self {
        Self {
            place,
            record,
            fetched,
            at,
        }
    }

    /// The payload; `None` for a tombstone.
    #[inline]
    pub fn payload(&self) -> Option<&'r [u8]> {
        self.record.payload
    }

    /// The key.
    #[inline]
    pub fn key(&self) -> Option<&'r [u8]> {
        self.record.key
    }

    /// The headers in their order; a name may stand more than once. Allocates.
    pub fn headers(&self) -> Headers<'r> {
        self.fetched.headers(self.at).into()
    }

    /// Topic, partition, offset, time.
    pub fn metadata(&self) -> EventMetadata {
        EventMetadata::from_record(self.place, self.record)
    }
}

impl fmt::Debug for RawRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawRecord")
            .field("metadata", &self.metadata())
            .field("key", &self.key())
            .field("payload", &self.payload())
            .finish()
    }
}
