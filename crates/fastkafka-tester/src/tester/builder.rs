//! The start of a tester: its options, and the choice of its clusters.

use super::{Backend, Make, Tester};
use crate::memory::clusters::MemoryClusters;
use crate::remote::{RemoteClusters, Target};
use crate::schedule::steps::Steps;
use crate::time::clock;
use crate::topology::Topology;
use crate::watching::journal::Journal;
use crate::watching::transcript::Transcript;
use crate::watching::watcher::Watcher;
use fastkafka::App;
use fastkafka::cluster::EMBEDDED;
use fastkafka::error::{Problem, Problems, RunError};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Names a broker for all tests that choose none.
const VARIABLE: &str = "FASTKAFKA_TEST_BROKER";

/// How long records may take to become terminal, in virtual time.
const VIRTUAL: Duration = Duration::from_secs(3_600);
/// The same in real time.
const REAL: Duration = Duration::from_secs(10);
/// The same on a real broker, which joins, commits and answers in its own time.
const NETWORK: Duration = Duration::from_secs(30);

/// The apps that a [`Tester`] runs: one, or several that share their clusters.
pub trait IntoApps {
    /// The apps.
    fn into_apps(self) -> Vec<App>;
}

impl IntoApps for App {
    fn into_apps(self) -> Vec<App> {
        vec![self]
    }
}

impl<const N: usize> IntoApps for [App; N] {
    fn into_apps(self) -> Vec<App> {
        self.into()
    }
}

impl IntoApps for Vec<App> {
    fn into_apps(self) -> Vec<App> {
        self
    }
}

impl Tester {
    /// Starts an app, or several together: `Tester::start(app())`,
    /// `Tester::start([orders(), billing()])`. They are started when it returns: start hooks have run,
    /// and each group has its partitions.
    ///
    /// # Errors
    /// Every problem that a start in production would report.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn start(apps: impl IntoApps) -> Result<Self, RunError> {
        Self::builder().start(apps).await
    }

    /// Starts the apps that a function makes: `Tester::start_with(app)`. A test of crashes or of several
    /// members needs it, because each process has apps, and a state, of its own.
    ///
    /// # Errors
    /// As [`Tester::start`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn start_with<A: IntoApps>(make: impl Fn() -> A + 'static) -> Result<Self, RunError> {
        Self::builder().start_with(make).await
    }

    /// The options of a start: topics, time limits, real brokers.
    pub fn builder() -> TesterBuilder {
        TesterBuilder::default()
    }
}

/// The options with which a tester starts. See [`Tester::builder`].
#[derive(Clone, Debug, Default)]
pub struct TesterBuilder {
    patience: Option<Duration>,
    topics: BTreeMap<String, usize>,
    /// `None`: the environment decides.
    clusters: Option<Clusters>,
    /// The test is a run of an exploration.
    transcript: Option<Transcript>,
}

/// The clusters that a test chooses.
#[derive(Clone, Debug)]
enum Clusters {
    Memory,
    Remote(Target),
}

impl TesterBuilder {
    /// Sets how long records may take to become terminal before [`Tester::settle`] gives up. The default
    /// is an hour of virtual time, ten seconds of real time, thirty seconds on a real broker.
    ///
    /// It also limits how long virtual time stands still while a `blocking` handler is at work, by the
    /// machine's clock, ten seconds by default. Then virtual time goes on without the handler.
    #[must_use]
    pub fn settle_within(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Declares a topic beside those of the apps, or gives a topic of theirs more partitions: on every
    /// cluster where the apps have it, else on the first app's own.
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

    /// Runs on clusters in memory, also when the environment names a broker: for tests that need virtual
    /// time or faults. This is the default without such an environment.
    #[must_use]
    pub fn in_memory_broker(mut self) -> Self {
        self.clusters = Some(Clusters::Memory);
        self
    }

    /// Runs on a real broker and in real time. `broker` is the name of a broker in the first app, or an
    /// address `host:port`. The test has topics and groups of its own, which are deleted when it ends.
    ///
    /// If a test chooses nothing, the environment variable `FASTKAFKA_TEST_BROKER` decides, so that the
    /// same tests run both ways: `FASTKAFKA_TEST_BROKER=localhost:9092 cargo test`, or `embedded` for
    /// the broker of [`TesterBuilder::embedded`]. Virtual time and faults need the clusters in memory, and
    /// panic with that advice elsewhere.
    ///
    /// A name is chosen in every cluster of the apps. An address stands for all of them: each cluster has
    /// topics and groups of its own there.
    #[must_use]
    pub fn external_broker(mut self, broker: impl Into<String>) -> Self {
        self.clusters = Some(Clusters::Remote(Target::Broker(broker.into())));
        self
    }

    /// Runs on embedded brokers, as `--kafka-broker embedded` starts them, one for each cluster: in real
    /// time, over the network, with librdkafka.
    #[must_use]
    pub fn embedded(mut self) -> Self {
        self.clusters = Some(Clusters::Remote(Target::Embedded));
        self
    }

    /// The test is a run of an exploration, which writes this transcript.
    pub(crate) fn explored(mut self, transcript: Transcript) -> Self {
        self.transcript = Some(transcript);
        self.in_memory_broker()
    }

    async fn run(self, apps: Vec<App>, make: Option<Make>) -> Result<Tester, RunError> {
        let topology = Arc::new(Topology::new(&apps, self.topics));
        let transcript = self.transcript;
        let transcript = transcript.unwrap_or_else(|| Transcript::new(Steps::default()));
        let journal = Journal::new(transcript.clone());
        let watcher = Watcher::new(self.patience.unwrap_or(REAL), transcript);
        let (backend, patience) = match self.clusters.unwrap_or_else(from_environment) {
            Clusters::Memory => {
                let clusters = MemoryClusters::new(&topology, &journal);
                let patience = if clock::is_virtual() { VIRTUAL } else { REAL };
                (Backend::Memory(clusters), patience)
            }
            Clusters::Remote(target) => {
                // A clock that stands still while the network is at work runs away.
                if clock::is_virtual() {
                    tokio::time::resume();
                }
                let remote = RemoteClusters::start(target, &apps, &topology, &journal, &watcher);
                let remote = remote.await.map_err(problem)?;
                (Backend::Remote(Box::new(remote)), NETWORK)
            }
        };
        let tester = Tester {
            backend,
            topology,
            journal,
            processes: RefCell::default(),
            make,
            patience: self.patience.unwrap_or(patience),
            watcher,
        };
        tester.launch(apps).await?;
        Ok(tester)
    }
}

fn from_environment() -> Clusters {
    match std::env::var(VARIABLE).as_deref() {
        Err(_) | Ok("") => Clusters::Memory,
        Ok(EMBEDDED) => Clusters::Remote(Target::Embedded),
        Ok(broker) => Clusters::Remote(Target::Broker(broker.to_owned())),
    }
}

fn problem(what: String) -> RunError {
    RunError::Start(Problems(vec![Problem::Broker(what)]))
}
