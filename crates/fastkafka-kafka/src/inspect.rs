//! A cluster seen from outside of its groups: the records of its topics, their ends, the offsets that
//! groups have committed.

use super::access::Access;
use super::client_context::Logged;
use super::clusters::Clusters;
use super::error::call_error;
use super::names::ClusterNames;
use super::options::KafkaOptions;
use bytes::Bytes;
use fastkafka_core::{Plan, Problems};
use fastkafka_runtime::platform::{ClientError, Offsets};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};
use std::fmt;
use std::time::Duration;

/// One answer must come within this time.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A cluster seen from outside. The calls that are not `async` wait for the broker.
#[derive(Clone, Debug)]
pub struct Inspector {
    access: Access,
}

/// A record of a log.
#[derive(Clone, Debug)]
pub struct LogRecord {
    /// The topic, by the app's name.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// Milliseconds since 1970.
    pub timestamp: Option<i64>,
    /// The key.
    pub key: Option<Bytes>,
    /// The payload; `None` is a tombstone.
    pub payload: Option<Bytes>,
    /// Headers in order.
    pub headers: Vec<(String, Option<Bytes>)>,
}

/// Reads topics from their beginning.
pub struct LogReader {
    consumer: BaseConsumer<Logged>,
    names: ClusterNames,
}

/// Asks about offsets under the name of one group, which it never joins.
pub struct GroupOffsets {
    consumer: BaseConsumer<Logged>,
    names: ClusterNames,
}

impl Inspector {
    /// Fetches the token that the cluster needs, if any.
    ///
    /// # Errors
    /// When there is no token.
    pub async fn open(options: &KafkaOptions, cluster: &str) -> Result<Self, Problems> {
        let clusters = Clusters::open(options, &Plan::empty(cluster)).await?;
        Ok(Self {
            access: clusters.first().clone(),
        })
    }

    /// Reads every record of these topics, given with their numbers of partitions.
    ///
    /// # Errors
    /// The client's.
    pub fn read(&self, name: &str, topics: &[(String, i32)]) -> Result<LogReader, ClientError> {
        let consumer = self.consumer(name)?;
        let mut all = TopicPartitionList::new();
        for (topic, partitions) in topics {
            let topic = self.access.names().on_cluster(topic);
            for partition in 0..*partitions {
                all.add_partition_offset(&topic, partition, Offset::Beginning)
                    .map_err(|e| call_error(&e))?;
            }
        }
        consumer.assign(&all).map_err(|e| call_error(&e))?;
        Ok(LogReader {
            consumer,
            names: self.access.names().clone(),
        })
    }

    /// A client that asks about the offsets of this group.
    ///
    /// # Errors
    /// The client's.
    pub fn group(&self, group: &str) -> Result<GroupOffsets, ClientError> {
        Ok(GroupOffsets {
            consumer: self.consumer(group)?,
            names: self.access.names().clone(),
        })
    }

    /// Deletes topics and groups: what can be deleted is.
    ///
    /// # Errors
    /// The client's.
    pub async fn delete(&self, topics: &[&str], groups: &[&str]) -> Result<(), ClientError> {
        let admin = self.access.config().create_with_context(Logged);
        let admin: AdminClient<Logged> = admin.map_err(|e| call_error(&e))?;
        self.access.admit(admin.inner())?;
        let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
        let names = |names: &[&str]| -> Vec<String> {
            let names = names.iter();
            names
                .map(|name| self.access.names().on_cluster(name))
                .collect()
        };
        let (topics, groups) = (names(topics), names(groups));
        let topics: Vec<_> = topics.iter().map(String::as_str).collect();
        let groups: Vec<_> = groups.iter().map(String::as_str).collect();
        let deleted = admin.delete_topics(&topics, &options).await;
        if !groups.is_empty() {
            let deleted = admin.delete_groups(&groups, &options).await;
            deleted.map_err(|e| call_error(&e))?;
        }
        deleted.map(drop).map_err(|e| call_error(&e))
    }

    /// A consumer that never joins.
    fn consumer(&self, group: &str) -> Result<BaseConsumer<Logged>, ClientError> {
        let mut config = self.access.config();
        config
            .set("group.id", self.access.names().on_cluster(group))
            .set("enable.auto.commit", "false")
            .set("fetch.wait.max.ms", "10")
            .set("fetch.queue.backoff.ms", "10")
            .set("auto.offset.reset", "earliest");
        let consumer = config.create_with_context(Logged);
        let consumer: BaseConsumer<Logged> = consumer.map_err(|e| call_error(&e))?;
        self.access.admit(consumer.client())?;
        Ok(consumer)
    }
}

impl LogReader {
    /// The next record, if one comes within this time.
    pub fn next(&self, within: Duration) -> Option<LogRecord> {
        let message = self.consumer.poll(within)?.ok()?;
        Some(log_record(&message, &self.names))
    }
}

impl GroupOffsets {
    /// The end of a partition: the offset of its next record.
    ///
    /// # Errors
    /// The client's.
    pub fn end(&self, topic: &str, partition: i32) -> Result<i64, ClientError> {
        let topic = self.names.on_cluster(topic);
        let asked = self.consumer.fetch_watermarks(&topic, partition, TIMEOUT);
        asked.map(|(_, high)| high).map_err(|e| call_error(&e))
    }

    /// The offsets that the group has committed in these partitions.
    ///
    /// # Errors
    /// The client's.
    pub fn committed<'a>(
        &self,
        partitions: impl IntoIterator<Item = (&'a str, i32)>,
    ) -> Result<Offsets, ClientError> {
        let mut list = TopicPartitionList::new();
        for (topic, partition) in partitions {
            list.add_partition(&self.names.on_cluster(topic), partition);
        }
        let committed = self.consumer.committed_offsets(list, TIMEOUT);
        let committed = committed.map_err(|e| call_error(&e))?;
        let elements = committed.elements();
        let offsets = elements.iter().filter_map(|element| {
            let Offset::Offset(offset) = element.offset() else {
                return None;
            };
            let topic = self.names.topic(element.topic()).to_owned();
            Some(((topic, element.partition()), offset))
        });
        Ok(offsets.collect())
    }
}

fn log_record(message: &BorrowedMessage<'_>, names: &ClusterNames) -> LogRecord {
    let headers = message.headers().map(|headers| {
        let headers = headers.iter();
        headers
            .map(|header| {
                let value = header.value.map(Bytes::copy_from_slice);
                (header.key.to_owned(), value)
            })
            .collect()
    });
    LogRecord {
        topic: names.topic(message.topic()).to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis(),
        key: message.key().map(Bytes::copy_from_slice),
        payload: message.payload().map(Bytes::copy_from_slice),
        headers: headers.unwrap_or_default(),
    }
}

impl fmt::Debug for LogReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogReader")
    }
}

impl fmt::Debug for GroupOffsets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GroupOffsets")
    }
}
