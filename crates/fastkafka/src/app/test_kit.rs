//! What a test kit needs of an app, and nobody else: hidden from the documentation.

use super::App;
use crate::error::RunError;
use fastkafka_core::{AppContext, AppSpec, Connection, Connections, Plan};
use fastkafka_kafka::{KafkaOptions, TopicNames, TopicSpec};
use fastkafka_runtime::Runtime;
use fastkafka_runtime::platform::{Offsets, Platform};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

impl App {
    /// Starts on something else than Kafka. Its topics are there.
    ///
    /// # Errors
    /// As [`App::start`].
    #[doc(hidden)]
    pub async fn start_on(&self, platform: Arc<dyn Platform>) -> Result<(), RunError> {
        self.start_with(|| Plan::new(&self.inner.spec), Some(platform))
            .await
    }

    /// Ends as a crash of the process would, without the stop hooks.
    #[doc(hidden)]
    pub async fn kill(&self) {
        self.shut_down();
        if let Some(runtime) = self.inner.life.runtime.get() {
            runtime.kill().await;
        }
    }

    /// The clusters are reached by `connections`, if not by the broker that is chosen, and have these
    /// names for topics and groups. `commit_interval` is for groups whose functions do not say.
    #[doc(hidden)]
    pub fn run_as_test(
        &self,
        connections: Option<Connections>,
        names: BTreeMap<String, TopicNames>,
        commit_interval: Duration,
    ) {
        let mut choice = self.choice();
        choice.connections = connections;
        choice.names = names;
        choice.commit_interval = Some(commit_interval);
    }

    /// How the app will start, with the way to each of its clusters, unless it starts brokers itself.
    #[doc(hidden)]
    pub fn options(&self) -> Option<KafkaOptions> {
        let choice = self.choice().clone();
        let clusters = self.sketch().clusters;
        let mut connections = self.inner.connections(&clusters, &choice).ok()?;
        if connections.embedded && choice.connections.is_none() {
            return None;
        }
        for cluster in clusters.iter().filter(|cluster| cluster.is_address) {
            let own = Connection::default().bootstrap_servers(cluster.name.clone());
            let way = connections.to(&cluster.name, &own);
            connections = connections.with(&*cluster.name, way);
        }
        Some(self.inner.kafka_options(connections, &choice))
    }

    /// Why the app has to end, once that is so.
    #[doc(hidden)]
    pub fn failure(&self) -> Option<String> {
        self.inner.life.runtime.get().and_then(Runtime::failure)
    }

    /// Of each consumer without a group, by cluster and name, below which offsets all is settled.
    #[doc(hidden)]
    pub fn settled(&self) -> Vec<(String, String, Offsets)> {
        let runtime = self.inner.life.runtime.get();
        runtime.map(Runtime::settled).unwrap_or_default()
    }

    /// The specification of the app, from which its plan is made.
    #[doc(hidden)]
    pub fn spec(&self) -> &AppSpec {
        &self.inner.spec
    }

    /// The context of its calls.
    #[doc(hidden)]
    pub fn context(&self) -> &Arc<AppContext> {
        &self.inner.context
    }

    /// What an app with this plan reads, writes or declares, by cluster.
    #[doc(hidden)]
    pub fn topics(&self, plan: &Plan) -> Vec<(String, TopicSpec)> {
        self.inner.specs_by_cluster(plan)
    }
}
