//! What a test has on one cluster: a producer of its own, and a consumer that watches every topic.

use super::tail::TailReader;
use super::text;
use crate::function::Function;
use crate::observed::report::on;
use crate::record::{NewRecord, Refusal};
use crate::subscription::Subscription;
use crate::topology::{Name, Topology};
use crate::watching::journal::{Journal, TopicRecord};
use crate::watching::watcher::Watcher;
use fastkafka::App;
use fastkafka::record::Delivery;
use fastkafka_core::{DeliveryScope, OutRecord};
use fastkafka_kafka::{KafkaOptions, LogRecord, producer_on};
use fastkafka_runtime::platform::{Offsets, Producers};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Time for the broker to forget the topics; a test is not held up for longer.
const CLEAN_UP: Duration = Duration::from_secs(5);
/// Records of the test that are handed over and not reported, at most.
const MAX_IN_FLIGHT: usize = 30_000;
/// How long an assertion waits for records that the broker has.
const CATCH_UP: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct RemoteCluster {
    cluster: Name,
    outputs: Arc<dyn Producers>,
    tail: Tail,
    partitions: BTreeMap<String, i32>,
    /// What each group reads, and each handler without one.
    groups: Vec<Reads>,
}

/// The watching consumer.
#[derive(Clone)]
pub(super) struct Tail {
    probe: Arc<TailReader>,
    /// How far it has come.
    seen: Arc<Mutex<Offsets>>,
}

/// A group, or a handler without one, with those of the test's topics that it reads.
#[derive(Clone)]
pub(super) struct Reads {
    group: String,
    standalone: bool,
    topics: Vec<String>,
}

/// Below which offsets all is settled.
pub(super) type Settled = Vec<(Reads, Offsets)>;

