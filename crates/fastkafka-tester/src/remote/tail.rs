//! The consumer of the test itself, which brings every record of a cluster to the journal.

use super::tail_reader::TailReader;
use crate::lock::lock;
use crate::record::TopicRecord;
use crate::topology::{ClusterName, Topology};
use crate::watching::journal::Journal;
use crate::watching::watcher::Watcher;
use fastkafka_kafka::{KafkaOptions, LogRecord};
use fastkafka_runtime::platform::Offsets;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long an assertion waits for records that the broker has.
const CATCH_UP: Duration = Duration::from_secs(5);

/// The tail of all topics of a cluster. Clones share one consumer.
#[derive(Clone)]
pub(super) struct Tail {
    pub(super) reader: Arc<TailReader>,
    /// By partition: the offset behind the last record that the journal has.
    seen: Arc<Mutex<Offsets>>,
}

impl Tail {
    /// Follows these topics, which exist, with their partitions.
    pub(super) async fn start(
        cluster: ClusterName,
        options: &KafkaOptions,
        topics: &BTreeMap<String, i32>,
        topology: &Arc<Topology>,
        journal: &Journal,
        watcher: &Watcher,
    ) -> Result<Self, String> {
        let topics = topics.clone().into_iter().collect();
        let seen = Arc::<Mutex<Offsets>>::default();
        let arrived = seen.clone();
        let (topology, journal, watcher) = (topology.clone(), journal.clone(), watcher.clone());
        let reader = TailReader::new(options, cluster, topics, move |record| {
            let (partition, next) = ((record.topic.clone(), record.partition), record.offset + 1);
            let record = topic_record(cluster, record);
            let producer = watcher.claim(&record, &topology);
            journal.push(TopicRecord { producer, ..record });
            lock(&arrived).insert(partition, next);
        });
        Ok(Self {
            reader: Arc::new(reader.await?),
            seen,
        })
    }

    /// The partitions whose records up to these ends have not all arrived.
    pub(super) fn behind(&self, ends: &Offsets) -> Vec<(String, i32, i64)> {
        let seen = lock(&self.seen);
        let ends = ends.iter().filter(|(partition, end)| {
            let next = seen.get(partition).copied();
            **end > 0 && next.is_none_or(|next| next < **end)
        });
        ends.map(|((topic, partition), end)| (topic.clone(), *partition, *end))
            .collect()
    }

    /// Waits until all records that the topics have now have arrived. Gives up in the end: the
    /// assertion that follows says what is missing.
    pub(super) fn catch_up(&self) {
        let Ok(ends) = self.reader.ends() else { return };
        let begun = Instant::now();
        while !self.behind(&ends).is_empty() && begun.elapsed() < CATCH_UP {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn topic_record(cluster: ClusterName, record: LogRecord) -> TopicRecord {
    TopicRecord {
        cluster,
        topic: record.topic,
        partition: record.partition,
        offset: record.offset,
        timestamp: record.timestamp.unwrap_or_default(),
        key: record.key,
        payload: record.payload,
        headers: record.headers,
        producer: None,
    }
}
