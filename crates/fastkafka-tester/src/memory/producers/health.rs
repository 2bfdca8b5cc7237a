//! What is wrong with an app's producers, as its clients on Kafka would say it: by the same machine.

use crate::function::Function;
use crate::memory::clusters::MemoryClusters;
use crate::topology::{ClusterName, intern};
use fastkafka_core::{Plan, ProducerSettings};
use fastkafka_kafka::condition::{Condition, Kind};
use fastkafka_runtime::platform::ProducerHealth;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// One that Kafka would have: for equal settings on a cluster, or for its dead letters.
struct Client {
    cluster: ClusterName,
    settings: ProducerSettings,
    is_for_letters: bool,
    functions: Vec<&'static str>,
    condition: Condition,
    /// Since when it knows that the broker is down.
    away: Option<Instant>,
}

/// The clients of an app.
pub(crate) struct Clients {
    began: Instant,
    all: Vec<Client>,
    of: BTreeMap<Function, usize>,
    letters: BTreeMap<ClusterName, usize>,
}

impl Clients {
    pub(super) fn none() -> Self {
        Self {
            began: Instant::now(),
            all: Vec::new(),
            of: BTreeMap::new(),
            letters: BTreeMap::new(),
        }
    }

    pub(crate) fn new(plan: &Plan) -> Self {
        let mut clients = Self::none();
        for cluster in &plan.clusters {
            if plan.has_dead_letters(cluster) {
                let name = intern(&cluster.name);
                let client = clients.add(name, &cluster.dead_letters, true);
                clients.letters.insert(name, client);
            }
        }
        for output in &plan.outputs {
            let client = clients.add(intern(&output.cluster), &output.settings, false);
            clients.all[client].functions.push(output.def.name);
            clients.of.insert(output.def.into(), client);
        }
        clients
    }

    fn add(&mut self, cluster: ClusterName, settings: &ProducerSettings, letters: bool) -> usize {
        let mut settings = settings.clone();
        settings.brokers = None;
        let same = |client: &Client| {
            (client.cluster, client.is_for_letters) == (cluster, letters)
                && client.settings == settings
        };
        if let Some(known) = self.all.iter().position(same) {
            return known;
        }
        self.all.push(Client {
            cluster,
            settings,
            is_for_letters: letters,
            functions: Vec::new(),
            condition: Condition::default(),
            away: None,
        });
        self.all.len() - 1
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// The client of a record: of its producer, or for the dead letters of its cluster.
    fn client(&mut self, producer: Option<Function>, cluster: ClusterName) -> Option<&mut Client> {
        let client = match producer {
            Some(producer) => self.of.get(&producer),
            None => self.letters.get(cluster),
        };
        self.all.get_mut(*client?)
    }

    /// A record was acknowledged.
    pub(super) fn delivered(
        &mut self,
        producer: Option<Function>,
        cluster: ClusterName,
        place: (&str, i32),
    ) {
        let now = self.now();
        if let Some(client) = self.client(producer, cluster) {
            client.condition.delivered(now);
            client.condition.in_time(place);
        }
    }

    /// The time of a record is over, which it had for so long.
    pub(super) fn late(
        &mut self,
        producer: Option<Function>,
        cluster: ClusterName,
        in_time: Duration,
        place: (&str, i32),
    ) {
        let (now, place) = (self.now(), (place.0.to_owned(), place.1));
        if let Some(client) = self.client(producer, cluster) {
            let error = "the record was not acknowledged in time";
            client.condition.late(now, in_time, place, error);
        }
    }

    pub(super) fn health(&mut self, clusters: &MemoryClusters) -> Vec<ProducerHealth> {
        let (now, began) = (self.now(), self.began);
        let all = self.all.iter_mut().map(|client| {
            let down = clusters.named(client.cluster).state().down_since();
            if down != client.away {
                if client.away.is_some() {
                    client.condition.answered(now);
                }
                if let Some(since) = down {
                    let since = since.saturating_duration_since(began);
                    let what = "the broker is down";
                    client.condition.error(since, Some(Kind::Away), what);
                }
                client.away = down;
            }
            // That of each partition is forgotten when it is long ago.
            client.condition.on_their_way(now, false);
            let (functions, letters) = (client.functions.clone(), client.is_for_letters);
            let mut health = ProducerHealth::new(client.cluster, functions, letters);
            client.condition.tell(now, &mut health);
            health
        });
        all.collect()
    }
}
