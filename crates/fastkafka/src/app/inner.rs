//! What an app is made of, and what is chosen before its start.

use super::life::Life;
use crate::hooks::Hooks;
use crate::topic::Topic;
use fastkafka_core::{AppCore, Cluster, Connections, EMBEDDED, Plan, UnknownBroker, choose};
use fastkafka_kafka::TopicSpec;
use fastkafka_runtime::{Handle, Options};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub(crate) struct Inner {
    pub(crate) core: Arc<AppCore>,
    pub(crate) client_id: String,
    pub(crate) default_broker: Option<String>,
    pub(crate) topics: BTreeMap<String, Topic>,
    pub(crate) hooks: Hooks,
    pub(crate) start_timeout: Duration,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) max_in_flight: usize,
    pub(crate) handle: Handle,
    pub(crate) life: Life,
}

#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) broker: Option<String>,
    pub(super) workers: NonZeroUsize,
    pub(super) create_topics: bool,
    pub(super) from: Option<SystemTime>,
    /// Of a test: what names on the clusters end with, and how those are reached if it is not by a
    /// broker's name.
    pub(super) test: Option<(String, Option<Connections>)>,
}

impl Choice {
    /// The ways that a test has chosen.
    pub(super) fn given(&self) -> Option<&Connections> {
        self.test.as_ref().and_then(|(_, given)| given.as_ref())
    }
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            broker: None,
            workers: NonZeroUsize::MIN,
            create_topics: false,
            from: None,
            test: None,
        }
    }
}

impl Inner {
    /// How each cluster is reached by the broker that is chosen, else the builder's default, else the
    /// first of the first cluster, which is the app's own where a function is on that.
    pub(super) fn connections(
        &self,
        clusters: &[Cluster],
        choice: &Choice,
    ) -> Result<Connections, UnknownBroker> {
        if let Some(given) = choice.given() {
            return Ok(given.clone());
        }
        let chosen = choice.broker.as_deref().or(self.default_broker.as_deref());
        let first = || {
            let mut brokers = clusters.first()?.brokers.iter();
            brokers.next().map(|(name, _)| name)
        };
        choose(clusters, chosen.or_else(first).unwrap_or(EMBEDDED))
    }

    pub(super) fn options(&self, connections: Connections, choice: &Choice) -> Options {
        let mut options = Options::new(String::new());
        options.connections = connections;
        options.client_id.clone_from(&self.client_id);
        options.workers = choice.workers;
        options.start_timeout = self.start_timeout;
        options.shutdown_timeout = self.shutdown_timeout;
        options.max_in_flight = self.max_in_flight;
        options.from = choice.from;
        options.handle = self.handle.clone();
        if let Some((suffix, _)) = &choice.test {
            options.suffix.clone_from(suffix);
        }
        options
    }

    /// What the app reads, writes or declares.
    pub(super) fn specs(&self, plan: &Plan) -> Vec<TopicSpec> {
        let topics = plan.topics().into_iter().map(|(_, topic)| topic);
        let mut names: BTreeSet<_> = topics.collect();
        names.extend(self.topics.keys().cloned());
        names.iter().map(|name| self.spec(name)).collect()
    }

    /// The same with the cluster that each is on; what no function names is on the first.
    pub(super) fn specs_by_cluster(&self, plan: &Plan) -> Vec<(String, TopicSpec)> {
        let mut topics = plan.topics();
        let first = plan.clusters.first().map(|cluster| cluster.name.clone());
        for declared in self.topics.keys() {
            if !topics.iter().any(|(_, topic)| topic == declared) {
                topics.insert((first.clone().unwrap_or_default(), declared.clone()));
            }
        }
        let topics = topics.into_iter();
        topics
            .map(|(cluster, topic)| (cluster.into_owned(), self.spec(&topic)))
            .collect()
    }

    fn spec(&self, name: &str) -> TopicSpec {
        match self.topics.get(name) {
            Some(topic) => topic.spec(name),
            None => TopicSpec::new(name),
        }
    }
}
