//! The clusters in memory, by name. They have one journal, and one wake-up for whoever waits for something to
//! happen.

use crate::memory::cluster::Broker;
use crate::topology::{Name, Topology};
use crate::watching::journal::Journal;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// See the module.
#[derive(Debug)]
pub(crate) struct Clusters(BTreeMap<Name, Arc<Broker>>);

impl Clusters {
    /// With the topics that the layout has for each.
    pub(crate) fn new(topology: &Topology) -> Arc<Self> {
        let (journal, changed) = (Journal::default(), Arc::<Notify>::default());
        let mut clusters = BTreeMap::new();
        for &name in topology.clusters() {
            let broker = Broker::new(name, journal.clone(), changed.clone());
            for topic in topology.topics(name) {
                let partitions = usize::try_from(topic.partitions.unwrap_or(1)).unwrap_or(1);
                let mut state = broker.state();
                state.create_topic(&topic.name, partitions);
            }
            clusters.insert(name, broker);
        }
        Arc::new(Self(clusters))
    }

    /// One of the layout.
    pub(crate) fn named(&self, name: &str) -> &Arc<Broker> {
        let broker = self.0.get(name);
        broker.expect("every app of the test was laid out")
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Broker>> {
        self.0.values()
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.any().journal
    }

    pub(crate) fn notify(&self) {
        self.any().notify();
    }

    /// Ends when something has happened on any of them from now on.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.any().changed()
    }

    fn any(&self) -> &Arc<Broker> {
        self.all().next().expect("an app has a cluster")
    }
}
