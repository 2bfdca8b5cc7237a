//! A fetched record as a handler's parameters see it.

pub(crate) mod partition;

use crate::app::AppCore;
use crate::delivery::slot::ScopeRef;
use crate::record::partition::TopicPartition;
use std::fmt;
use std::sync::atomic::AtomicBool;

/// Who set a record's timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimestampType {
    /// The record has none.
    NotAvailable,
    /// The producer, when it made the record.
    CreateTime,
    /// The broker, when it appended the record (topic setting `message.timestamp.type`).
    LogAppendTime,
}

/// A record's time in milliseconds since 1970 and who set it, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// No time is known.
    pub const NONE: Self = Self(0);

    /// A time and who set it. Two bits hold the type, the rest some 70 million years.
    pub fn new(millis: i64, kind: TimestampType) -> Self {
        let bits = match kind {
            TimestampType::NotAvailable => return Self::NONE,
            TimestampType::CreateTime => 1,
            TimestampType::LogAppendTime => 2,
        };
        Self((millis << 2) | bits)
    }

    /// Milliseconds since 1970, or `None` when the record has no time.
    pub fn millis(self) -> Option<i64> {
        (self.0 & 3 != 0).then_some(self.0 >> 2)
    }

    /// Who set it.
    pub fn kind(self) -> TimestampType {
        match self.0 & 3 {
            1 => TimestampType::CreateTime,
            2 => TimestampType::LogAppendTime,
            _ => TimestampType::NotAvailable,
        }
    }
}

/// Where a record stands. Small and `Copy`: take it by value or by reference.
///
/// `EventMetadata::default()` serves unit tests that call a handler directly.
///
/// ```
/// # use fastkafka_core::{EventMetadata, TimestampType};
/// let meta = EventMetadata::new("orders", 3, 42);
/// assert_eq!((meta.topic(), meta.partition(), meta.offset()), ("orders", 3, 42));
/// assert_eq!(meta.timestamp_type(), TimestampType::NotAvailable);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EventMetadata {
    place: &'static TopicPartition,
    offset: i64,
    timestamp: Timestamp,
}

impl EventMetadata {
    /// Metadata without a timestamp.
    pub fn new(topic: &str, partition: i32, offset: i64) -> Self {
        Self {
            place: TopicPartition::intern(topic, partition),
            offset,
            timestamp: Timestamp::NONE,
        }
    }

    pub(crate) fn from_record(place: &'static TopicPartition, record: &Record<'_>) -> Self {
        Self {
            place,
            offset: record.offset,
            timestamp: record.timestamp,
        }
    }

    /// The topic the record was read from.
    pub fn topic(&self) -> &'static str {
        &self.place.topic
    }

    /// The name of the cluster it was read from; empty for the app's own, unless that has one.
    pub fn cluster(&self) -> &'static str {
        &self.place.cluster
    }

    /// The partition it was read from.
    pub fn partition(&self) -> i32 {
        self.place.partition
    }

    /// Its offset in the partition.
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// Milliseconds since 1970, `None` when the record has no time.
    pub fn timestamp(&self) -> Option<i64> {
        self.timestamp.millis()
    }

    /// Who set the timestamp.
    pub fn timestamp_type(&self) -> TimestampType {
        self.timestamp.kind()
    }
}

impl Default for EventMetadata {
    fn default() -> Self {
        Self::new("test", 0, 0)
    }
}

impl fmt::Debug for EventMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventMetadata")
            .field("topic", &self.topic())
            .field("partition", &self.partition())
            .field("offset", &self.offset)
            .field("timestamp", &self.timestamp())
            .finish()
    }
}

/// One fetched record, borrowed from the client's buffer.
#[derive(Clone, Copy, Debug)]
pub struct Record<'r> {
    /// `None` for a tombstone.
    pub payload: Option<&'r [u8]>,
    /// The key, if it has one.
    pub key: Option<&'r [u8]>,
    /// Its offset.
    pub offset: i64,
    /// Its time.
    pub timestamp: Timestamp,
}

/// One header: a name and a value that may be null.
pub type Header<'r> = (&'r str, Option<&'r [u8]>);

/// Fetched records of one partition, as a client holds them.
///
/// A client parses headers only when somebody asks, which is why they are not part of [`Record`].
pub trait Fetched: Send + Sync + fmt::Debug {
    /// How many records, at least one.
    fn len(&self) -> usize;
    /// Never: a fetched run has records.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The offset of a record.
    fn offset(&self, at: usize) -> i64;
    /// Appends the records of `range` in offset order.
    fn records<'r>(&'r self, range: std::ops::Range<usize>, into: &mut Vec<Record<'r>>);
    /// Keys and payloads of `range` together.
    fn bytes(&self, range: std::ops::Range<usize>) -> u64 {
        let mut records = Vec::with_capacity(range.len());
        self.records(range, &mut records);
        let len = |bytes: Option<&[u8]>| bytes.map_or(0, |bytes| bytes.len() as u64);
        records
            .iter()
            .map(|record| len(record.key) + len(record.payload))
            .sum()
    }
    /// The headers of a record, in their order.
    fn headers(&self, at: usize) -> Vec<Header<'_>>;
}

