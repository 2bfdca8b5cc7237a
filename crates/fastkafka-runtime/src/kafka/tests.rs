//! Transport and sink on the embedded broker.

use super::consumer::KafkaTransport;
use super::embedded::EmbeddedBroker;
use super::producer::KafkaSink;
use super::topics::Topics;
use super::{Logged, config};
use crate::transport::{ErrorKind, Notice, Place, StartError, Transport};
use fastkafka_core::{
    Bytes, ConsumerSettings, Delivery, DeliveryScope, Failure, FailureKind, Fetched, OffsetReset,
    OutRecord, ProduceError, Sink, TimestampType, TopicPartition,
};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use std::sync::Arc;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// What an owner does, in small: every assign is resolved and answered, every revoke answered.
struct Member {
    transport: KafkaTransport,
    policy: OffsetReset,
    assigned: Vec<(Place, i64)>,
    runs: Vec<(Place, Arc<dyn Fetched>)>,
    refused: Option<StartError>,
    notices: Vec<Notice>,
    /// Keep a revoke unanswered.
    draining: bool,
    revoked: Vec<Place>,
}

impl Member {
    fn join(broker: &EmbeddedBroker, topics: &[&str], policy: OffsetReset) -> Self {
        let mut settings = ConsumerSettings::default();
        settings.auto_commit_interval_ms = Some(100);
        settings.heartbeat_interval_ms = Some(100);
        // When members come or go the mock cluster waits nearly as long for the others.
        settings.session_timeout_ms = Some(1_000);
        Self::join_with(broker, topics, policy, &settings)
    }

    fn join_with(
        broker: &EmbeddedBroker,
        topics: &[&str],
        policy: OffsetReset,
        settings: &ConsumerSettings,
    ) -> Self {
        let owner = std::thread::current();
        let address = broker.address();
        let transport =
            KafkaTransport::new(address, "test", "group", topics, settings, Some(10), owner);
        Self {
            transport: transport.unwrap(),
            policy,
            assigned: Vec::new(),
            runs: Vec::new(),
            refused: None,
            notices: Vec::new(),
            draining: false,
            revoked: Vec::new(),
        }
    }

