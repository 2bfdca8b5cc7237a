//! A cluster behind Kafka's protocol: members are processes, the rest goes through one client.

use crate::cluster::{Cluster, Commit, MemberId, New};
use conformance::{Answer, Ask, Join, Protocol};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientConfig, ClientContext, Message, Offset, TopicPartitionList};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Asks until there is an answer: a broker that has just made a topic may not lead it yet.
fn answered<T>(mut ask: impl FnMut() -> KafkaResult<T>) -> T {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(e) => assert!(Instant::now() < deadline, "{e}"),
        }
    }
}

/// What no client can do alike on the two clusters.
pub(crate) trait Admin {
    /// The session of a classic member, in milliseconds.
    const SESSION: u32;

    fn bootstrap(&self) -> String;
    fn create_topic(&mut self, topic: &str, partitions: i32);
    fn grow(&mut self, topic: &str, total: i32);
    fn delete_below(&mut self, topic: &str, partition: i32, offset: i64);
}

struct Process {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Process {
    fn start(join: &Join) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_conformance-member"))
            .arg(serde_json::to_string(join).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            asks: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn ask(&mut self, ask: &Ask) -> Answer {
        writeln!(self.asks, "{}", serde_json::to_string(ask).unwrap()).unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("a member ended at {ask:?}: {e}"))
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It ended, or has nothing left to say.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps where the last record went.
#[derive(Default)]
struct Written(Mutex<Option<Result<(i32, i64), String>>>);

impl ClientContext for Written {}

impl ProducerContext for Written {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        *self.0.lock().unwrap() = Some(match result {
            Ok(record) => Ok((record.partition(), record.offset())),
            Err((e, _)) => Err(e.to_string()),
        });
    }
}

/// Dropped in this order: processes before the cluster they talk to.
pub(crate) struct Wired<A: Admin> {
    members: Vec<Process>,
    observers: HashMap<String, BaseConsumer>,
    producer: BaseProducer<Written>,
    prefix: String,
    admin: A,
}

impl<A: Admin> Wired<A> {
    /// Topics and groups get names that begin with `prefix`.
    pub(crate) fn new(admin: A, prefix: String) -> Self {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", admin.bootstrap())
            .set("enable.idempotence", "true")
            .set("linger.ms", "0")
            .set("topic.metadata.refresh.interval.ms", "500")
            .set("partitioner", "murmur2_random");
        Self {
            members: Vec::new(),
            observers: HashMap::new(),
            producer: config.create_with_context(Written::default()).unwrap(),
            prefix,
            admin,
        }
    }

    fn name(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    /// A client that is in no group, but may ask on its behalf.
    fn observer(&mut self, group: &str) -> &BaseConsumer {
        let bootstrap = self.admin.bootstrap();
        let group = self.name(group);
        self.observers.entry(group.clone()).or_insert_with(|| {
            ClientConfig::new()
                .set("bootstrap.servers", bootstrap)
                .set("group.id", group)
                .create()
                .unwrap()
        })
    }

    fn transactional(&self) -> BaseProducer {
        ClientConfig::new()
            .set("bootstrap.servers", self.admin.bootstrap())
            .set("transactional.id", &self.prefix)
            .create()
            .unwrap()
    }
}

impl<A: Admin> Cluster for Wired<A> {
    fn create_topic(&mut self, topic: &str, partitions: i32) {
        self.admin.create_topic(&self.name(topic), partitions);
    }

    fn grow(&mut self, topic: &str, total: i32) {
        self.admin.grow(&self.name(topic), total);
    }

    fn append(&mut self, topic: &str, record: &New) -> (i32, i64) {
        let topic = self.name(topic);
        // A producer may not have heard yet of a partition that was added.
        answered(|| {
            let mut send = BaseRecord::<str, str>::to(&topic).payload("value");
            send.partition = record.partition;
            send.key = record.key.as_deref();
            send.timestamp = record.timestamp;
            self.producer.send(send).map_err(|(e, _)| e)
        });
        self.producer.flush(TIMEOUT).unwrap();
        let written = self.producer.context().0.lock().unwrap().take();
        written.expect("flushed").unwrap()
    }

    fn append_aborted(&mut self, topic: &str, partition: i32, records: usize) {
        let topic = self.name(topic);
        let producer = self.transactional();
        producer.init_transactions(TIMEOUT).unwrap();
        producer.begin_transaction().unwrap();
        for _ in 0..records {
            let send = BaseRecord::<str, str>::to(&topic)
                .partition(partition)
                .payload("aborted");
            producer.send(send).map_err(|(e, _)| e).unwrap();
        }
        producer.flush(TIMEOUT).unwrap();
        producer.abort_transaction(TIMEOUT).unwrap();
    }

    fn delete_below(&mut self, topic: &str, partition: i32, offset: i64) {
        self.admin
            .delete_below(&self.name(topic), partition, offset);
    }

    fn bounds(&mut self, topic: &str, partition: i32) -> (i64, i64) {
        let topic = self.name(topic);
        let observer = self.observer("nobody");
        answered(|| observer.fetch_watermarks(&topic, partition, TIMEOUT))
    }

    fn offset_for_time(&mut self, topic: &str, partition: i32, at: i64) -> Option<i64> {
        let topic = self.name(topic);
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&topic, partition, Offset::Offset(at))
            .unwrap();
        let observer = self.observer("nobody");
        let found = answered(|| observer.offsets_for_times(list.clone(), TIMEOUT));
        match found.elements()[0].offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }
    }

    fn committed(&mut self, group: &str, topic: &str, partition: i32) -> Option<Commit> {
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.name(topic), partition);
        let observer = self.observer(group);
        let list = answered(|| observer.committed_offsets(list.clone(), TIMEOUT));
        let element = &list.elements()[0];
        element.error().unwrap();
        match element.offset() {
            Offset::Offset(offset) => Some((offset, element.metadata().to_owned())),
            _ => None,
        }
    }

    fn join(&mut self, group: &str, topic: &str, protocol: Protocol) -> MemberId {
        let id = self.members.len();
        self.members.push(Process::start(&Join {
            bootstrap: self.admin.bootstrap(),
            client_id: format!("{}-{id}", self.prefix),
            group: self.name(group),
            topic: self.name(topic),
            protocol,
            session_ms: A::SESSION,
        }));
        id
    }

    fn ask(&mut self, member: MemberId, ask: &Ask) -> Answer {
        self.members[member].ask(ask)
    }

    fn freeze(&mut self, member: MemberId) {
        self.members[member].signal(rustix::process::Signal::STOP);
    }

    fn thaw(&mut self, member: MemberId) {
        self.members[member].signal(rustix::process::Signal::CONT);
    }

    fn kill(&mut self, member: MemberId) {
        self.members[member].child.kill().unwrap();
    }

    fn pass(&mut self) -> bool {
        // A poll of each member has waited already; a group of none must not spin.
        std::thread::yield_now();
        true
    }
}
