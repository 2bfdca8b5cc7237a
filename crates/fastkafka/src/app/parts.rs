//! The inside of an app: the seam through which `fastkafka-tester` starts an app on clusters of a test
//! and looks at its plan, its calls and its runtime. Users see none of it.

use super::App;
use crate::error::RunError;
use fastkafka_core::{AppContext, AppSpec, Connection, Connections, Plan};
use fastkafka_kafka::{KafkaOptions, TopicNames, TopicSpec};
use fastkafka_runtime::Runtime;
use fastkafka_runtime::platform::Platform;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

impl App {
    /// The inside of the app. Not for use by hand.
    #[doc(hidden)]
    pub fn parts(&self) -> Parts<'_> {
        Parts {
            app: self,
            spec: &self.inner.spec,
            context: &self.inner.context,
            runtime: self.inner.life.runtime.get(),
        }
    }
}

/// The inside of an app.
#[derive(Debug)]
pub struct Parts<'a> {
    app: &'a App,
    /// The specification, from which plans are made.
    pub spec: &'a AppSpec,
    /// The context of the app's calls. It takes an interceptor.
    pub context: &'a Arc<AppContext>,
    /// The runtime; `None` before the groups are joined.
    pub runtime: Option<&'a Runtime>,
}

impl Parts<'_> {
    /// By cluster: the topics that an app with this plan reads, writes or declares.
    pub fn topics(&self, plan: &Plan) -> Vec<(String, TopicSpec)> {
        self.app.inner.specs_by_cluster(plan)
    }

    /// Starts the app on a platform that has its topics, instead of Kafka.
    ///
    /// # Errors
    /// As [`App::start`].
    pub async fn start_on(&self, platform: Arc<dyn Platform>) -> Result<(), RunError> {
        let plan = || Plan::new(self.spec);
        self.app.start_with(plan, Some(platform)).await
    }

    /// The test is over: the app may be dropped as it is, without a word and without its stop hooks.
    pub fn allow_drop(&self) {
        let life = &self.app.inner.life;
        life.may_be_dropped.store(true, Relaxed);
    }

    /// Ends the app as a crash of its process would: nothing is drained or committed, and no hook runs.
    pub async fn kill(&self) {
        // First, so that nobody takes what follows for a reason to stop.
        let what = "its process has crashed".to_owned();
        self.app.inner.life.set_end(Err(RunError::Ended(what)));
        self.app.shut_down();
        if let Some(runtime) = self.runtime {
            runtime.kill().await;
        }
    }

    /// Chooses the clusters for a start on Kafka: their addresses, if the broker's name is not to decide,
    /// and the names of topics and groups there. `commit_interval` is for groups whose functions do not
    /// say how often they commit.
    pub fn choose_clusters(
        &self,
        connections: Option<Connections>,
        names: BTreeMap<String, TopicNames>,
        commit_interval: Duration,
    ) {
        let mut choice = self.app.choice();
        choice.connections = connections;
        choice.names = names;
        choice.commit_interval = Some(commit_interval);
    }

    /// The options of a start on Kafka, with a connection for each cluster; `None` if the app is going to
    /// start brokers itself.
    pub fn kafka_options(&self) -> Option<KafkaOptions> {
        let choice = self.app.choice().clone();
        let clusters = self.app.sketch().clusters;
        let mut connections = self.app.inner.connections(&clusters, &choice).ok()?;
        if connections.embedded && choice.connections.is_none() {
            return None;
        }
        for cluster in clusters.iter().filter(|cluster| cluster.is_address) {
            let own = Connection::default().bootstrap_servers(cluster.name.clone());
            let connection = connections.to(&cluster.name, &own);
            connections = connections.with(&*cluster.name, connection);
        }
        Some(self.app.inner.kafka_options(connections, &choice))
    }
}