    /// One turn of an owner; true when there may be more to do at once.
    fn turn(&mut self) -> bool {
        let mut heard = Vec::new();
        self.transport.poll(&mut heard);
        for notice in heard {
            match notice {
                Notice::Assign(places) if places.is_empty() => {
                    self.transport.assign(&[]).unwrap();
                }
                Notice::Assign(places) => {
                    let places = places.into_iter().map(|place| (place, self.policy));
                    self.transport.resolve(places.collect());
                }
                Notice::Resolved(Ok(starts)) => {
                    self.transport.assign(&starts).unwrap();
                    self.assigned.extend(starts);
                }
                Notice::Resolved(Err(e)) => {
                    self.refused = Some(e);
                    self.transport.assign(&[]).unwrap();
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
        self.transport.fetch(1_000, &mut self.runs)
    }

    fn answer_revoke(&mut self) {
        let gone = std::mem::take(&mut self.revoked);
        self.assigned.retain(|(place, _)| !gone.contains(place));
        self.transport.unassign(&gone).unwrap();
    }

    /// Turns until `done`, woken by the client like an owner.
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
        self.transport.unsubscribe();
        self.until("the last revoke", |m| m.assigned.is_empty());
        self.runs.clear();
        let deadline = Instant::now() + PATIENCE;
        while !self.transport.close() {
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

fn broker(topics: &[(&str, i32)]) -> EmbeddedBroker {
    let broker = EmbeddedBroker::start().unwrap();
    for (topic, partitions) in topics {
        broker.create_topic(topic, *partitions).unwrap();
    }
    broker
}

fn sink(broker: &EmbeddedBroker, max_in_flight: usize) -> KafkaSink {
    KafkaSink::new(broker.address(), "test", &[], max_in_flight).unwrap()
}

fn record<'a>(topic: &'a str, partition: i32, payload: &'a [u8]) -> OutRecord<'a> {
    OutRecord {
        producer: None,
        topic,
        partition: Some(partition),
        payload: Some(payload),
        key: None,
        headers: &[],
        timestamp: None,
    }
}

/// Sends records and waits for their reports.
fn send(sink: &KafkaSink, records: &[OutRecord<'_>]) -> Result<Vec<Delivery>, Failure> {
    let scope = DeliveryScope::collecting();
    for record in records {
        sink.enqueue(*record, scope.token(0)).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(scope.reports())
}

fn fill(sink: &KafkaSink, topic: &str, partition: i32, records: usize) {
    send(sink, &vec![record(topic, partition, b"x"); records]).unwrap();
}

/// What another client sees committed: offset and metadata.
fn committed(broker: &EmbeddedBroker, topic: &str, partition: i32) -> (Offset, String) {
    let config = config::consumer(
        broker.address(),
        "other",
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

fn place(topic: &str, partition: i32) -> Place {
    TopicPartition::intern(topic, partition)
}

#[test]
fn a_record_comes_back_as_it_was_sent() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(&broker, 100);
    let headers = [
        ("trace".to_owned(), Some(Bytes::from_static(b"7"))),
        ("trace".to_owned(), Some(Bytes::new())),
        ("null".to_owned(), None),
    ];
    let full = OutRecord {
        key: Some(b"k"),
        headers: &headers,
        timestamp: Some(1_234_567),
        ..record("orders", 0, b"payload")
    };
    let tombstone = OutRecord {
        payload: None,
        ..record("orders", 0, b"")
    };
    let sent = send(&sink, &[full, tombstone, record("orders", 0, b"")]).unwrap();
    assert_eq!(sent[2], Delivery::new("orders", 0, 2));

    let mut member = Member::join(&broker, &["orders"], OffsetReset::Earliest);
    member.until("three records", |m| m.records() == 3);
    let fetched: Vec<_> = member.runs.iter().map(|(_, run)| run.clone()).collect();
    let mut records = Vec::new();
    for run in &fetched {
        run.records(0..run.len(), &mut records);
    }
    assert_eq!(records[0].payload, Some(&b"payload"[..]));
    assert_eq!(records[0].key, Some(&b"k"[..]));
    assert_eq!(records[0].timestamp.millis(), Some(1_234_567));
    assert_eq!(records[0].timestamp.kind(), TimestampType::CreateTime);
    assert_eq!((records[1].payload, records[1].key), (None, None));
    assert_eq!((records[2].payload, records[2].offset), (Some(&b""[..]), 2));
    let seen = fetched[0].headers(0);
    let expected = [
        ("trace", Some(&b"7"[..])),
        ("trace", Some(b"")),
        ("null", None),
    ];
    assert_eq!(seen, expected);
    drop((records, seen));
    drop(fetched);
    member.leave();
}

#[test]
fn what_was_stored_is_committed_on_leaving_and_with_the_topics_marker() {
    let broker = broker(&[("orders", 2)]);
    fill(&sink(&broker, 100), "orders", 0, 10);
    let mut member = Member::join(&broker, &["orders"], OffsetReset::Earliest);
    member.until("ten records", |m| m.records() == 10);
    assert_eq!(member.transport.store(&[(place("orders", 0), 7)]), []);
    let refused = member.transport.store(&[(place("orders", 9), 7)]);
    assert_eq!(refused[0].0, place("orders", 9));
    member.leave();
    let expected = (Offset::Offset(7), "partitions=2".to_owned());
    assert_eq!(committed(&broker, "orders", 0), expected);
}

#[test]
fn a_start_at_the_end_is_committed_before_anything_is_read() {
    let broker = broker(&[("orders", 2)]);
    fill(&sink(&broker, 100), "orders", 1, 5);
    let mut member = Member::join(&broker, &["orders"], OffsetReset::Latest);
    member.until("an assignment", |m| m.assigned.len() == 2);
    assert_eq!(member.starts(), [(0, 0), (1, 5)]);
    let expected = (Offset::Offset(5), "partitions=2".to_owned());
    assert_eq!(committed(&broker, "orders", 1), expected);
    // As after a crash: nothing was stored, and the next one starts at the pin, not at the end.
    fill(&sink(&broker, 100), "orders", 1, 3);
    member.leave();
    let mut next = Member::join(&broker, &["orders"], OffsetReset::Latest);
    next.until("the records in between", |m| m.records() == 3);
    next.leave();
}

#[test]
fn a_partition_that_was_added_is_read_from_its_beginning() {
    let broker = broker(&[("orders", 3)]);
    for partition in 0..3 {
        fill(&sink(&broker, 100), "orders", partition, 4);
    }
    // The group began when there were two partitions, and has no commit for the second.
    commit(&broker, "orders", 0, 2, "partitions=2");
    let mut member = Member::join(&broker, &["orders"], OffsetReset::Latest);
    member.until("an assignment", |m| m.assigned.len() == 3);
    assert_eq!(member.starts(), [(0, 2), (1, 4), (2, 0)]);
    let marker = "partitions=2".to_owned();
    assert_eq!(committed(&broker, "orders", 2), (Offset::Offset(0), marker));
    member.leave();
}

/// The mock cluster takes it only before the group has members.
fn commit(broker: &EmbeddedBroker, topic: &str, partition: i32, offset: i64, metadata: &str) {
    let settings = ConsumerSettings::default();
    let config = config::consumer(broker.address(), "other", "group", &settings);
    let other: BaseConsumer<Logged> = config.create_with_context(Logged).unwrap();
    let mut list = TopicPartitionList::new();
    let mut element = list.add_partition(topic, partition);
    element.set_offset(Offset::Offset(offset)).unwrap();
    element.set_metadata(metadata);
    let mode = rdkafka::consumer::CommitMode::Sync;
    other.commit(&list, mode).unwrap();
}

#[test]
fn the_policy_none_names_the_partitions_without_a_commit() {
    let broker = broker(&[("orders", 2)]);
    let mut member = Member::join(&broker, &["orders"], OffsetReset::None);
    member.until("a refusal", |m| m.refused.is_some());
    let refused = member.refused.take().unwrap().to_string();
    assert!(refused.contains("orders[0], orders[1]"), "{refused}");
    member.leave();
}

#[test]
fn a_position_outside_the_log_is_reported_and_the_owner_can_move_it() {
    let broker = broker(&[("orders", 1)]);
    fill(&sink(&broker, 100), "orders", 0, 5);
    commit(&broker, "orders", 0, 50, "partitions=1");
    let mut member = Member::join(&broker, &["orders"], OffsetReset::Earliest);
    let mut found = None;
    member.until("out of range", |m| {
        found = m.notices.iter().find_map(|notice| match notice {
            Notice::OutOfRange {
                place,
                position,
                low,
                high,
            } => Some((place.partition, *position, *low, *high)),
            _ => None,
        });
        found.is_some()
    });
    assert_eq!(found, Some((0, 50, 0, 5)));
    member.transport.seek(place("orders", 0), 2).unwrap();
    member.until("the rest", |m| m.records() == 3);
    assert_eq!(member.runs[0].1.offset(0), 2);
    // Twice: fetchers stop and start in the background.
    member.transport.seek(place("orders", 0), 0).unwrap();
    member.until("all", |m| m.records() == 8);
    member.leave();
}

#[test]
fn a_paused_partition_is_not_read_and_goes_on_where_it_was() {
    let broker = broker(&[("orders", 2)]);
    let sink = sink(&broker, 100);
    let mut member = Member::join(&broker, &["orders"], OffsetReset::Earliest);
    member.until("an assignment", |m| m.assigned.len() == 2);
    member.transport.pause(place("orders", 0), true).unwrap();
    fill(&sink, "orders", 0, 3);
    fill(&sink, "orders", 1, 3);
    member.until("the other", |m| m.records() == 3);
    assert!(member.runs.iter().all(|(p, _)| p.partition == 1));
    member.transport.pause(place("orders", 0), false).unwrap();
    member.until("both", |m| m.records() == 6);
    member.leave();
}

#[test]
fn a_partition_moves_only_when_its_revoke_is_answered() {
    let broker = broker(&[("orders", 2)]);
    fill(&sink(&broker, 100), "orders", 0, 5);
    fill(&sink(&broker, 100), "orders", 1, 5);
    let mut first = Member::join(&broker, &["orders"], OffsetReset::Earliest);
    first.until("everything", |m| m.records() == 10);
    first.draining = true;
    let mut second = Member::join(&broker, &["orders"], OffsetReset::Earliest);
    first.until("a revoke", |m| {
        second.turn();
        !m.revoked.is_empty()
    });
    assert!(second.assigned.is_empty());
    let moved = first.revoked[0];
    assert_eq!(first.transport.store(&[(moved, 3)]), []);
    first.answer_revoke();
    first.draining = false;
    second.until("the partition", |m| {
        first.turn();
        !m.assigned.is_empty()
    });
    // Where the first one left off, not where it had read to.
    assert_eq!(second.assigned, [(moved, 3)]);
    second.until("the rest", |m| m.records() == 2);
    assert_eq!(first.assigned.len(), 1);
    first.leave();
    second.leave();
}

#[test]
fn messages_keep_their_client_open() {
    let broker = broker(&[("orders", 1)]);
    fill(&sink(&broker, 100), "orders", 0, 1);
    let mut member = Member::join(&broker, &["orders"], OffsetReset::Earliest);
    member.until("a record", |m| m.records() == 1);
    let held = member.runs.pop().unwrap();
    member.transport.unsubscribe();
    member.until("the last revoke", |m| m.assigned.is_empty());
    let closed = |member: &mut Member, patience: Duration| {
        let deadline = Instant::now() + patience;
        loop {
            if member.transport.close() || Instant::now() > deadline {
                return member.transport.close();
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
    };
    assert!(!closed(&mut member, Duration::from_millis(300)));
    assert_eq!(held.1.offset(0), 0);
    drop(held);
    assert!(closed(&mut member, PATIENCE));
}

#[test]
fn a_transport_that_was_not_closed_can_be_dropped() {
    let broker = broker(&[("orders", 1)]);
    let mut member = Member::join(&broker, &["orders"], OffsetReset::Earliest);
    member.until("an assignment", |m| !m.assigned.is_empty());
    drop(member);
}

#[test]
fn a_record_that_is_too_large_is_refused_for_good() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(&broker, 100);
    let large = vec![0; 2_000_000];
    let scope = DeliveryScope::collecting();
    let error = sink.enqueue(record("orders", 0, &large), scope.token(0));
    let error = error.unwrap_err();
    assert!(error.is_permanent(), "{error}");
    assert_eq!(sink.in_flight(), 0);
}

#[test]
fn a_record_for_an_unknown_partition_is_lost_for_good() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(&broker, 100);
    let failure = send(&sink, &[record("orders", 7, b"x")]).unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Rejected, "{failure:?}");
    let error = failure.error().unwrap().downcast_ref::<ProduceError>();
    assert!(error.unwrap().is_permanent());
}

#[test]
fn a_sink_is_drained_or_says_how_much_is_left() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(&broker, 100);
    let scope = DeliveryScope::collecting();
    sink.enqueue(record("orders", 0, b"x"), scope.token(0))
        .unwrap();
    assert_eq!(sink.drain(Instant::now() + PATIENCE), Ok(()));
    assert!(sink.has_room());
    drop(broker);
    sink.enqueue(record("orders", 0, b"x"), scope.token(0))
        .unwrap();
    assert_eq!(
        sink.drain(Instant::now() + Duration::from_millis(50)),
        Err(1)
    );
}

#[test]
fn a_sink_that_is_dropped_fails_what_is_on_its_way() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(&broker, 100);
    drop(broker);
    let scope = DeliveryScope::collecting();
    sink.enqueue(record("orders", 0, b"x"), scope.token(0))
        .unwrap();
    let dropped = Instant::now();
    drop(sink);
    assert!(dropped.elapsed() < Duration::from_secs(1));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let failure = runtime.unwrap().block_on(scope.reports()).unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Retry { after: None });
}

#[test]
fn a_missing_topic_is_told_from_one_that_is_there() {
    let broker = broker(&[("orders", 3)]);
    let topics = Topics::new(broker.address(), "test").unwrap();
    let names = ["missing".to_owned(), "orders".to_owned()];
    let states = topics.look_up(&names, PATIENCE).unwrap();
    assert_eq!(states["orders"], Ok(3));
    assert_eq!(
        states["missing"].as_ref().unwrap_err().kind,
        ErrorKind::Refused
    );
}

#[test]
fn a_member_hears_that_its_client_is_connected() {
    let broker = broker(&[("orders", 1)]);
    let mut member = Member::join(&broker, &["orders"], OffsetReset::Earliest);
    member.until("a broker's answer", |m| {
        m.notices.iter().any(|n| matches!(n, Notice::Connected))
    });
    member.until("an assignment", |m| !m.assigned.is_empty());
    member.leave();
}
