//! The same tests on brokers: topics and groups of the test's own, real time, and a consumer that
//! watches every topic of a cluster.

mod cluster;
mod tail;

use self::cluster::RemoteCluster;
use crate::record::NewRecord;
use crate::topology::{Name, Topology, intern};
use crate::watching::journal::Journal;
use crate::watching::watcher::Watcher;
use fastkafka::App;
use fastkafka::error::{Problem, Problems, RunError};
use fastkafka::record::Delivery;
use fastkafka_core::{Connection, Connections, Plan};
use fastkafka_kafka::{Embedded, KafkaOptions, TopicNames, create_topics};
use fastkafka_runtime::platform::Offsets;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How often groups commit whose handlers do not say: an assertion waits for that.
const COMMITS: Duration = Duration::from_millis(50);

/// Where a test runs that is not in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The name of a broker in every cluster, or an address that stands for all of them.
    Broker(String),
    /// A broker in the process for each cluster.
    Embedded,
}

/// See the module.
pub(crate) struct Remote {
    choice: Choice,
    sides: BTreeMap<Name, RemoteCluster>,
}

/// What each app is told before it starts.
struct Choice {
    /// As messages call it.
    broker: String,
    /// The names of topics and groups, by cluster.
    names: BTreeMap<String, TopicNames>,
    /// How each cluster is reached; `None`: as the apps say, by the broker's name.
    connections: Option<Connections>,
    /// By cluster. What is there needs no cleaning up.
    embedded: Vec<(Name, Embedded)>,
}

impl Choice {
    fn new(target: Target, topology: &Topology) -> Result<Self, String> {
        let mut choice = Self {
            broker: String::new(),
            names: names(topology.clusters()),
            connections: None,
            embedded: Vec::new(),
        };
        match target {
            Target::Broker(broker) => {
                let is_address = broker.contains(':');
                choice.connections = is_address.then(|| Connections::at(broker.clone()));
                choice.broker = broker;
            }
            Target::Embedded => {
                let mut connections = Connections::embedded();
                for &cluster in topology.clusters() {
                    let embedded = Embedded::start().map_err(text)?;
                    let address = embedded.bootstrap().to_owned();
                    let way = Connection::default().bootstrap_servers(address);
                    connections = connections.with(cluster, way);
                    choice.embedded.push((cluster, embedded));
                }
                let all = choice.embedded.iter();
                let addresses: Vec<_> = all.map(|(_, at)| at.bootstrap()).collect();
                choice.broker = addresses.join(", ");
                choice.connections = Some(connections);
            }
        }
        Ok(choice)
    }

    fn make(&self, app: &App) -> Result<(), String> {
        if self.connections.is_none() {
            app.set_kafka_broker(&self.broker).map_err(text)?;
        }
        let (connections, names) = (self.connections.clone(), self.names.clone());
        app.run_as_test(connections, names, COMMITS);
        Ok(())
    }

    fn embedded(&self, cluster: Name) -> Option<&Embedded> {
        let mut all = self.embedded.iter();
        let (_, embedded) = all.find(|(of, _)| *of == cluster)?;
        Some(embedded)
    }
}

impl Remote {
    pub(crate) async fn start(
        target: Target,
        apps: &[App],
        topology: &Arc<Topology>,
        journal: &Journal,
        watcher: &Watcher,
    ) -> Result<Self, String> {
        let choice = Choice::new(target, topology)?;
        let mut ways = BTreeMap::new();
        for app in apps {
            choice.make(app)?;
            let options = app.options();
            let options = options.ok_or("it has no address: write `.embedded()` for that one")?;
            for cluster in Plan::sketch(app.spec()).0.clusters {
                let way = ways.entry(intern(&cluster.name));
                way.or_insert_with(|| options.clone());
            }
        }
        let mut sides = BTreeMap::new();
        for &cluster in topology.clusters() {
            let options = ways.get(cluster).ok_or("there is no app to start")?;
            let embedded = choice.embedded(cluster);
            make_topics(cluster, options, embedded, topology).await?;
            let side = RemoteCluster::watch(cluster, options, apps, topology, journal, watcher);
            sides.insert(cluster, side.await?);
        }
        let tail: Vec<_> = sides.values().map(RemoteCluster::tail).collect();
        journal.catch_up_by(move || {
            for tail in &tail {
                tail.catch_up();
            }
        });
        Ok(Self { choice, sides })
    }

