//! All clusters in memory of a test. They share one journal and one notification of changes.

use crate::memory::cluster::MemoryCluster;
use crate::topology::{ClusterName, Topology};
use crate::watching::journal::Journal;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// The clusters in memory, by name.
#[derive(Debug)]
pub(crate) struct MemoryClusters(BTreeMap<ClusterName, Arc<MemoryCluster>>);

impl MemoryClusters {
    /// Makes the clusters of the topology with their topics. All of them write into this journal.
    pub(crate) fn new(topology: &Topology, journal: &Journal) -> Arc<Self> {
        let changed = Arc::<Notify>::default();
        let mut clusters = BTreeMap::new();
        for &name in topology.clusters() {
            let cluster = MemoryCluster::new(name, journal.clone(), changed.clone());
            for topic in topology.topics(name) {
                let partitions = usize::try_from(topic.partitions.unwrap_or(1)).unwrap_or(1);
                cluster.state().create_topic(&topic.name, partitions);
            }
            clusters.insert(name, cluster);
        }
        Arc::new(Self(clusters))
    }

    /// A cluster of the topology.
    pub(crate) fn named(&self, name: &str) -> &Arc<MemoryCluster> {
        let cluster = self.0.get(name);
        cluster.expect("the topology has the clusters of every app of the test")
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<MemoryCluster>> {
        self.0.values()
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.any().journal
    }

    pub(super) fn notify(&self) {
        self.any().notify();
    }

    /// Ends at the next change of any of them. Make it before looking, await it after.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.any().changed()
    }

    fn any(&self) -> &Arc<MemoryCluster> {
        self.all().next().expect("a topology has a cluster")
    }
}
