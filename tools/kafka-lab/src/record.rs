//! Records, written and read by Kafka's own clients.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;

use crate::{Kafka, LabError};

/// A record as it lies in a partition.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Wire")]
pub struct Record {
    /// Its partition.
    pub partition: i32,
    /// Its offset in the partition.
    pub offset: i64,
    /// Milliseconds since the Unix epoch.
    pub timestamp: i64,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Its headers in order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// A record to write. Without a partition Kafka's default partitioner chooses: murmur2 of the key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewRecord {
    partition: Option<i32>,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

impl NewRecord {
    /// A record with this value.
    pub fn new(value: impl Into<Vec<u8>>) -> Self {
        Self {
            value: Some(value.into()),
            ..Self::default()
        }
    }

    /// A record without a value: it deletes its key from a compacted topic.
    #[must_use]
    pub fn tombstone() -> Self {
        Self::default()
    }

    /// Sets the key.
    #[must_use]
    pub fn key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), Some(value.into())));
        self
    }

    /// Chooses the partition.
    #[must_use]
    pub fn partition(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }
}

impl Kafka {
    /// Writes `records` in order with `acks=all`, and returns the partition and offset of each.
    ///
    /// # Errors
    ///
    /// The first failure, at the latest after 10 s. Records of the same call before and after it may have been written.
    pub fn produce(&self, topic: &str, records: &[NewRecord]) -> Result<Vec<(i32, i64)>, LabError> {
        self.produce_as(topic, records, None)
    }

    /// As [`produce`](Self::produce), in a transaction that is committed or aborted at the end. The log has a
    /// control record behind the records.
    ///
    /// # Errors
    ///
    /// As `produce`.
    pub fn produce_in_transaction(
        &self,
        topic: &str,
        records: &[NewRecord],
        commit: bool,
    ) -> Result<Vec<(i32, i64)>, LabError> {
        let end = if commit { "commit" } else { "abort" };
        self.produce_as(topic, records, Some(end))
    }

    fn produce_as(
        &self,
        topic: &str,
        records: &[NewRecord],
        transaction: Option<&str>,
    ) -> Result<Vec<(i32, i64)>, LabError> {
        // Bounded lines: a test may well write a million records at once.
        const CHUNK: usize = 10_000;
        let mut places: Vec<(i32, i64)> = Vec::with_capacity(records.len());
        for chunk in records.chunks(CHUNK) {
            let records: Vec<_> = chunk
                .iter()
                .map(|record| {
                    json!({
                        "partition": record.partition,
                        "key": record.key.as_ref().map(Base64::from),
                        "value": record.value.as_ref().map(Base64::from),
                        "headers": record.headers.iter()
                            .map(|(name, value)| (name, value.as_ref().map(Base64::from)))
                            .collect::<Vec<_>>(),
                    })
                })
                .collect();
            let mut request = json!({"do": "produce", "topic": topic, "records": records});
            if let Some(end) = transaction {
                request["transaction"] = end.into();
            }
            places.append(&mut self.helper().request(&request)?);
        }
        Ok(places)
    }

    /// Everything that is in `topic` now, by partition and offset, records of aborted transactions included.
    ///
    /// # Errors
    ///
    /// The topic does not exist, or the broker sends nothing for 60 s.
    pub fn consume(&self, topic: &str) -> Result<Vec<Record>, LabError> {
        let request = json!({"do": "consume", "topic": topic});
        let ((), mut records) = self.helper().request_records(&request)?;
        records.sort_by_key(|record| (record.partition, record.offset));
        Ok(records)
    }
}

/// A [`Record`] as the helper writes it.
#[derive(Deserialize)]
struct Wire {
    partition: i32,
    offset: i64,
    timestamp: i64,
    key: Option<Base64>,
    value: Option<Base64>,
    headers: Vec<(String, Option<Base64>)>,
}

impl From<Wire> for Record {
    fn from(wire: Wire) -> Self {
        let bytes = |base64: Option<Base64>| base64.map(|Base64(bytes)| bytes);
        Self {
            partition: wire.partition,
            offset: wire.offset,
            timestamp: wire.timestamp,
            key: bytes(wire.key),
            value: bytes(wire.value),
            headers: wire
                .headers
                .into_iter()
                .map(|(name, value)| (name, bytes(value)))
                .collect(),
        }
    }
}

/// Bytes, which JSON has no other place for.
struct Base64(Vec<u8>);

impl From<&Vec<u8>> for Base64 {
    fn from(bytes: &Vec<u8>) -> Self {
        Self(bytes.clone())
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD
            .decode(text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}
