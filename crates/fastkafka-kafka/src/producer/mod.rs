//! The producers of an app: where each record goes, and how many are on their way.

pub(crate) mod again;
pub(crate) mod clients;
pub mod condition;
pub(crate) mod delivery_reports;
pub(crate) mod in_flight;
pub(crate) mod life;
pub(crate) mod partitioner;
pub(crate) mod watch;

use self::again::Again;
use self::clients::{Client, Purpose, Recipe, Role};
use self::delivery_reports::not_delivered;
use self::in_flight::InFlight;
use crate::clusters::Clusters;
use crate::ffi::Sent;
use fastkafka_core::{
    Acks, DeliveryToken, OutRecord, Plan, ProduceError, ProducerDef, ProducerSettings, RecordSink,
    Text,
};
use fastkafka_runtime::platform::{ClientError, OutputState, ProducerHealth, Producers, Wake};
use rdkafka::types::RDKafkaErrorCode;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// One round of waiting for the rest, in turn for each client.
const FLUSH_MILLIS: i32 = 20;
const ROUND: Duration = Duration::from_millis(FLUSH_MILLIS.unsigned_abs() as u64);

/// A function under `#[produces]`, with its client and the number of its topic there.
struct Route {
    def: &'static ProducerDef,
    client: usize,
    topic: usize,
}

/// The producers of an app.
pub(crate) struct KafkaProducers {
    routes: Vec<Route>,
    /// The first is for producers that are not in the plan.
    pub(crate) clients: Vec<Arc<Client>>,
    /// Those for the dead letters of each cluster that has some.
    letters: Vec<(Text, usize)>,
    /// Some producer has `acks = 0`.
    unacknowledged: bool,
    in_flight: Arc<InFlight>,
}

impl KafkaProducers {
    /// Makes the clients; they connect in the background. `max_in_flight` bounds the records that
    /// are handed over and not reported.
    ///
    /// # Errors
    /// When librdkafka refuses a setting or a topic's name, or the system cannot start a thread.
    pub(crate) fn new(
        clusters: &Clusters,
        plan: &Plan,
        max_in_flight: usize,
    ) -> Result<Self, ClientError> {
        let mut recipes = Recipes {
            clusters,
            all: Vec::new(),
        };
        let mut letters = Vec::new();
        for (i, cluster) in plan.clusters.iter().enumerate() {
            let has_letters = plan.has_dead_letters(cluster);
            let purpose = match has_letters {
                true => Purpose::DeadLetters,
                false if i == 0 => Purpose::Outputs,
                false => continue,
            };
            let client = recipes.add(&cluster.name, &cluster.dead_letters, purpose);
            if has_letters {
                letters.push((cluster.name.clone(), client));
            }
        }
        let mut routes = Vec::new();
        for output in &plan.outputs {
            let client = recipes.add(&output.cluster, &output.settings, Purpose::Outputs);
            let topics = &mut recipes.all[client].routes;
            topics.push((output.def.topic, output.def.name));
            routes.push(Route {
                def: output.def,
                client,
                topic: topics.len() - 1,
            });
        }
        let in_flight = Arc::new(InFlight::new(max_in_flight));
        let recipes = recipes.all.into_iter();
        let clients = recipes.map(|recipe| {
            let role = Role::First(Again::beside(&recipe, &in_flight));
            Client::new(recipe, in_flight.clone(), role)
        });
        Ok(Self {
            clients: clients.collect::<Result<_, _>>()?,
            routes,
            letters,
            unacknowledged: plan
                .outputs
                .iter()
                .any(|output| output.settings.acks == Some(Acks::None)),
            in_flight,
        })
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

    /// The client for the dead letters of a cluster.
    fn letters_of(&self, cluster: &str) -> usize {
        let mut letters = self.letters.iter();
        let found = letters.find(|(of, _)| **of == *cluster);
        found.expect("a dead letter is of a handler of the plan").1
    }

    fn hand_over(&self, record: &OutRecord<'_>, token: DeliveryToken) -> Result<(), Refused> {
        let sent = Sent {
            partition: record.partition,
            payload: record.payload,
            key: record.key,
            headers: record.headers,
            timestamp: record.timestamp,
        };
        let route = record.producer.and_then(|def| self.route(def));
        let client = match (route, record.cluster) {
            (Some(route), _) => route.client,
            (None, Some(cluster)) => self.letters_of(cluster),
            (None, None) => 0,
        };
        let client = &self.clients[client];
        let live = client.live();
        let Some(live) = &*live else {
            token.cancel();
            return Err(Refused::Closed);
        };
        let token = match client.again() {
            None => token,
            Some(again) => match again.begin(record, token) {
                Some(token) => token,
                None => return Ok(()),
            },
        };
        let sent = match route {
            Some(route) if route.def.topic == record.topic => {
                live.routed(route.topic).produce(&sent, token)
            }
            _ => match live.other(record.topic) {
                Ok(topic) => topic.produce(&sent, token),
                Err(code) => Err((code, token)),
            },
        };
        sent.map_err(|(code, token)| {
            if let Some(again) = client.again() {
                again.not_taken(record);
            }
            token.cancel();
            Refused::ByClient(code)
        })
    }
}

/// Why a record is not taken.
enum Refused {
    ByClient(RDKafkaErrorCode),
    /// The app has ended.
    Closed,
}

/// What the clients of an app are made of, as it is found out.
struct Recipes<'a> {
    clusters: &'a Clusters,
    all: Vec<Recipe>,
}

