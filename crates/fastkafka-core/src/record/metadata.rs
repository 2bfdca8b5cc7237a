//! Topic, partition, offset and time of a record.

use super::{Record, Timestamp, TimestampType, TopicPartition};
use std::fmt;

/// Topic, partition, offset and time of a record. Small and `Copy`: take it by value or by reference.
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

    /// The side that set the timestamp.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_three_words() {
        assert_eq!(size_of::<EventMetadata>(), 24);
    }
}
