//! The producers of an app: where each record goes, and how many are on their way.

pub(crate) mod clients;
pub(crate) mod delivery_reports;
pub(crate) mod in_flight;
pub(crate) mod partitioner;

use self::clients::Client;
use self::delivery_reports::{Shared, not_delivered};
use self::in_flight::InFlight;
use crate::clusters::Clusters;
use crate::error::client_error;
use crate::ffi::{self, Sent, Topic};
use fastkafka_core::{
    Acks, DeliveryToken, OutRecord, Plan, ProduceError, ProducerDef, ProducerSettings, RecordSink,
    Text,
};
use fastkafka_runtime::platform::{ClientError, Producers, Wake};
use rdkafka::types::RDKafkaErrorCode;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// One round of waiting for the rest, in turn for each client.
const FLUSH_MILLIS: i32 = 20;

/// A function under `#[produces]`, with its client and the handle of its topic.
struct Route {
    def: &'static ProducerDef,
    client: usize,
    topic: Topic,
}

/// The producers of an app.
pub(crate) struct KafkaProducers {
    routes: Vec<Route>,
    /// The first of a cluster is for its dead letters, if there are any; the very first is for producers
    /// that are not in the plan.
    pub(crate) clients: Vec<Client>,
    /// Some producer has `acks = 0`.
    unacknowledged: bool,
    max_in_flight: usize,
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
        let mut producers = Self {
            routes: Vec::new(),
            clients: Vec::new(),
            unacknowledged: outputs
                .iter()
                .any(|output| output.settings.acks == Some(Acks::None)),
            max_in_flight,
            shared: Arc::new(Shared {
                in_flight: InFlight::new(max_in_flight),
                fatal: OnceLock::new(),
            }),
        };
        for (i, cluster) in plan.clusters.iter().enumerate() {
            if i == 0 || plan.has_dead_letters(cluster) {
                producers.client(clusters, &cluster.name, &cluster.dead_letters)?;
            }
        }
        for output in outputs {
            let client = producers.client(clusters, &output.cluster, &output.settings)?;
            let name = output.def.topic;
            let topic = producers.clients[client].topic(name).map_err(|code| {
                client_error(code, format!("`{name}` cannot be the name of a topic"))
            })?;
            producers.routes.push(Route {
                def: output.def,
                client,
                topic,
            });
        }
        Ok(producers)
    }

    /// The client on a cluster with these settings, made if there is none.
    fn client(
        &mut self,
        clusters: &Clusters,
        cluster: &Text,
        settings: &ProducerSettings,
    ) -> Result<usize, ClientError> {
        // The cluster is known, and two calls of its function need not be equal.
        let mut settings = settings.clone();
        settings.brokers = None;
        let same = |c: &Client| c.cluster == *cluster && c.settings == settings;
        if let Some(known) = self.clients.iter().position(same) {
            return Ok(known);
        }
        let access = clusters.access(cluster, &settings.connection());
        let client = Client::new(access, cluster, settings, &self.shared, self.max_in_flight)?;
        self.clients.push(client);
        Ok(self.clients.len() - 1)
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
        match self.clients[client].other(record.topic) {
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
        let in_flight = &self.shared.in_flight;
        if !in_flight.enter(bytes, record.producer.is_none()) {
            token.cancel();
            return Err(full());
        }
        self.hand_over(&record, token).map_err(|code| {
            in_flight.leave(bytes);
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
        self.shared.in_flight.poll_room(cx)
    }
}

impl Producers for KafkaProducers {
    fn in_flight(&self) -> usize {
        self.shared.in_flight.records()
    }

    fn has_room(&self) -> bool {
        self.shared.in_flight.has_room()
    }

    fn on_room(&self, wake: Wake) {
        self.shared.in_flight.on_room(wake);
    }

    fn fatal(&self) -> Option<String> {
        self.shared.fatal.get().map(ToString::to_string)
    }

    fn drain(&self, deadline: Instant) -> Result<(), usize> {
        while self.in_flight() > 0 && Instant::now() < deadline {
            for client in &self.clients {
                ffi::flush(&client.producer, FLUSH_MILLIS);
            }
            // The threads for reports have the rest in hand.
            let round = Duration::from_millis(FLUSH_MILLIS.unsigned_abs().into());
            let until = deadline.min(Instant::now() + round);
            self.shared.in_flight.wait_empty(until);
        }
        match self.in_flight() {
            0 => Ok(()),
            left => Err(left),
        }
    }
}

impl fmt::Debug for KafkaProducers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaProducers")
            .field("clients", &self.clients.len())
            .field("in_flight", &self.shared.in_flight)
            .finish_non_exhaustive()
    }
}