    /// Starts another app on the same brokers.
    pub(crate) async fn launch(&self, app: &App) -> Result<(), RunError> {
        let chosen = self.choice.make(app);
        chosen.map_err(|what| RunError::Start(Problems(vec![Problem::Broker(what)])))?;
        app.start().await
    }

    pub(crate) fn broker(&self) -> &str {
        &self.choice.broker
    }

    fn side(&self, cluster: Name) -> &RemoteCluster {
        let side = self.sides.get(cluster);
        side.expect("every app of the test was laid out")
    }

    pub(crate) async fn deliver(&self, record: NewRecord) -> Result<Delivery, String> {
        self.side(record.cluster).deliver(record).await
    }

    pub(crate) fn committed(
        &self,
        cluster: Name,
        group: &str,
        topic: &str,
    ) -> Result<Offsets, String> {
        self.side(cluster).committed(group, topic)
    }

    pub(crate) fn ends(&self, cluster: Name) -> Result<Offsets, String> {
        self.side(cluster).ends()
    }

    /// Asks the brokers, and the apps, what is not settled, or was not seen yet.
    pub(crate) async fn look(&self, apps: &[App]) -> Result<Vec<String>, String> {
        // First what is settled, everywhere: what comes to a log meanwhile shows as open, also where a
        // record leads from one cluster to the other and back.
        let mut settled = Vec::new();
        for side in self.sides.values() {
            settled.push((side, side.settled(apps).await?));
        }
        let mut open = Vec::new();
        for (side, settled) in settled {
            open.append(&mut side.open(settled).await?);
        }
        Ok(open)
    }
}

/// The clusters forget what the test made there.
impl Drop for Remote {
    fn drop(&mut self) {
        if self.choice.embedded.is_empty() {
            self.sides.values().for_each(RemoteCluster::clean_up);
        }
    }
}

/// Names of this test's own, also where several of its clusters are at one broker. No suffix is the end of
/// another, so that no pattern finds topics of the other cluster.
fn names(clusters: &[Name]) -> BTreeMap<String, TopicNames> {
    let test = format!("-{:016x}", rand::random::<u64>());
    clusters
        .iter()
        .map(|cluster| {
            let names = TopicNames::with_suffix(&suffix(&test, cluster));
            ((*cluster).to_owned(), names)
        })
        .collect()
}

fn suffix(test: &str, cluster: &str) -> String {
    if cluster.is_empty() {
        return test.to_owned();
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    format!("{test}-{}", cluster.replace(|c| !allowed(c), "-"))
}

/// Makes what the apps and the test declare.
async fn make_topics(
    cluster: Name,
    options: &KafkaOptions,
    embedded: Option<&Embedded>,
    topology: &Topology,
) -> Result<(), String> {
    let specs = topology.topics(cluster).cloned().map(|mut spec| {
        spec.partitions.get_or_insert(1);
        // A test's cluster is small.
        spec.replicas = None;
        spec
    });
    let Some(embedded) = embedded else {
        let specs: Vec<_> = specs.collect();
        let made = create_topics(options, &Plan::empty(cluster), &specs).await;
        return made.map_err(text);
    };
    for mut spec in specs {
        spec.name = options.names_on(cluster).on_cluster(&spec.name);
        embedded.create_topic(&spec).map_err(text)?;
    }
    Ok(())
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_has_topics_of_its_own_on_each_cluster_also_at_one_address() {
        assert_eq!(suffix("-1f", ""), "-1f");
        assert_eq!(suffix("-1f", "eu.pay:1"), "-1f-eu-pay-1");
        assert!(!suffix("-1f", "eu").ends_with(&suffix("-1f", "")));
    }
}
