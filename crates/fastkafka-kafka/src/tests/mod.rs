//! Consumers and producers on the embedded broker.

mod again;
mod answers;
mod consume;
mod ended;
mod left_out;
mod letters;
mod members;
mod prepare;
mod produce;

use super::access::Access;
use super::clusters::Clusters;
use super::consumer::KafkaConsumer;
use super::consumer::client::Librdkafka;
use super::consumer::client::join::{Join, join};
use super::embedded::EmbeddedBroker;
use super::producer::KafkaProducers;
use crate::client_context::Logged;
use crate::config;
use crate::ffi;
use crate::options::KafkaOptions;
use fastkafka_core::{
    Connection, ConsumerSettings, Delivery, DeliveryScope, Failure, Fetched, OffsetReset,
    OutRecord, Plan, RecordSink, TopicPartition,
};
use fastkafka_runtime::platform::{
    GroupConsumer, Notice, PartitionRef, Producers, StartError, Starts,
};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use std::sync::Arc;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// A driver in small: every assign is resolved and answered, every revoke answered.
struct Member {
    consumer: KafkaConsumer<Librdkafka>,
    policy: OffsetReset,
    assigned: Vec<(PartitionRef, i64)>,
    runs: Vec<(PartitionRef, Arc<dyn Fetched>)>,
    refused: Option<StartError>,
    notices: Vec<Notice>,
    /// Keep a revoke unanswered.
    draining: bool,
    revoked: Vec<PartitionRef>,
}

impl Member {
    fn join(address: &str, topics: &[&str], policy: OffsetReset) -> Self {
        Self::join_with(address, topics, policy, &settings())
    }

    fn join_with(
        address: &str,
        topics: &[&str],
        policy: OffsetReset,
        settings: &ConsumerSettings,
    ) -> Self {
        Self::made(address, topics, policy, settings, false)
    }

    /// Without a group.
    fn standalone(address: &str, topics: &[&str], policy: OffsetReset) -> Self {
        Self::made(address, topics, policy, &settings(), true)
    }

    fn made(
        address: &str,
        topics: &[&str],
        policy: OffsetReset,
        settings: &ConsumerSettings,
        standalone: bool,
    ) -> Self {
        let driver = std::thread::current();
        let how = Join {
            access: &access(address),
            group_id: "group",
            topics,
            settings,
            embedded: true,
            standalone,
            left_out: &[],
            worker: 0,
        };
        let consumer = join(&how, driver);
        Self {
            consumer: consumer.unwrap(),
            policy,
            assigned: Vec::new(),
            runs: Vec::new(),
            refused: None,
            notices: Vec::new(),
            draining: false,
            revoked: Vec::new(),
        }
    }

    /// One turn of a driver; true when there may be more to do at once.
    fn turn(&mut self) -> bool {
        self.hear();
        self.consumer.fetch(1_000, &mut self.runs)
    }

    /// A turn that reads nothing.
    fn hear(&mut self) {
        let mut heard = Vec::new();
        self.consumer.poll(&mut heard);
        for notice in heard {
            match notice {
                Notice::Assign(places) if places.is_empty() => {
                    self.consumer.assign(&[]).unwrap();
                }
                Notice::Assign(places) => {
                    let places = places.into_iter().map(|place| (place, self.policy));
                    self.consumer.resolve(places.collect(), PATIENCE);
                }
                Notice::Resolved(Starts { known, unknown }) => {
                    self.consumer.assign(&known).unwrap();
                    self.assigned.extend(known);
                    let why = unknown.into_iter().map(|(_, why)| why);
                    self.refused = why.reduce(|all, why| match (all, why) {
                        (StartError::NoCommit(all), StartError::NoCommit(place)) => {
                            StartError::NoCommit(format!("{all}, {place}"))
                        }
                        (first, _) => first,
                    });
                }
                Notice::Revoke { places, .. } => {
                    self.revoked = places;
                    if !self.draining {
                        self.answer_revoke();
                    }
                }
                other => self.notices.push(other),
            }
        }
    }

    fn answer_revoke(&mut self) {
        let gone = std::mem::take(&mut self.revoked);
        self.assigned.retain(|(place, _)| !gone.contains(place));
        self.consumer.unassign(&gone).unwrap();
    }