impl RemoteCluster {
    /// Its topics are there.
    pub(super) async fn watch(
        cluster: Name,
        options: &KafkaOptions,
        apps: &[App],
        topology: &Arc<Topology>,
        journal: &Journal,
        watcher: &Watcher,
    ) -> Result<Self, String> {
        let specs = topology.topics(cluster);
        let partitions: BTreeMap<String, i32> = specs
            .map(|spec| (spec.name.clone(), spec.partitions.unwrap_or(1)))
            .collect();
        let all = partitions.clone().into_iter().collect();
        let seen = Arc::<Mutex<Offsets>>::default();
        let came = seen.clone();
        let (topology, journal, watcher) = (topology.clone(), journal.clone(), watcher.clone());
        let probe = TailReader::new(options, cluster, all, move |record| {
            let (place, next) = ((record.topic.clone(), record.partition), record.offset + 1);
            let record = topic_record(cluster, record);
            let producer = watcher.claim(&record, &topology);
            journal.push(TopicRecord { producer, ..record });
            came.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(place, next);
        })
        .await?;
        Ok(Self {
            cluster,
            outputs: producer_on(options, cluster, MAX_IN_FLIGHT).await?,
            tail: Tail {
                probe: Arc::new(probe),
                seen,
            },
            groups: groups(apps, cluster, &partitions)?,
            partitions,
        })
    }

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
        };
        self.outputs
            .enqueue(out, scope.token(0))
            .map_err(|error| error.to_string())?;
        let reports = scope.reports().await;
        let delivered = reports.map_err(|failure| failure.message().to_owned())?;
        let first = delivered.into_iter().next();
        first.ok_or_else(|| "the broker reported no delivery".to_owned())
    }

    pub(super) fn tail(&self) -> Tail {
        self.tail.clone()
    }

    pub(super) fn committed(&self, group: &str, topic: &str) -> Result<Offsets, String> {
        self.tail.probe.committed(group, &[topic.to_owned()])
    }

    pub(super) fn ends(&self) -> Result<Offsets, String> {
        self.tail.probe.ends()
    }

    /// Asks the apps, and the broker, what is settled.
    pub(super) async fn settled(&self, apps: &[App]) -> Result<Settled, String> {
        let standalone = apps.iter().flat_map(App::settled);
        let standalone = standalone.filter(|(cluster, ..)| cluster == self.cluster);
        let standalone = standalone.filter_map(|(_, name, offsets)| {
            let reads = self.groups.iter().find(|reads| reads.group == name)?;
            Some((reads.clone(), offsets))
        });
        let mut settled: Settled = standalone.collect();
        let groups = self.groups.iter().filter(|reads| !reads.standalone);
        let (probe, groups) = (self.tail.probe.clone(), groups.cloned().collect::<Vec<_>>());
        let asked = tokio::task::spawn_blocking(move || {
            let committed = groups.into_iter().map(|reads| {
                let offsets = probe.committed(&reads.group, &reads.topics)?;
                Ok((reads, offsets))
            });
            committed.collect::<Result<Settled, String>>()
        });
        settled.append(&mut asked.await.map_err(text)??);
        Ok(settled)
    }

    /// Asks the broker what else there is, or was not seen yet.
    pub(super) async fn open(&self, settled: Settled) -> Result<Vec<String>, String> {
        let probe = self.tail.probe.clone();
        let asked = tokio::task::spawn_blocking(move || probe.ends());
        let ends = asked.await.map_err(text)??;
        let (on, mut open) = (on(self.cluster), Vec::new());
        for (reads, offsets) in settled {
            for ((topic, partition), end) in &ends {
                let place = (topic.clone(), *partition);
                let next = offsets.get(&place).copied();
                if reads.topics.contains(topic) && *end > 0 && next.is_none_or(|next| next < *end) {
                    let offset = next.unwrap_or(0);
                    open.push(format!(
                        "{topic}[{partition}]{on} offset {offset} of {reads} is not settled"
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

    /// The cluster forgets what the test made there.
    pub(super) fn clean_up(&self) {
        let probe = self.tail.probe.clone();
        // On a thread of its own: a runtime may be at work in this one.
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                let cleaned = runtime
                    .block_on(async { tokio::time::timeout(CLEAN_UP, probe.clean_up()).await });
                if !matches!(cleaned, Ok(Ok(()))) {
                    tracing::warn!("the test's topics could not be deleted: {cleaned:?}");
                }
            }
        });
        // It has no more to say, also if it panicked.
        let _ = cleaning.join();
    }
}

impl Tail {
    /// What it has not seen of this.
    fn behind(&self, ends: &Offsets) -> Vec<(String, i32, i64)> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = ends.iter().filter(|(place, end)| {
            let next = seen.get(place).copied();
            **end > 0 && next.is_none_or(|next| next < **end)
        });
        ends.map(|((topic, partition), end)| (topic.clone(), *partition, *end))
            .collect()
    }

    /// Waits until what the topics have now was seen. Gives up in the end: an assertion then says what
    /// is missing.
    pub(super) fn catch_up(&self) {
        let Ok(ends) = self.probe.ends() else { return };
        let begun = std::time::Instant::now();
        while !self.behind(&ends).is_empty() && begun.elapsed() < CATCH_UP {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn groups(
    apps: &[App],
    cluster: Name,
    topics: &BTreeMap<String, i32>,
) -> Result<Vec<Reads>, String> {
    let plans = apps.iter().filter_map(|app| app.check().ok());
    let mut all: Vec<Reads> = Vec::new();
    let groups = plans.flat_map(|plan| plan.groups);
    for group in groups.filter(|group| group.cluster == cluster) {
        let handlers = group.handlers.iter();
        let names: Vec<_> = handlers
            .flat_map(|handler| handler.def.subscription())
            .collect();
        let subscription = Subscription::new(&names, &group.settings, &group.left_out)?;
        let read = topics
            .keys()
            .filter(|topic| subscription.takes(topic))
            .cloned();
        match all.iter_mut().find(|reads| reads.group == group.id) {
            Some(reads) => reads.topics.extend(read),
            None => all.push(Reads {
                topics: read.collect(),
                group: group.id,
                standalone: group.standalone,
            }),
        }
    }
    Ok(all)
}

impl fmt::Display for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.standalone {
            true => write!(f, "`{}`", self.group),
            false => write!(f, "group `{}`", self.group),
        }
    }
}

fn topic_record(cluster: Name, record: LogRecord) -> TopicRecord {
    TopicRecord {
        cluster,
        topic: record.topic,
        partition: record.partition,
        offset: record.offset,
        timestamp: record.timestamp.unwrap_or_default(),
        key: record.key,
        payload: record.payload,
        headers: record.headers,
        producer: None::<Function>,
    }
}
