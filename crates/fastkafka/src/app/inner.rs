//! The inside of an app: the specification, the context of its calls, and the values of the builder.

use super::choice::Choice;
use super::life::Life;
#[cfg(feature = "admin")]
use crate::admin::Admin;
use crate::hook::Hooks;
use crate::topic::Topic;
use fastkafka_core::{
    AppContext, AppSpec, Cluster, Connections, EMBEDDED, Plan, UnknownBroker, choose,
};
use fastkafka_kafka::{KafkaOptions, TopicSpec};
use fastkafka_runtime::{Handle, Options};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Inner {
    pub(crate) spec: AppSpec,
    pub(crate) context: Arc<AppContext>,
    pub(crate) client_id: String,
    pub(crate) default_broker: Option<String>,
    pub(crate) topics: BTreeMap<String, Topic>,
    pub(crate) hooks: Hooks,
    pub(crate) start_timeout: Duration,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) max_in_flight: usize,
    pub(crate) handle: Handle,
    /// Of the environment and the builder.
    #[cfg(feature = "admin")]
    pub(crate) admin: Admin,
    pub(crate) life: Life,
}

impl Inner {
    /// The connection to each cluster: of the chosen broker, else of the builder's default, else of the first
    /// broker of the first cluster, which is the app's own where a function is on that.
    pub(super) fn connections(
        &self,
        clusters: &[Cluster],
        choice: &Choice,
    ) -> Result<Connections, UnknownBroker> {
        if let Some(given) = &choice.connections {
            return Ok(given.clone());
        }
        let chosen = choice.broker.as_deref().or(self.default_broker.as_deref());
        let first = || {
            let mut brokers = clusters.first()?.brokers.iter();
            brokers.next().map(|(name, _)| name)
        };
        choose(clusters, chosen.or_else(first).unwrap_or(EMBEDDED))
    }

    pub(super) fn kafka_options(&self, connections: Connections, choice: &Choice) -> KafkaOptions {
        let mut options = KafkaOptions::new(String::new());
        options.connections = connections;
        options.client_id.clone_from(&self.client_id);
        options.start_timeout = self.start_timeout;
        options.from = choice.from;
        options.names.clone_from(&choice.names);
        options.commit_interval = choice.commit_interval;
        options
    }

    pub(super) fn options(&self, choice: &Choice) -> Options {
        let mut options = Options::default();
        options.workers = choice.workers;
        options.start_timeout = self.start_timeout;
        options.shutdown_timeout = self.shutdown_timeout;
        options.max_in_flight = self.max_in_flight;
        options.handle = self.handle.clone();
        options
    }

    /// The topics that the app reads, writes or declares.
    pub(super) fn specs(&self, plan: &Plan) -> Vec<TopicSpec> {
        let topics = plan.topics().into_iter().map(|(_, topic)| topic);
        let mut names: BTreeSet<_> = topics.collect();
        names.extend(self.topics.keys().cloned());
        names.iter().map(|name| self.spec(name)).collect()
    }

    /// The same topics, each with its cluster; a topic that no function names is on the first.
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