/// Consecutive records of one partition, handled by one boxed future.
#[derive(Debug)]
pub struct Run<'r> {
    /// The app whose handler runs.
    pub app: &'r AppCore,
    /// Where the records come from.
    pub place: &'static TopicPartition,
    /// The records.
    pub records: &'r [Record<'r>],
    /// What the client holds, for the headers.
    pub fetched: &'r dyn Fetched,
    /// Index of `records[0]` in `fetched`.
    pub base: usize,
    /// What the outputs of the records are charged to.
    pub scope: &'r ScopeRef,
    /// Hand the records of a batch handler over one by one.
    pub single: bool,
    /// The attempt that this is for the first record; 1 for the others.
    pub attempt: u32,
    /// Of a handler on a thread of its own: raised when the call in hand took too long.
    pub expired: Option<&'r AtomicBool>,
}

/// What a parameter is made from: one record, or the records of a batch.
#[derive(Debug)]
pub struct CallContext<'r> {
    pub(crate) run: &'r Run<'r>,
    pub(crate) first: usize,
    pub(crate) len: usize,
    pub(crate) meta: EventMetadata,
}

impl<'r> CallContext<'r> {
    pub(crate) fn new(run: &'r Run<'r>, first: usize, len: usize) -> Self {
        Self {
            run,
            first,
            len,
            meta: EventMetadata::from_record(run.place, &run.records[first]),
        }
    }

    /// The app whose handler is called.
    pub fn app(&self) -> &'r AppCore {
        self.run.app
    }

    /// The first record's metadata.
    pub fn metadata(&self) -> &EventMetadata {
        &self.meta
    }

    /// The records, one unless the handler takes batches.
    pub fn records(&self) -> impl ExactSizeIterator<Item = RawRecord<'r>> + use<'r> {
        let (run, first) = (self.run, self.first);
        (0..self.len).map(move |i| RawRecord { run, at: first + i })
    }

    /// The first record.
    #[inline]
    pub fn record(&self) -> RawRecord<'r> {
        RawRecord {
            run: self.run,
            at: self.first,
        }
    }

    /// Which attempt this is; 1 for the first.
    pub fn attempt(&self) -> u32 {
        if self.first == 0 { self.run.attempt } else { 1 }
    }
}

/// A record as it was read: bytes, headers, metadata. A parameter of handlers, and what a custom
/// decoder may take.
#[derive(Clone, Copy)]
pub struct RawRecord<'r> {
    run: &'r Run<'r>,
    at: usize,
}

impl<'r> RawRecord<'r> {
    #[inline]
    fn record(&self) -> &'r Record<'r> {
        &self.run.records[self.at]
    }

    /// The payload; `None` for a tombstone.
    #[inline]
    pub fn payload(&self) -> Option<&'r [u8]> {
        self.record().payload
    }

    /// The key.
    #[inline]
    pub fn key(&self) -> Option<&'r [u8]> {
        self.record().key
    }

    /// The headers in their order; a name may stand more than once. Allocates.
    pub fn headers(&self) -> Headers<'r> {
        Headers(self.run.fetched.headers(self.run.base + self.at))
    }

    /// Topic, partition, offset, time.
    pub fn metadata(&self) -> EventMetadata {
        EventMetadata::from_record(self.run.place, self.record())
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

/// The headers of a record, in their order. A parameter of handlers.
///
/// ```
/// # use fastkafka_core::Headers;
/// let headers = Headers::from(vec![("trace", Some(&b"7"[..])), ("trace", None)]);
/// assert_eq!(headers.get("trace"), None); // the last one counts, as in Kafka's own clients
/// assert_eq!(headers.iter().count(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers<'r>(Vec<Header<'r>>);

impl<'r> Headers<'r> {
    /// The value of the last header of that name; `None` if there is none or its value is null.
    pub fn get(&self, name: &str) -> Option<&'r [u8]> {
        self.0
            .iter()
            .rev()
            .find(|(n, _)| *n == name)
            .and_then(|(_, value)| *value)
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Header<'r>> + '_ {
        self.0.iter().copied()
    }
}

impl<'r> From<Vec<Header<'r>>> for Headers<'r> {
    fn from(headers: Vec<Header<'r>>) -> Self {
        Self(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_three_words() {
        assert_eq!(size_of::<EventMetadata>(), 24);
    }

    #[test]
    fn a_timestamp_keeps_its_type_and_times_before_1970() {
        for kind in [TimestampType::CreateTime, TimestampType::LogAppendTime] {
            let t = Timestamp::new(-5, kind);
            assert_eq!((t.millis(), t.kind()), (Some(-5), kind));
        }
        assert_eq!(
            Timestamp::new(7, TimestampType::NotAvailable).millis(),
            None
        );
    }
}
