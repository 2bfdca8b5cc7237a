//! One cluster of brokers: the test's own producer, its tail, and the groups that read there.

use super::groups::{ReadingGroup, Settled, reading_groups};
use super::tail::Tail;
use crate::apps;
use crate::lines::on;
use crate::record::{NewRecord, Refusal};
use crate::topology::{ClusterName, Topology};
use crate::watching::journal::Journal;
use crate::watching::watcher::Watcher;
use fastkafka::App;
use fastkafka::record::Delivery;
use fastkafka_core::{DeliveryScope, OutRecord};
use fastkafka_kafka::{KafkaOptions, producer_on};
use fastkafka_runtime::platform::{Offsets, Producers};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long a test is held up at its end while the broker deletes its topics.
const CLEAN_UP: Duration = Duration::from_secs(5);
/// The most records of the test that are handed over and not reported.
const MAX_IN_FLIGHT: usize = 30_000;

/// A cluster of real or embedded brokers.
pub(super) struct RemoteCluster {
    name: ClusterName,
    producers: Arc<dyn Producers>,
    tail: Tail,
    /// By topic: its partitions.
    partitions: BTreeMap<String, i32>,
    groups: Vec<ReadingGroup>,
}

impl RemoteCluster {
    /// Follows the topics of a cluster, which exist.
    pub(super) async fn start(
        name: ClusterName,
        options: &KafkaOptions,
        apps: &[App],
        topology: &Arc<Topology>,
        journal: &Journal,
        watcher: &Watcher,
    ) -> Result<Self, String> {
        let specs = topology.topics(name);
        let partitions: BTreeMap<String, i32> = specs
            .map(|spec| (spec.name.clone(), spec.partitions.unwrap_or(1)))
            .collect();
        let tail = Tail::start(name, options, &partitions, topology, journal, watcher);
        Ok(Self {
            name,
            tail: tail.await?,
            producers: producer_on(options, name, MAX_IN_FLIGHT).await?,
            groups: reading_groups(apps, name, partitions.keys())?,
            partitions,
        })
    }

    /// Sends a record from outside the app.
    pub(super) async fn deliver(&self, record: NewRecord) -> Result<Delivery, String> {
        let partitions = self.partitions.get(&record.topic);
        if let (Some(partition), Some(&partitions)) = (record.partition, partitions)
            && !(0..partitions).contains(&partition)
        {
            let refusal = Refusal::UnknownPartition {
                topic: record.topic,
                partition,
                partitions: usize::try_from(partitions).unwrap_or_default(),
            };
            return Err(refusal.to_string());
        }
        let scope = DeliveryScope::collecting();
        let out = OutRecord {
            producer: None,
            cluster: None,
            topic: &record.topic,
            partition: record.partition,
            payload: record.payload.as_deref(),
            key: record.key.as_deref(),
            headers: &record.headers,
            timestamp: record.timestamp,
            rest: false,
        };
        let enqueued = self.producers.enqueue(out, scope.token(0));
        enqueued.map_err(|error| error.to_string())?;
        let reports = scope.reports().await;
        let delivered = reports.map_err(|failure| failure.message().to_owned())?;
        let first = delivered.into_iter().next();
        first.ok_or_else(|| "the broker reported no delivery".to_owned())
    }

    pub(super) fn tail(&self) -> Tail {
        self.tail.clone()
    }

    pub(super) fn committed(&self, group: &str, topic: &str) -> Result<Offsets, String> {
        self.tail.reader.committed(group, &[topic.to_owned()])
    }

    pub(super) fn ends(&self) -> Result<Offsets, String> {
        self.tail.reader.ends()
    }

    /// Asks the apps, or for a group the broker, for the offsets below which everything is settled.
    pub(super) async fn settled(&self, apps: &[App]) -> Result<Settled, String> {
        let mut settled: Settled = apps::settled(apps)
            .filter(|(cluster, ..)| cluster == self.name)
            .filter_map(|(_, name, offsets)| {
                let group = self.groups.iter().find(|group| group.name == name)?;
                Some((group.clone(), offsets))
            })
            .collect();
        let groups: Vec<_> = self
            .groups
            .iter()
            .filter(|group| !group.standalone)
            .cloned()
            .collect();
        let reader = self.tail.reader.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let committed = groups.into_iter().map(|group| {
                let offsets = reader.committed(&group.name, &group.topics)?;
                Ok((group, offsets))
            });
            committed.collect::<Result<Settled, String>>()
        });
        settled.append(&mut asked.await.map_err(|error| error.to_string())??);
        Ok(settled)
    }

    /// Asks the broker for records that are not settled, or that the journal does not have yet: a line
    /// for each.
    pub(super) async fn open_records(&self, settled: Settled) -> Result<Vec<String>, String> {
        let reader = self.tail.reader.clone();
        let asked = tokio::task::spawn_blocking(move || reader.ends());
        let ends = asked.await.map_err(|error| error.to_string())??;
        let (on, mut open) = (on(self.name), Vec::new());
        for (group, offsets) in settled {
            for ((topic, partition), end) in &ends {
                let next = offsets.get(&(topic.clone(), *partition)).copied();
                let is_open = *end > 0 && next.is_none_or(|next| next < *end);
                if is_open && group.topics.contains(topic) {
                    let offset = next.unwrap_or(0);
                    open.push(format!(
                        "{topic}[{partition}]{on} offset {offset} of {group} is not settled"
                    ));
                }
            }
        }
        for (topic, partition, end) in self.tail.behind(&ends) {
            open.push(format!(
                "{topic}[{partition}]{on} was not read up to offset {end}"
            ));
        }
        Ok(open)
    }

    /// Deletes the topics and groups of the test.
    pub(super) fn clean_up(&self) {
        let reader = self.tail.reader.clone();
        // On a thread of its own, because this one may be inside a tokio runtime.
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                let cleaned = runtime
                    .block_on(async { tokio::time::timeout(CLEAN_UP, reader.clean_up()).await });
                if !matches!(cleaned, Ok(Ok(()))) {
                    tracing::warn!("the test's topics could not be deleted: {cleaned:?}");
                }
            }
        });
        // A panic of the thread changes nothing: the topics stay.
        let _ = cleaning.join();
    }
}