    /// Turns until `done`, woken by the client like a driver.
    fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let more = self.turn();
            if done(self) {
                return;
            }
            assert!(Instant::now() < deadline, "not in time: {what}: {self:?}");
            if !more {
                std::thread::park_timeout(Duration::from_millis(200));
            }
        }
    }

    fn records(&self) -> usize {
        self.runs.iter().map(|(_, run)| run.len()).sum()
    }

    /// Where each partition started, in order.
    fn starts(&self) -> Vec<(i32, i64)> {
        let starts = self.assigned.iter().map(|(p, at)| (p.partition, *at));
        let mut starts: Vec<_> = starts.collect();
        starts.sort_unstable();
        starts
    }

    fn leave(mut self) {
        self.consumer.unsubscribe();
        self.until("the last revoke", |m| m.assigned.is_empty());
        self.runs.clear();
        let deadline = Instant::now() + PATIENCE;
        while self.consumer.close(PATIENCE).is_pending() {
            assert!(Instant::now() < deadline, "the client does not close");
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Member")
            .field("assigned", &self.assigned)
            .field("refused", &self.refused)
            .field("notices", &self.notices)
            .field("records", &self.records())
            .finish_non_exhaustive()
    }
}

fn settings() -> ConsumerSettings {
    let mut settings = ConsumerSettings::default();
    settings.auto_commit_interval_ms = Some(100);
    settings.heartbeat_interval_ms = Some(100);
    // When members come or go the mock cluster waits nearly as long for the others.
    settings.session_timeout_ms = Some(1_000);
    settings
}

fn broker(topics: &[(&str, i32)]) -> EmbeddedBroker {
    let broker = EmbeddedBroker::start().unwrap();
    for (topic, partitions) in topics {
        broker.create_topic(topic, *partitions).unwrap();
    }
    broker
}

fn access(address: &str) -> Access {
    let connection = Connection::default().bootstrap_servers(address.to_owned());
    Access::new(connection, "test")
}

/// No function names another than this.
fn clusters(address: &str) -> Clusters {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let (options, plan) = (KafkaOptions::new(address), Plan::default());
    let opened = Clusters::open(&options, &plan);
    runtime.unwrap().block_on(opened).unwrap()
}

fn sink(address: &str, max_in_flight: usize) -> KafkaProducers {
    KafkaProducers::new(&clusters(address), &Plan::default(), max_in_flight).unwrap()
}

fn record<'a>(topic: &'a str, partition: i32, payload: &'a [u8]) -> OutRecord<'a> {
    OutRecord {
        producer: None,
        cluster: None,
        topic,
        partition: Some(partition),
        payload: Some(payload),
        key: None,
        headers: &[],
        timestamp: None,
        rest: false,
    }
}

/// Sends records and waits for their reports. The client refuses at once what it knows to be wrong by then: a
/// partition that does not exist, once the topic is known.
fn send(sink: &KafkaProducers, records: &[OutRecord<'_>]) -> Result<Vec<Delivery>, Failure> {
    let scope = DeliveryScope::collecting();
    for record in records {
        sink.enqueue(*record, scope.token(0))?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(scope.reports())
}

fn drain(sink: &KafkaProducers, within: Duration) -> Result<(), usize> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let drained = sink.drain(Instant::now() + within);
    runtime.unwrap().block_on(drained)
}

fn fill(sink: &KafkaProducers, topic: &str, partition: i32, records: usize) {
    send(sink, &vec![record(topic, partition, b"x"); records]).unwrap();
}

/// What another client sees committed: offset and metadata.
fn committed(address: &str, topic: &str, partition: i32) -> (Offset, String) {
    let config = config::consumer(
        access(address).config(),
        "group",
        &ConsumerSettings::default(),
    );
    let other: BaseConsumer<Logged> = config.create_with_context(Logged).unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, partition);
    let list = other.committed_offsets(list, PATIENCE).unwrap();
    let element = &list.elements()[0];
    (element.offset(), element.metadata().to_owned())
}

fn place(topic: &str, partition: i32) -> PartitionRef {
    TopicPartition::intern(topic, partition)
}

/// The mock cluster takes it only before the group has members.
fn commit(address: &str, topic: &str, partition: i32, offset: i64, metadata: &str) {
    let settings = ConsumerSettings::default();
    let config = config::consumer(access(address).config(), "group", &settings);
    let other: BaseConsumer<Logged> = config.create_with_context(Logged).unwrap();
    let mut list = TopicPartitionList::new();
    let mut element = list.add_partition(topic, partition);
    element.set_offset(Offset::Offset(offset)).unwrap();
    element.set_metadata(metadata);
    let mode = rdkafka::consumer::CommitMode::Sync;
    other.commit(&list, mode).unwrap();
}
