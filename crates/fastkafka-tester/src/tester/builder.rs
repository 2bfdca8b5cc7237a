//! How a tester starts.

use crate::memory::clusters::Clusters;
use crate::remote::{Remote, Target};
use crate::tester::settle::{NETWORK, REAL, VIRTUAL};
use crate::tester::{Backend, IntoApps, Make, Tester};
use crate::time::clock;
use crate::topology::Topology;
use crate::watching::journal::Journal;
use crate::watching::watcher::Watcher;
use fastkafka::App;
use fastkafka::cluster::EMBEDDED;
use fastkafka::error::{Problem, Problems, RunError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Names a broker for all tests that choose none.
const VARIABLE: &str = "FASTKAFKA_TEST_BROKER";

/// How a tester starts. See [`Tester::builder`].
#[derive(Clone, Debug, Default)]
pub struct TesterBuilder {
    patience: Option<Duration>,
    topics: BTreeMap<String, usize>,
    /// `Some(None)`: in memory, whatever the environment says.
    target: Option<Option<Target>>,
}

impl TesterBuilder {
    /// How long records may take to become terminal before [`Tester::settle`] gives up; default an
    /// hour of virtual time, ten seconds of real time, thirty on a real broker.
    ///
    /// Virtual time stands still while a `blocking` handler is at work: so long by the machine's clock,
    /// ten seconds by default, and then it goes on without it.
    #[must_use]
    pub fn settle_within(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// A topic with so many partitions beside those of the apps, or more partitions than they declare:
    /// on every cluster where they have it, or on the first app's own.
    #[must_use]
    pub fn topic(mut self, name: impl Into<String>, partitions: usize) -> Self {
        self.topics.insert(name.into(), partitions);
        self
    }

    /// Starts the apps, as [`Tester::start`].
    ///
    /// # Errors
    /// As [`Tester::start`].
    pub async fn start(self, apps: impl IntoApps) -> Result<Tester, RunError> {
        self.run(apps.into_apps(), None).await
    }

    /// Starts the apps that `make` makes, as [`Tester::start_with`].
    ///
    /// # Errors
    /// As [`Tester::start`].
    pub async fn start_with<A: IntoApps>(
        self,
        make: impl Fn() -> A + 'static,
    ) -> Result<Tester, RunError> {
        let make: Make = Box::new(move || make().into_apps());
        let apps = make();
        self.run(apps, Some(make)).await
    }

    /// Runs on the cluster in memory, which is the default, also when the environment names a broker:
    /// for tests that need virtual time or faults.
    #[must_use]
    pub fn in_memory_broker(mut self) -> Self {
        self.target = Some(None);
        self
    }

    /// Runs on a real broker, in real time, with topics and groups of the test's own that are deleted
    /// when it ends: `broker` is a broker's name in the first app, or an address `host:port`.
    ///
    /// Without a choice the variable `FASTKAFKA_TEST_BROKER` decides, so that the same tests run both
    /// ways: `FASTKAFKA_TEST_BROKER=localhost:9092 cargo test`, or `embedded` for the one that
    /// [`TesterBuilder::embedded`] starts. Virtual time and faults need the cluster
    /// in memory, and say so.
    ///
    /// A name is chosen in every cluster of the apps. An address stands for all of them: each has topics
    /// and groups of its own there.
    #[must_use]
    pub fn external_broker(mut self, broker: impl Into<String>) -> Self {
        self.target = Some(Some(Target::Broker(broker.into())));
        self
    }

    /// Runs on the broker that `--kafka-broker embedded` starts, one for each cluster: in real time, over
    /// the network, by librdkafka.
    #[must_use]
    pub fn embedded(mut self) -> Self {
        self.target = Some(Some(Target::Embedded));
        self
    }

    async fn run(self, apps: Vec<App>, make: Option<Make>) -> Result<Tester, RunError> {
        let topology = Arc::new(Topology::new(&apps, self.topics));
        let named = || {
            let named = std::env::var(VARIABLE).ok();
            named.and_then(|name| match &*name {
                "" => None,
                EMBEDDED => Some(Target::Embedded),
                _ => Some(Target::Broker(name)),
            })
        };
        let target = self.target.unwrap_or_else(named);
        let watcher = Watcher::new(self.patience.unwrap_or(REAL));
        let (backend, journal, patience) = match target {
            None => {
                let clusters = Clusters::new(&topology);
                let patience = match clock::is_virtual() {
                    true => VIRTUAL,
                    false => REAL,
                };
                let journal = clusters.journal().clone();
                (Backend::Memory(clusters), journal, patience)
            }
            Some(target) => {
                // A clock that stands still while the network is at work runs away.
                if clock::is_virtual() {
                    tokio::time::resume();
                }
                let journal = Journal::default();
                let remote = Remote::start(target, &apps, &topology, &journal, &watcher);
                let remote = remote.await.map_err(problem)?;
                (Backend::Kafka(Box::new(remote)), journal, NETWORK)
            }
        };
        let patience = self.patience.unwrap_or(patience);
        let tester = Tester::new(backend, topology, journal, watcher, make, patience);
        tester.launch(apps).await?;
        Ok(tester)
    }
}

fn problem(what: String) -> RunError {
    RunError::Start(Problems(vec![Problem::Broker(what)]))
}
