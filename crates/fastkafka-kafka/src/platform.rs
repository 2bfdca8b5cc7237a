//! Kafka as what an app runs on: a thread per consumer.

use super::anew::start_from;
use super::clusters::Clusters;
use super::consumer::client::join::{Join, join};
use super::known_ends::KnownEnds;
use super::options::KafkaOptions;
use super::prepare::wait_for_topics;
use super::producer::KafkaProducers;
use fastkafka_core::{Plan, Problems};
use fastkafka_runtime::platform::{ConsumerHandle, NewConsumer, PartitionRef, Platform, Producers};
use std::sync::Arc;
use std::time::Instant;

/// The clusters of an app, opened.
#[derive(Debug)]
pub struct Kafka {
    clusters: Clusters,
    /// Of groups whose functions do not say.
    commit_millis: Option<u64>,
    known_ends: KnownEnds,
}

impl Kafka {
    /// Fetches the tokens that are needed, waits for the topics, and lets the groups begin anew where
    /// `options` say so.
    ///
    /// # Errors
    /// Every problem found, at once: topics that are missing, a broker that is not reached, what
    /// the broker refuses.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn open(options: &KafkaOptions, plan: &Plan) -> Result<Arc<dyn Platform>, Problems> {
        let deadline = Instant::now() + options.start_timeout;
        let clusters = Clusters::open(options, plan).await?;
        wait_for_topics(options, &clusters, plan, deadline).await?;
        if let Some(from) = options.from {
            start_from(deadline, &clusters, plan, from).await?;
        }
        let interval = options.commit_interval;
        Ok(Arc::new(Self {
            clusters,
            commit_millis: interval.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            known_ends: KnownEnds::default(),
        }))
    }
}

/// The producer of records that no function of an app sends. `most` bounds the records handed over and
/// not reported.
///
/// # Errors
/// Why it cannot be made.
pub async fn producer_on(
    options: &KafkaOptions,
    cluster: &str,
    most: usize,
) -> Result<Arc<dyn Producers>, String> {
    let plan = Plan::empty(cluster);
    let clusters = Clusters::open(options, &plan).await;
    let clusters = clusters.map_err(|problems| problems.to_string())?;
    let sink = KafkaProducers::new(&clusters, &plan, most);
    Ok(Arc::new(sink.map_err(|error| error.to_string())?))
}

impl Platform for Kafka {
    fn outputs(&self, plan: &Plan, most: usize) -> Result<Arc<dyn Producers>, String> {
        KafkaProducers::new(&self.clusters, plan, most)
            .map(|sink| Arc::new(sink) as _)
            .map_err(|error| error.to_string())
    }

    fn serve(&self, wanted: NewConsumer) -> Result<ConsumerHandle, String> {
        let mut settings = wanted.settings().clone();
        let access = self
            .clusters
            .access(wanted.cluster(), &settings.connection());
        let access = access.clone();
        self.known_ends
            .add(wanted.cluster(), wanted.group(), &access);
        if let Some(millis) = self.commit_millis {
            settings.auto_commit_interval_ms.get_or_insert(millis);
        }
        let embedded = self.clusters.are_embedded();
        wanted.serve_in_thread(move |wanted, thread| {
            let how = Join {
                access: &access,
                group_id: &access.names().on_cluster(wanted.group()),
                topics: wanted.topics(),
                settings: &settings,
                embedded,
                standalone: wanted.is_standalone(),
                left_out: wanted.left_out(),
                worker: wanted.worker(),
            };
            join(&how, thread)
        })
    }

    fn ends(
        &self,
        cluster: &str,
        group: &str,
        places: &[PartitionRef],
    ) -> Vec<(PartitionRef, i64)> {
        self.known_ends.ask(cluster, group, places)
    }

    fn close(&self) {
        self.known_ends.close();
        self.clusters.close();
    }
}
