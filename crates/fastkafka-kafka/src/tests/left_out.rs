//! Clients that an answer about the cluster has left without a broker (decision 48).

use super::*;
use crate::addresses::Addresses;
use fastkafka_core::Properties;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, Producer as _};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

const METADATA: i16 = 3;
const FIND_COORDINATOR: i16 = 10;
const LEADER_NOT_AVAILABLE: i16 = 5;
const COORDINATOR_NOT_AVAILABLE: i16 = 15;

const PARTITIONS: i32 = 4;

/// By then a client has left the configured address for that of the node.
const SETTLED: usize = 5;

/// A cluster of one node that speaks as much of Kafka 0.9 as a client needs to know it. No other request is
/// answered. Connections that are there when it is left out of the cluster are told of no broker from then on, as
/// while it is fenced, and those that come later of the node.
struct Cluster {
    port: u16,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told {
    /// How often it was left out.
    times_out: AtomicUsize,
    /// Answers with the node before that, without it, and with it afterwards.
    before: AtomicUsize,
    without: AtomicUsize,
    after: AtomicUsize,
}

impl Cluster {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let told = Arc::<Told>::default();
        let cluster = Self {
            port,
            told: told.clone(),
        };
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let (connection, told) = (connection.unwrap(), told.clone());
                // It ends with an error when the client closes.
                std::thread::spawn(move || serve(connection, port, &told));
            }
        });
        cluster
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn is_settled(&self) -> bool {
        self.told.before.load(SeqCst) >= SETTLED
    }

    /// True once a client has been told of no broker.
    fn leave_out(&self) -> bool {
        self.told.times_out.fetch_add(1, SeqCst);
        self.told.without.load(SeqCst) > 0
    }

    /// A client that was told of no broker has asked again.
    fn is_back(&self) -> bool {
        self.told.after.load(SeqCst) > 0
    }
}

fn serve(mut connection: TcpStream, port: u16, told: &Told) -> io::Result<()> {
    let came = told.times_out.load(SeqCst);
    loop {
        let mut length = [0; 4];
        connection.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap();
        let mut request = vec![0; length];
        connection.read_exact(&mut request)?;
        let mut request = Request(&request);
        let key = request.short();
        let _version = request.short();
        let mut answer = Answer(request.int().to_be_bytes().to_vec());
        let _client = request.text();
        let is_out = came < told.times_out.load(SeqCst);
        let node = (!is_out).then_some(port);
        match key {
            METADATA => {
                let was_out = told.without.load(SeqCst) > 0;
                answer.cluster(node, &mut request);
                let count = match (is_out, was_out) {
                    (true, _) => &told.without,
                    (false, false) => &told.before,
                    (false, true) => &told.after,
                };
                count.fetch_add(1, SeqCst);
            }
            FIND_COORDINATOR => answer.coordinator(node),
            _ => continue,
        }
        let length = u32::try_from(answer.0.len()).unwrap();
        connection.write_all(&length.to_be_bytes())?;
        connection.write_all(&answer.0)?;
    }
}

struct Request<'a>(&'a [u8]);

impl Request<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (bytes, rest) = self.0.split_first_chunk().unwrap();
        self.0 = rest;
        *bytes
    }

    fn short(&mut self) -> i16 {
        i16::from_be_bytes(self.take())
    }

    fn int(&mut self) -> i32 {
        i32::from_be_bytes(self.take())
    }

    fn text(&mut self) -> String {
        let length = usize::try_from(self.short()).unwrap_or(0);
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8(text.to_vec()).unwrap()
    }
}

struct Answer(Vec<u8>);

impl Answer {
    fn short(&mut self, number: i16) {
        self.0.extend(number.to_be_bytes());
    }

    fn int(&mut self, number: i32) {
        self.0.extend(number.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.short(text.len().try_into().unwrap());
        self.0.extend(text.as_bytes());
    }

    fn node(&mut self, port: u16) {
        self.int(1);
        self.text("127.0.0.1");
        self.int(port.into());
    }

    /// The nodes, and the topics that were asked for: all, if none.
    fn cluster(&mut self, node: Option<u16>, request: &mut Request<'_>) {
        self.int(node.iter().len().try_into().unwrap());
        node.into_iter().for_each(|port| self.node(port));
        let topics: Vec<_> = (0..request.int()).map(|_| request.text()).collect();
        let topics = match &topics[..] {
            [] => vec!["orders".to_owned()],
            _ => topics,
        };
        self.int(topics.len().try_into().unwrap());
        let (error, leader) = match node {
            Some(_) => (0, 1),
            None => (LEADER_NOT_AVAILABLE, -1),
        };
        for topic in topics {
            self.short(0);
            self.text(&topic);
            self.int(PARTITIONS);
            for partition in 0..PARTITIONS {
                self.short(error);
                self.int(partition);
                self.int(leader);
                // Its only replica is the node, which is in sync.
                for number in [1, 1, 1, 1] {
                    self.int(number);
                }
            }
        }
    }

    fn coordinator(&mut self, node: Option<u16>) {
        if let Some(port) = node {
            self.short(0);
            self.node(port);
        } else {
            self.short(COORDINATOR_NOT_AVAILABLE);
            self.int(-1);
            self.text("");
            self.int(-1);
        }
    }
}

fn properties() -> Properties {
    let properties = Properties::new()
        .set("api.version.request", false)
        .set("broker.version.fallback", "0.9.0")
        .set("topic.metadata.refresh.interval.ms", 100)
        .set("statistics.interval.ms", 100);
    // Else it begins again by itself, where one of its threads is late.
    properties.set("metadata.recovery.strategy", "none")
}

#[test]
fn a_consumer_that_was_told_of_no_broker_asks_the_configured_one() {
    let mut settings = settings();
    settings.config = Some(properties());
    for standalone in [false, true] {
        let cluster = Cluster::start();
        let (topics, policy) = (&["orders"], OffsetReset::Earliest);
        let mut member = Member::made(&cluster.address(), topics, policy, &settings, standalone);
        member.until("the cluster", |_| cluster.is_settled());
        member.until("an answer without a broker", |_| cluster.leave_out());
        member.until("another question", |_| cluster.is_back());
    }
}

#[test]
fn a_producer_that_was_told_of_no_broker_asks_the_configured_one_when_it_begins_again() {
    let cluster = Cluster::start();
    let mut config: ClientConfig = access(&cluster.address()).config();
    for (name, value) in properties().iter() {
        config.set(name, value);
    }
    let producer: BaseProducer = config.create().unwrap();
    let second = Duration::from_secs(1);
    let is_reached = || ffi::is_reached(&producer, second);
    let deadline = Instant::now() + PATIENCE;
    let until = |what, done: &dyn Fn() -> bool| {
        while !done() {
            assert!(Instant::now() < deadline, "not in time: {what}");
        }
    };
    until("the cluster", &|| is_reached() && cluster.is_settled());
    until("an answer without a broker", &|| {
        is_reached() && cluster.leave_out()
    });
    until("no other question", &|| !is_reached());
    assert!(!is_reached(), "it asks nobody");
    Addresses::new(&config).begin_again(producer.client());
    until("another question", &is_reached);
    assert!(cluster.is_back());
}