impl Recipes<'_> {
    /// The number of the client on a cluster with these settings.
    fn add(&mut self, cluster: &Text, settings: &ProducerSettings, purpose: Purpose) -> usize {
        // The cluster is known, and two calls of its function need not be equal.
        let mut settings = settings.clone();
        settings.brokers = None;
        let same = |recipe: &Recipe| {
            recipe.cluster == *cluster && recipe.settings == settings && recipe.purpose == purpose
        };
        if let Some(known) = self.all.iter().position(same) {
            return known;
        }
        let access = self.clusters.access(cluster, &settings.connection());
        self.all.push(Recipe {
            cluster: cluster.clone(),
            access: access.clone(),
            settings,
            purpose,
            routes: Vec::new(),
        });
        self.all.len() - 1
    }
}

impl RecordSink for KafkaProducers {
    fn enqueue(&self, record: OutRecord<'_>, token: DeliveryToken) -> Result<(), ProduceError> {
        let bytes = record.length();
        let producer = record.producer.map_or("dead letter", |def| def.name);
        let full = || ProduceError::QueueFull { producer };
        let in_flight = &self.in_flight;
        if !in_flight.enter(bytes, record.producer.is_none(), record.rest) {
            token.cancel();
            return Err(full());
        }
        self.hand_over(&record, token).map_err(|why| {
            in_flight.leave(bytes);
            match why {
                Refused::ByClient(RDKafkaErrorCode::QueueFull) => full(),
                Refused::ByClient(code) => not_delivered(record.topic, code),
                Refused::Closed => ProduceError::NoApp { producer },
            }
        })
    }

    fn is_unacknowledged(&self, producer: &'static ProducerDef) -> bool {
        let nobody = |client: &Client| client.recipe.settings.acks == Some(Acks::None);
        self.unacknowledged
            && self
                .route(producer)
                .is_some_and(|route| nobody(&self.clients[route.client]))
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.in_flight.poll_room(cx)
    }
}

impl Producers for KafkaProducers {
    fn in_flight(&self) -> usize {
        self.in_flight.records()
    }

    fn in_flight_bytes(&self) -> u64 {
        self.in_flight.bytes()
    }

    fn outputs(&self) -> Vec<OutputState> {
        let clients = self.clients.iter();
        clients.map(|client| client.outputs()).collect()
    }

    fn has_room(&self) -> bool {
        self.in_flight.has_room()
    }

    fn on_room(&self, wake: Wake) {
        self.in_flight.on_room(wake);
    }

    fn health(&self) -> Vec<ProducerHealth> {
        let clients = self.clients.iter();
        clients.filter_map(|client| client.health()).collect()
    }

    fn drain(&self, deadline: Instant) -> Pin<Box<dyn Future<Output = Result<(), usize>> + Send>> {
        let (clients, in_flight) = (self.clients.clone(), self.in_flight.clone());
        let (lives, ends) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("drain".to_owned());
        let thread = thread.spawn(move || {
            let _lives = lives;
            hurry(&clients, &in_flight, deadline);
        });
        let in_flight = self.in_flight.clone();
        Box::pin(async move {
            if thread.is_ok() {
                // Nobody sends anything.
                let _ = ends.await;
            }
            // Where the system starts no thread nothing is hurried, and comes all the same.
            while in_flight.records() > 0 && Instant::now() < deadline {
                tokio::time::sleep(ROUND).await;
            }
            match in_flight.records() {
                0 => Ok(()),
                left => Err(left),
            }
        })
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let clients = self.clients.clone();
        clients.iter().for_each(|client| client.close());
        Box::pin(async move {
            for client in clients {
                client.ended().await;
            }
        })
    }
}

/// Sends at once what would wait for more, until all reports are there.
fn hurry(clients: &[Arc<Client>], in_flight: &InFlight, deadline: Instant) {
    while in_flight.records() > 0 && Instant::now() < deadline {
        for client in clients {
            client.flush(FLUSH_MILLIS);
        }
        // The threads for reports have the rest in hand.
        in_flight.wait_empty(deadline.min(Instant::now() + ROUND));
    }
}

impl fmt::Debug for KafkaProducers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaProducers")
            .field("clients", &self.clients.len())
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}
