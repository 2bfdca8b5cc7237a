//! How far the groups of an app are behind, by what the broker says: also of other processes, and of none.

use super::access::Access;
use super::client_context::Logged;
use super::clusters::Clusters;
use super::error::{call_error, problem, refused};
use super::options::KafkaOptions;
use fastkafka_core::{Group, Plan, Problems};
use fastkafka_runtime::platform::ClientError;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use std::time::Duration;

/// How far a group is behind in a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionLag {
    /// The name of the cluster; empty for the app's own, unless that has one.
    pub cluster: String,
    /// The group's id.
    pub group: String,
    /// The topic, by the app's name.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset that the group has committed, if it has.
    pub committed: Option<i64>,
    /// The offset after the last record.
    pub end: i64,
}

impl PartitionLag {
    /// The offsets from what is committed to the end.
    pub fn lag(&self) -> Option<i64> {
        self.committed
            .map(|committed| (self.end - committed).max(0))
    }
}

/// Asks the brokers about each group. Consumers without a group commit nothing, and are not in it.
///
/// # Errors
/// What a broker refuses, or that none answers within `start_timeout`.
pub async fn lag(options: &KafkaOptions, plan: &Plan) -> Result<Vec<PartitionLag>, Problems> {
    let clusters = Clusters::open(options, plan).await?;
    let mut all = Vec::new();
    for group in plan.groups.iter().filter(|group| !group.standalone) {
        let access = clusters
            .access(&group.cluster, &group.settings.connection())
            .clone();
        let (asked, within) = (group.clone(), options.start_timeout);
        let found = tokio::task::spawn_blocking(move || of_group(&access, &asked, within));
        let found = found.await.map_err(|error| refused(error.to_string()));
        let found = found.and_then(|found| found);
        all.extend(found.map_err(|error| problem(format!("group `{}`: {error}", group.id)))?);
    }
    clusters.close();
    Ok(all)
}

fn of_group(
    access: &Access,
    group: &Group,
    within: Duration,
) -> Result<Vec<PartitionLag>, ClientError> {
    let names = access.names();
    let mut config = access.config();
    config
        .set("group.id", names.on_cluster(&group.id))
        .set("enable.auto.commit", "false")
        // The end of the log, also behind transactions that are open: what Kafka's own tool shows.
        .set("isolation.level", "read_uncommitted");
    let consumer = config.create_with_context(Logged);
    let consumer: BaseConsumer<Logged> = consumer.map_err(|e| call_error(&e))?;
    access.admit(consumer.client())?;
    let metadata = consumer.fetch_metadata(None, within);
    let metadata = metadata.map_err(|e| call_error(&e))?;
    let topics = group.handlers.iter().flat_map(|handler| handler.def.topics);
    let topics: Vec<_> = topics.map(|topic| names.on_cluster(topic)).collect();
    let by_pattern = group
        .handlers
        .iter()
        .any(|handler| handler.def.pattern.is_some());
    let mut asked = TopicPartitionList::new();
    for topic in metadata.topics() {
        let is_named = topics.iter().any(|known| known == topic.name());
        if is_named || by_pattern {
            for partition in topic.partitions() {
                asked.add_partition(topic.name(), partition.id());
            }
        }
    }
    let committed = consumer.committed_offsets(asked.clone(), within);
    let committed = committed.map_err(|e| call_error(&e))?;
    for element in committed.elements() {
        element.error().map_err(|e| call_error(&e))?;
    }
    let offsets = committed.to_topic_map();
    // A pattern is the broker's to match: what the group has committed tells which topics it reads.
    let has_commit = |topic: &str, partition| {
        let offset = offsets.get(&(topic.to_owned(), partition));
        offset.is_some_and(|offset| matches!(offset, Offset::Offset(_)))
    };
    let mut ends = TopicPartitionList::new();
    for element in asked.elements() {
        let (topic, partition) = (element.topic(), element.partition());
        if topics.iter().any(|known| known == topic) || has_commit(topic, partition) {
            // `ListOffsets` takes it in the place of a time: one request for each leader.
            let added = ends.add_partition_offset(topic, partition, Offset::End);
            added.map_err(|e| call_error(&e))?;
        }
    }
    if ends.count() == 0 {
        return Ok(Vec::new());
    }
    let ends = consumer.offsets_for_times(ends, within);
    let ends = ends.map_err(|e| call_error(&e))?;
    let found = ends.elements().into_iter().map(|element| {
        let (topic, partition) = (element.topic(), element.partition());
        element.error().map_err(|e| call_error(&e))?;
        let number = |offset: Offset| match offset {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        let committed = offsets.get(&(topic.to_owned(), partition)).copied();
        Ok(PartitionLag {
            cluster: group.cluster.to_string(),
            group: group.id.clone(),
            topic: names.topic(topic).to_owned(),
            partition,
            committed: committed.and_then(number),
            end: number(element.offset()).unwrap_or_default(),
        })
    });
    found.collect()
}
