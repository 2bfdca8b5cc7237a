//! A test's own eyes on a cluster: every record of its topics, their ends, what groups have committed.

use super::Logged;
use super::access::{Access, Clusters, Names};
use bytes::Bytes;
use fastkafka_core::Plan;
use fastkafka_runtime::Options;
use fastkafka_runtime::platform::Offsets;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// One answer must come within this time.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long the thread that reads waits before it looks whether it is to end.
const POLL: Duration = Duration::from_millis(50);

/// Its thread and its group.
const NAME: &str = "tester";

/// A record, read by the probe.
#[derive(Clone, Debug)]
pub struct Tailed {
    /// The topic as the app knows it.
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

/// See the module. Its calls wait for the broker.
pub struct TailReader {
    access: Access,
    /// Topics as the app knows them, with their partitions.
    topics: Vec<(String, i32)>,
    /// For questions only.
    asks: BaseConsumer<Logged>,
    /// By group.
    groups: Mutex<BTreeMap<String, Arc<BaseConsumer<Logged>>>>,
    over: Arc<AtomicBool>,
    tail: Option<JoinHandle<()>>,
}

impl TailReader {
    /// Reads everything of the topics of a cluster from their beginning on, and hands it to `to` on a
    /// thread of its own.
    ///
    /// # Errors
    /// The client's.
    pub async fn new(
        options: &Options,
        cluster: &str,
        topics: Vec<(String, i32)>,
        to: impl Fn(Tailed) + Send + 'static,
    ) -> Result<Self, String> {
        let clusters = Clusters::open(options, &Plan::empty(cluster)).await;
        let access = clusters.map_err(text)?.first().clone();
        let reads = consumer(&access, NAME)?;
        let mut all = TopicPartitionList::new();
        for (topic, partitions) in &topics {
            for partition in 0..*partitions {
                all.add_partition_offset(
                    &access.names().on_cluster(topic),
                    partition,
                    Offset::Beginning,
                )
                .map_err(text)?;
            }
        }
        reads.assign(&all).map_err(text)?;
        let over = Arc::new(AtomicBool::new(false));
        let (is_over, names) = (over.clone(), access.names().clone());
        let tail = std::thread::Builder::new()
            .name(NAME.to_owned())
            .spawn(move || {
                while !is_over.load(Relaxed) {
                    if let Some(Ok(message)) = reads.poll(POLL) {
                        to(tailed(&message, &names));
                    }
                }
            })
            .map_err(text)?;
        Ok(Self {
            asks: consumer(&access, NAME)?,
            access,
            topics,
            groups: Mutex::default(),
            over,
            tail: Some(tail),
        })
    }

    fn partitions<'a>(&'a self, topics: &'a [String]) -> impl Iterator<Item = (&'a str, i32)> {
        let topics = self
            .topics
            .iter()
            .filter(|(topic, _)| topics.contains(topic));
        topics.flat_map(|(topic, partitions)| (0..*partitions).map(|p| (topic.as_str(), p)))
    }

    /// The end of each partition: the offset of its next record.
    ///
    /// # Errors
    /// The client's.
    pub fn ends(&self) -> Result<Offsets, String> {
        let topics: Vec<_> = self.topics.iter().map(|(topic, _)| topic.clone()).collect();
        self.partitions(&topics)
            .map(|(topic, partition)| {
                let on_cluster = self.access.names().on_cluster(topic);
                let asked = self.asks.fetch_watermarks(&on_cluster, partition, TIMEOUT);
                let (_, high) = asked.map_err(text)?;
                Ok(((topic.to_owned(), partition), high))
            })
            .collect()
    }

    /// What a group has committed in these topics.
    ///
    /// # Errors
    /// The client's.
    pub fn committed(&self, group: &str, topics: &[String]) -> Result<Offsets, String> {
        let asks = self.group(group)?;
        let mut list = TopicPartitionList::new();
        for (topic, partition) in self.partitions(topics) {
            list.add_partition(&self.access.names().on_cluster(topic), partition);
        }
        let committed = asks.committed_offsets(list, TIMEOUT).map_err(text)?;
        let elements = committed.elements();
        let offsets = elements.iter().filter_map(|element| {
            let Offset::Offset(offset) = element.offset() else {
                return None;
            };
            let topic = self.access.names().topic(element.topic()).to_owned();
            Some(((topic, element.partition()), offset))
        });
        Ok(offsets.collect())
    }

    /// Deletes the topics, and the groups that were asked about.
    ///
    /// # Errors
    /// The client's; what can be deleted is.
    pub async fn clean_up(&self) -> Result<(), String> {
        let admin = self.access.config().create_with_context(Logged);
        let admin: AdminClient<Logged> = admin.map_err(text)?;
        self.access.admit(admin.inner()).map_err(text)?;
        let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
        let topics: Vec<_> = self
            .topics
            .iter()
            .map(|(topic, _)| self.access.names().on_cluster(topic))
            .collect();
        let topics: Vec<_> = topics.iter().map(String::as_str).collect();
        let deleted = admin.delete_topics(&topics, &options).await.map_err(text);
        let groups = {
            let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
            let groups = groups.keys();
            groups
                .map(|group| self.access.names().on_cluster(group))
                .collect::<Vec<_>>()
        };
        let groups: Vec<_> = groups.iter().map(String::as_str).collect();
        if !groups.is_empty() {
            admin.delete_groups(&groups, &options).await.map_err(text)?;
        }
        deleted.map(drop)
    }

    fn group(&self, group: &str) -> Result<Arc<BaseConsumer<Logged>>, String> {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = groups.get(group) {
            return Ok(known.clone());
        }
        let made = Arc::new(consumer(&self.access, group)?);
        groups.insert(group.to_owned(), made.clone());
        Ok(made)
    }
}

impl Drop for TailReader {
    fn drop(&mut self) {
        self.over.store(true, Relaxed);
        if let Some(tail) = self.tail.take() {
            // What it called may have panicked: that is no concern of the drop.
            let _ = tail.join();
        }
    }
}

impl fmt::Debug for TailReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TailReader")
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

/// A consumer that never joins.
fn consumer(access: &Access, group: &str) -> Result<BaseConsumer<Logged>, String> {
    let mut config = access.config();
    config
        .set("group.id", access.names().on_cluster(group))
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "10")
        .set("fetch.queue.backoff.ms", "10")
        .set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer<Logged> = config.create_with_context(Logged).map_err(text)?;
    access.admit(consumer.client()).map_err(text)?;
    Ok(consumer)
}

fn tailed(message: &BorrowedMessage<'_>, names: &Names) -> Tailed {
    let topic = message.topic();
    let headers = message.headers().map(|headers| {
        let headers = headers.iter();
        headers
            .map(|header| {
                let value = header.value.map(Bytes::copy_from_slice);
                (header.key.to_owned(), value)
            })
            .collect()
    });
    Tailed {
        topic: names.topic(topic).to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis(),
        key: message.key().map(Bytes::copy_from_slice),
        payload: message.payload().map(Bytes::copy_from_slice),
        headers: headers.unwrap_or_default(),
    }
}

fn text(error: impl fmt::Display) -> String {
    error.to_string()
}
