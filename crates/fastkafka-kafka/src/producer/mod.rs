//! The sink of an app's producers: one client per distinct settings, one thread each for reports.

mod delivery_reports;
mod in_flight;
mod partitioner;

use crate::access::Clusters;
use crate::client_context::Context as ClientContext;
use crate::config;
use crate::error::{call_error, client_error};
use crate::ffi::{self, Sent, Topic};
use crate::producer::delivery_reports::{Producer, Reports, Shared, not_delivered};
use crate::producer::in_flight::InFlight;
use crate::producer::partitioner::Function;
use fastkafka_core::{
    Acks, DeliveryToken, OutRecord, Plan, ProduceError, ProducerDef, ProducerSettings, RecordSink,
    Text,
};
use fastkafka_runtime::platform::ClientError;
use rdkafka::error::KafkaResult;
use rdkafka::producer::Producer as _;
use rdkafka::types::RDKafkaErrorCode;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// How long the thread for reports waits for one. rdkafka's `poll` serves reports as they come, but
/// spins through the last millisecond of its time-out.
const REPORTS: Duration = Duration::from_millis(200);
/// One round of waiting for the rest, in turn for each client.
const FLUSH_MILLIS: i32 = 20;

pub(super) struct Client {
    cluster: Text,
    settings: ProducerSettings,
    producer: Arc<Producer>,
    /// Topics that no definition names: dead letters, and those chosen at run time.
    others: RwLock<HashMap<String, Arc<Topic>>>,
}

impl Client {
    fn topic(&self, name: &str) -> Result<Topic, RDKafkaErrorCode> {
        let names = &self.producer.context().events.names;
        Topic::new(&self.producer, &names.on_cluster(name)).ok_or(RDKafkaErrorCode::InvalidTopic)
    }

    fn other(&self, name: &str) -> Result<Arc<Topic>, RDKafkaErrorCode> {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(topic) = others.get(name) {
            return Ok(topic.clone());
        }
        drop(others);
        let topic = Arc::new(self.topic(name)?);
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        Ok(others.entry(name.to_owned()).or_insert(topic).clone())
    }
}

/// A function under `#[produces]`, with its client and the handle of its topic.
struct Route {
    def: &'static ProducerDef,
    client: usize,
    topic: Topic,
}

/// Where an app's records go.
pub(crate) struct KafkaProducers {
    routes: Vec<Route>,
    /// The first of a cluster is for its dead letters, if there are any; the very first is for producers
    /// that are not in the plan.
    pub(super) clients: Vec<Client>,
    /// Some producer has `acks = 0`.
    unacknowledged: bool,
    shared: Arc<Shared>,
}

impl KafkaProducers {
    /// Makes the clients; they connect in the background. `max_in_flight` bounds the records that
    /// are handed over and not reported.
    ///
    /// # Errors
    /// When librdkafka refuses a setting or a topic's name.
    ///
    /// # Panics
    /// If the system cannot start a thread.
    pub(crate) fn new(
        clusters: &Clusters,
        plan: &Plan,
        max_in_flight: usize,
    ) -> Result<Self, ClientError> {
        let outputs = &plan.outputs;
        let shared = Arc::new(Shared {
            flow: InFlight::new(max_in_flight),
            fatal: OnceLock::new(),
        });
        let mut sink = Self {
            routes: Vec::new(),
            clients: Vec::new(),
            unacknowledged: outputs
                .iter()
                .any(|output| output.settings.acks == Some(Acks::None)),
            shared,
        };
        let client = |sink: &mut Self, cluster: &Text, settings: &ProducerSettings| {
            // The cluster is known, and two calls of its function need not be equal.
            let mut settings = settings.clone();
            settings.brokers = None;
            let settings = &settings;
            let same = |c: &Client| c.cluster == *cluster && c.settings == *settings;
            if let Some(known) = sink.clients.iter().position(same) {
                return Ok(known);
            }
            let queue = InFlight::capacity(max_in_flight);
            let access = clusters.access(cluster, &settings.connection());
            let config = config::producer(access, settings, queue);
            let producer: KafkaResult<Producer> = config.create_with_context(ClientContext {
                events: Reports {
                    shared: sink.shared.clone(),
                    names: access.names().clone(),
                    unreachable: Mutex::default(),
                    partitioner: settings.partitioner.and_then(Function::new),
                },
                token: access.token().cloned(),
            });
            let producer = Arc::new(producer.map_err(|e| call_error(&e))?);
            access.admit(producer.client())?;
            serve_reports(producer.clone());
            sink.clients.push(Client {
                cluster: cluster.clone(),
                settings: settings.clone(),
                producer,
                others: RwLock::default(),
            });
            Ok(sink.clients.len() - 1)
        };
        for (i, cluster) in plan.clusters.iter().enumerate() {
            if i == 0 || plan.has_dead_letters(cluster) {
                client(&mut sink, &cluster.name, &cluster.dead_letters)?;
            }
        }
        for output in outputs {
            let client = client(&mut sink, &output.cluster, &output.settings)?;
            let name = output.def.topic;
            let topic = sink.clients[client].topic(name).map_err(|code| {
                client_error(code, format!("`{name}` cannot be the name of a topic"))
            })?;
            sink.routes.push(Route {
                def: output.def,
                client,
                topic,
            });
        }
        Ok(sink)
    }

