//! `KafkaEvent`: the record that a producer returns.

use super::key::{EncodeKey, IntoKey};
use bytes::Bytes;

/// A payload with key, headers and the rest of a record.
///
/// ```
/// # use fastkafka_core::KafkaEvent;
/// let event = KafkaEvent::new("paid").key(7).header("trace", "abc");
/// assert_eq!(event.key.as_deref(), Some(&b"7"[..]));
/// ```
///
/// `K` is `Bytes`, an encoded key, unless the producer has a `key_encoder`; then it is what that takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaEvent<T, K = Bytes> {
    /// The payload; `None` is a tombstone.
    pub message: Option<T>,
    /// The key. Records with equal keys go to one partition.
    pub key: Option<K>,
    /// Headers in order; a value may be null.
    pub headers: Vec<(String, Option<Bytes>)>,
    /// Milliseconds since 1970, from 1 on; `None`: the client's clock.
    pub timestamp: Option<i64>,
    /// The partition; `None`: by the key.
    pub partition: Option<i32>,
    /// The topic; `None`: the producer's. For replies to a topic that the request names.
    pub topic: Option<String>,
}

impl<T> KafkaEvent<T> {
    /// A payload without a key.
    pub fn new(message: T) -> Self {
        Self::with(Some(message), None)
    }

    /// A null payload: compaction removes the key's older records.
    pub fn tombstone(key: impl EncodeKey) -> Self {
        Self::with(None, Some(key.encode_key()))
    }

    /// Sets the key: a string, bytes, or an integer (written as text). A [`Key`](crate::Key)
    /// parameter is passed on as it came, and `None` is no key.
    #[must_use]
    pub fn key(mut self, key: impl IntoKey) -> Self {
        self.key = key.into_key();
        self
    }
}

impl<T, K> KafkaEvent<T, K> {
    fn with(message: Option<T>, key: Option<K>) -> Self {
        Self {
            message,
            key,
            headers: Vec::new(),
            timestamp: None,
            partition: None,
            topic: None,
        }
    }

    /// Sets a key that the producer's `key_encoder` writes.
    #[must_use]
    pub fn with_key<L>(self, key: L) -> KafkaEvent<T, L> {
        let Self {
            message,
            headers,
            timestamp,
            partition,
            topic,
            ..
        } = self;
        KafkaEvent {
            message,
            key: Some(key),
            headers,
            timestamp,
            partition,
            topic,
        }
    }

    /// Appends a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.headers.push((name.into(), Some(value.into())));
        self
    }

    /// Sets the time, in milliseconds since 1970. 0 and less are refused when it is sent: the client would put its
    /// clock there, or no time.
    #[must_use]
    pub fn timestamp(mut self, millis: i64) -> Self {
        self.timestamp = Some(millis);
        self
    }

    /// Sets the partition, whatever the key. One below 0 is refused when it is sent.
    #[must_use]
    pub fn partition(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }

    /// Sends to this topic instead of the producer's.
    #[must_use]
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.topic = Some(topic.into());
        self
    }
}
