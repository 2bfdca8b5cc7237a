//! Kafka as what an app runs on: a thread per consumer.

use super::access::Clusters;
use super::cluster::{start_from, wait_for_topics};
use super::consumer::{Join, KafkaConsumer};
use super::producer::KafkaProducers;
use fastkafka_core::{Plan, Problems};
use fastkafka_runtime::Options;
use fastkafka_runtime::platform::{ConsumerHandle, NewConsumer, Platform, Producers, Wake};
use std::sync::Arc;
use std::time::Instant;

/// How often a test's own groups commit, unless their handlers say: the test waits for that.
const TEST_COMMITS_MILLIS: u64 = 50;

/// The clusters of an app, opened.
#[derive(Debug)]
pub struct Kafka {
    clusters: Clusters,
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
    pub async fn open(options: &Options, plan: &Plan) -> Result<Arc<dyn Platform>, Problems> {
        let clusters = Clusters::open(options, plan).await?;
        wait_for_topics(options, &clusters, plan).await?;
        if let Some(from) = options.from {
            start_from(options, &clusters, plan, from).await?;
        }
        Ok(Arc::new(Self { clusters }))
    }
}

/// The producer of a test's own records for a cluster.
///
/// # Errors
/// Why it cannot be made.
pub async fn kafka_outputs(options: &Options, cluster: &str) -> Result<Arc<dyn Producers>, String> {
    let plan = Plan::empty(cluster);
    let clusters = Clusters::open(options, &plan).await;
    let clusters = clusters.map_err(|problems| problems.to_string())?;
    Kafka { clusters }.outputs(&plan, options.max_in_flight)
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
        if access.names().are_of_a_test() {
            let commits = &mut settings.auto_commit_interval_ms;
            commits.get_or_insert(TEST_COMMITS_MILLIS);
        }
        let embedded = self.clusters.are_embedded();
        wanted.serve_in_thread(move |wanted, thread| {
            let join = Join {
                access: &access,
                group_id: &access.names().on_cluster(wanted.group()),
                topics: wanted.topics(),
                settings: &settings,
                embedded,
                standalone: wanted.is_standalone(),
                left_out: wanted.left_out(),
                worker: wanted.worker(),
            };
            KafkaConsumer::new(&join, thread)
        })
    }
}

impl Producers for KafkaProducers {
    fn in_flight(&self) -> usize {
        self.in_flight()
    }

    fn has_room(&self) -> bool {
        self.has_room()
    }

    fn on_room(&self, wake: Wake) {
        self.on_room(wake);
    }

    fn fatal(&self) -> Option<String> {
        self.fatal().map(ToString::to_string)
    }

    fn drain(&self, deadline: Instant) -> Result<(), usize> {
        self.drain(deadline)
    }
}
