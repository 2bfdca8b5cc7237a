//! Real and embedded brokers: topics and groups of the test's own, and real time.

mod access;
mod cluster;
mod groups;
mod tail;
mod tail_reader;

pub(crate) use self::access::Target;

use self::access::Access;
use self::cluster::RemoteCluster;
use crate::record::NewRecord;
use crate::topology::{ClusterName, Topology, intern};
use crate::watching::journal::Journal;
use crate::watching::watcher::Watcher;
use fastkafka::App;
use fastkafka::error::{Problem, Problems, RunError};
use fastkafka::record::Delivery;
use fastkafka_core::Plan;
use fastkafka_kafka::{Embedded, KafkaOptions, create_topics};
use fastkafka_runtime::platform::Offsets;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The clusters of a test that are not in memory.
pub(crate) struct RemoteClusters {
    access: Access,
    clusters: BTreeMap<ClusterName, RemoteCluster>,
}

impl RemoteClusters {
    /// Makes the topics of the apps and follows them.
    pub(crate) async fn start(
        target: Target,
        apps: &[App],
        topology: &Arc<Topology>,
        journal: &Journal,
        watcher: &Watcher,
    ) -> Result<Self, String> {
        let access = Access::new(target, topology)?;
        let mut options_of = BTreeMap::new();
        for app in apps {
            access.give(app)?;
            let options = app
                .parts()
                .kafka_options()
                .ok_or("it has no address: write `.embedded()` for that one")?;
            for cluster in Plan::sketch(app.parts().spec).0.clusters {
                let of_cluster = options_of.entry(intern(&cluster.name));
                of_cluster.or_insert_with(|| options.clone());
            }
        }
        let mut clusters = BTreeMap::new();
        for &name in topology.clusters() {
            let options = options_of.get(name).ok_or("there is no app to start")?;
            create(name, options, access.embedded(name), topology).await?;
            let cluster = RemoteCluster::start(name, options, apps, topology, journal, watcher);
            clusters.insert(name, cluster.await?);
        }
        let tails: Vec<_> = clusters.values().map(RemoteCluster::tail).collect();
        journal.catch_up_by(move || {
            for tail in &tails {
                tail.catch_up();
            }
        });
        Ok(Self { access, clusters })
    }

    /// Starts another app on the same brokers.
    pub(crate) async fn launch(&self, app: &App) -> Result<(), RunError> {
        let given = self.access.give(app);
        given.map_err(|what| RunError::Start(Problems(vec![Problem::Broker(what)])))?;
        app.start().await
    }

    /// The broker as messages call it.
    pub(crate) fn broker(&self) -> &str {
        &self.access.broker
    }

    fn named(&self, name: ClusterName) -> &RemoteCluster {
        let cluster = self.clusters.get(name);
        cluster.expect("the topology has the clusters of every app of the test")
    }

    /// Sends a record from outside the app.
    pub(crate) async fn deliver(&self, record: NewRecord) -> Result<Delivery, String> {
        self.named(record.cluster).deliver(record).await
    }

    pub(crate) fn committed(
        &self,
        cluster: ClusterName,
        group: &str,
        topic: &str,
    ) -> Result<Offsets, String> {
        self.named(cluster).committed(group, topic)
    }

    pub(crate) fn ends(&self, cluster: ClusterName) -> Result<Offsets, String> {
        self.named(cluster).ends()
    }

    /// Asks brokers and apps for the records that are not settled, or that the journal does not have
    /// yet: a line for each.
    pub(crate) async fn open_records(&self, apps: &[App]) -> Result<Vec<String>, String> {
        // First the settled offsets of all clusters, then the ends of their logs: a record that comes
        // meanwhile shows as open, also if it leads from one cluster to another and back.
        let mut settled = Vec::new();
        for cluster in self.clusters.values() {
            settled.push((cluster, cluster.settled(apps).await?));
        }
        let mut open = Vec::new();
        for (cluster, settled) in settled {
            open.append(&mut cluster.open_records(settled).await?);
        }
        Ok(open)
    }
}

/// Deletes the topics and groups of the test.
impl Drop for RemoteClusters {
    fn drop(&mut self) {
        if self.access.outlives_test() {
            self.clusters.values().for_each(RemoteCluster::clean_up);
        }
    }
}

/// Makes the topics that the apps and the test declare.
async fn create(
    cluster: ClusterName,
    options: &KafkaOptions,
    embedded: Option<&Embedded>,
    topology: &Topology,
) -> Result<(), String> {
    let specs = topology.topics(cluster).cloned().map(|mut spec| {
        spec.partitions.get_or_insert(1);
        // The cluster of a test may have a single broker.
        spec.replicas = None;
        spec
    });
    let Some(embedded) = embedded else {
        let specs: Vec<_> = specs.collect();
        let created = create_topics(options, &Plan::empty(cluster), &specs).await;
        return created.map_err(|error| error.to_string());
    };
    for mut spec in specs {
        spec.name = options.names_on(cluster).on_cluster(&spec.name);
        let created = embedded.create_topic(&spec);
        created.map_err(|error| error.to_string())?;
    }
    Ok(())
}
