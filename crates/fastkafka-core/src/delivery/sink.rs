//! The sink of an app's records: the Kafka client, or a broker in memory.

use super::error::ProduceError;
use super::slot::DeliveryToken;
use crate::function::definition::ProducerDef;
use bytes::Bytes;
use std::task::{Context, Poll};

/// A record on its way out. Borrowed: a client that copies needs no allocation here.
#[derive(Clone, Copy, Debug)]
pub struct OutRecord<'a> {
    /// The function that made it; `None` for a dead letter.
    pub producer: Option<&'static ProducerDef>,
    /// The cluster; `None` for the one of its producer.
    pub cluster: Option<&'a str>,
    /// The topic.
    pub topic: &'a str,
    /// The partition; `None` leaves it to the key.
    pub partition: Option<i32>,
    /// The payload; `None` is a tombstone.
    pub payload: Option<&'a [u8]>,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// Headers in order.
    pub headers: &'a [(String, Option<Bytes>)],
    /// Milliseconds since 1970; `None` for the client's clock.
    pub timestamp: Option<i64>,
    /// Earlier records of the same call were taken: there was room for the call, and all of it goes, or a call
    /// of more records than there is ever room for could not be made.
    pub rest: bool,
}

impl OutRecord<'_> {
    /// The bytes of payload, key and headers: what it counts as while it is on its way.
    pub fn length(&self) -> usize {
        let bytes = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
        let headers = self.headers.iter();
        let headers: usize = headers
            .map(|(name, value)| name.len() + bytes(value.as_deref()))
            .sum();
        bytes(self.payload) + bytes(self.key) + headers
    }
}

/// Why a record cannot be written so, if that is the case. librdkafka takes a time of 0 for none and puts its
/// clock there, and the partition -1 for any; times before 1970 are refused by Java's client, too.
#[doc(hidden)]
pub fn unwritable(partition: Option<i32>, timestamp: Option<i64>) -> Option<String> {
    if let Some(partition) = partition.filter(|partition| *partition < 0) {
        return Some(format!(
            "partition {partition} does not exist; leave it out, and the key chooses"
        ));
    }
    let timestamp = timestamp.filter(|millis| *millis <= 0)?;
    Some(format!(
        "timestamp {timestamp} cannot be written: clients count milliseconds since 1970, from 1 on; leave it out for the present"
    ))
}

/// The destination of an app's records: the Kafka client, or a broker in memory.
pub trait RecordSink: Send + Sync {
    /// Takes the record, or fails at once and cancels the token. A record that was taken is reported
    /// through the token, from any thread.
    ///
    /// # Errors
    /// When the record is not taken.
    fn enqueue(&self, record: OutRecord<'_>, token: DeliveryToken) -> Result<(), ProduceError>;

    /// True for a producer with `acks = 0`: its records are never acknowledged, so nothing can wait for
    /// them.
    fn is_unacknowledged(&self, _producer: &'static ProducerDef) -> bool {
        false
    }

    /// Ready when there is room for another record.
    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()>;
}
