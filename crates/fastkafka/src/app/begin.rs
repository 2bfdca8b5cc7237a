//! The steps of a start. Its future may be dropped at each `await`: everything that a step makes is kept in
//! the app, and the stop ends it.

use super::App;
use crate::error::RunError;
use fastkafka_core::{Connection, Connections, Plan, Problem, Problems};
use fastkafka_kafka::{Embedded, Kafka, create_topics};
use fastkafka_runtime::Runtime;
use fastkafka_runtime::platform::Platform;
use std::sync::Arc;

impl App {
    /// Runs the start hooks, connects, joins the groups and waits for them.
    pub(super) async fn begin(
        &self,
        plan: &Plan,
        platform: Option<Arc<dyn Platform>>,
    ) -> Result<(), RunError> {
        #[cfg(feature = "admin")]
        if platform.is_none() {
            self.open_admin()?;
        }
        let hooks = self.inner.hooks.start(self, self.inner.start_timeout);
        hooks.await.map_err(problem)?;
        let mut runtime = self.connect(plan, platform).await?;
        let joined = runtime.join(plan);
        // Kept before the error is looked at: a stop ends the consumers that have joined.
        let runtime = self.inner.life.runtime.get_or_init(|| runtime);
        joined?;
        Ok(runtime.started().await?)
    }

    async fn connect(
        &self,
        plan: &Plan,
        platform: Option<Arc<dyn Platform>>,
    ) -> Result<Runtime, RunError> {
        let choice = self.choice().clone();
        let (context, options) = (self.inner.context.clone(), self.inner.options(&choice));
        if let Some(platform) = platform {
            let open = std::future::ready(Ok(platform));
            return Ok(Runtime::connect(context, plan, options, open).await?);
        }
        let connections = self.inner.connections(&plan.clusters, &choice);
        let mut connections = connections.map_err(problem)?;
        if connections.embedded && choice.connections.is_none() {
            connections = self.start_embedded(plan)?;
        }
        let embedded = connections.embedded;
        let kafka = self.inner.kafka_options(connections, &choice);
        if choice.create_topics && !embedded {
            create_topics(&kafka, plan, &self.inner.specs(plan)).await?;
        }
        let kafka = Kafka::open(&kafka, plan);
        Ok(Runtime::connect(context, plan, options, kafka).await?)
    }

    /// Starts a broker in the process for each cluster, with its topics.
    fn start_embedded(&self, plan: &Plan) -> Result<Connections, RunError> {
        let specs = self.inner.specs_by_cluster(plan);
        let mut connections = Connections::embedded();
        for cluster in &plan.clusters {
            let embedded = Embedded::start()?;
            for (_, spec) in specs.iter().filter(|(name, _)| *name == cluster.name) {
                embedded.create_topic(spec)?;
            }
            let bootstrap = embedded.bootstrap().to_owned();
            match &*cluster.name {
                "" => tracing::info!("embedded broker on {bootstrap}"),
                name => tracing::info!("embedded broker of cluster `{name}` on {bootstrap}"),
            }
            let connection = Connection::default().bootstrap_servers(bootstrap);
            connections = connections.with(&*cluster.name, connection);
            self.embedded().push((cluster.name.to_string(), embedded));
        }
        Ok(connections)
    }
}

pub(super) fn problem(what: impl ToString) -> Problems {
    Problems(vec![Problem::Broker(what.to_string())])
}