    /// Records handed over and not reported.
    pub(crate) fn in_flight(&self) -> usize {
        self.shared.flow.records()
    }

    /// True when there is room for more. Otherwise what [`KafkaProducers::on_room`] was given is called
    /// when there is.
    pub(crate) fn has_room(&self) -> bool {
        self.shared.flow.has_room()
    }

    /// `wake` is called, on the thread of a report, when there is room again, and when a client
    /// breaks.
    pub(crate) fn on_room(&self, wake: impl Fn() + Send + Sync + 'static) {
        self.shared.flow.on_room(Box::new(wake));
    }

    /// Why a client cannot go on, once that is so.
    pub(crate) fn fatal(&self) -> Option<&ClientError> {
        self.shared.fatal.get()
    }

    /// Sends what waits for company and waits for all reports. Blocks.
    ///
    /// # Errors
    /// How many records had no report by the deadline.
    pub(crate) fn drain(&self, deadline: Instant) -> Result<(), usize> {
        while self.in_flight() > 0 && Instant::now() < deadline {
            for client in &self.clients {
                ffi::flush(&client.producer, FLUSH_MILLIS);
            }
            // What is left is in the hands of the threads for reports.
            let round = Duration::from_millis(FLUSH_MILLIS.unsigned_abs().into());
            self.shared
                .flow
                .wait_empty(deadline.min(Instant::now() + round));
        }
        match self.in_flight() {
            0 => Ok(()),
            left => Err(left),
        }
    }

    fn route(&self, def: &'static ProducerDef) -> Option<&Route> {
        let mut routes = self.routes.iter();
        let same = |r: &&Route| std::ptr::eq(r.def, def);
        // One definition may have several addresses.
        routes
            .clone()
            .find(same)
            .or_else(|| routes.find(|r| (r.def.name, r.def.module) == (def.name, def.module)))
    }

    fn first_of(&self, cluster: &str) -> usize {
        let mut clients = self.clients.iter();
        clients
            .position(|client| client.cluster == cluster)
            .expect("a record is on a cluster of the plan")
    }

    fn hand_over(
        &self,
        record: &OutRecord<'_>,
        token: DeliveryToken,
    ) -> Result<(), RDKafkaErrorCode> {
        let sent = Sent {
            partition: record.partition,
            payload: record.payload,
            key: record.key,
            headers: record.headers,
            timestamp: record.timestamp,
        };
        let route = record.producer.and_then(|def| self.route(def));
        if let Some(route) = route
            && route.def.topic == record.topic
        {
            return route.topic.produce(&sent, token);
        }
        let client = match (route, record.cluster) {
            (Some(route), _) => route.client,
            (None, Some(cluster)) => self.first_of(cluster),
            (None, None) => 0,
        };
        let client = &self.clients[client];
        match client.other(record.topic) {
            Ok(topic) => topic.produce(&sent, token),
            Err(code) => {
                token.cancel();
                Err(code)
            }
        }
    }
}

impl RecordSink for KafkaProducers {
    fn enqueue(&self, record: OutRecord<'_>, token: DeliveryToken) -> Result<(), ProduceError> {
        let bytes = record.payload.map_or(0, <[u8]>::len) + record.key.map_or(0, <[u8]>::len);
        let full = || ProduceError::QueueFull {
            producer: record.producer.map_or("dead letter", |def| def.name),
        };
        if !self.shared.flow.enter(bytes, record.producer.is_none()) {
            token.cancel();
            return Err(full());
        }
        self.hand_over(&record, token).map_err(|code| {
            self.shared.flow.leave(bytes);
            match code {
                RDKafkaErrorCode::QueueFull => full(),
                code => not_delivered(record.topic, code),
            }
        })
    }

    fn is_unacknowledged(&self, producer: &'static ProducerDef) -> bool {
        let nobody = |client: &Client| client.settings.acks == Some(Acks::None);
        self.unacknowledged
            && self
                .route(producer)
                .is_some_and(|route| nobody(&self.clients[route.client]))
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.flow.poll_room(cx)
    }
}

/// The thread ends after the sink and takes the client with it. What has no report by then gets one
/// that says so: rdkafka purges a client that it drops, and serves the reports of that.
fn serve_reports(producer: Arc<Producer>) {
    std::thread::Builder::new()
        .name("delivery-reports".into())
        .spawn(move || {
            while Arc::strong_count(&producer) > 1 {
                producer.poll(REPORTS);
            }
        })
        .expect("the system can start a thread");
}

impl fmt::Debug for KafkaProducers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaProducers")
            .field("clients", &self.clients.len())
            .field("flow", &self.shared.flow)
            .finish_non_exhaustive()
    }
}
