//! A test's view of apps that run on clusters in memory.

pub(crate) mod builder;
mod processes;
pub(crate) mod settle;
mod verdict;

#[cfg(test)]
use crate::memory::cluster::Broker;
use crate::memory::clusters::Clusters;
use crate::memory::platform::Memory;
use crate::record::NewRecord;
use crate::remote::Remote;
use crate::tester::builder::TesterBuilder;
use crate::tester::settle::{Progress, Unsettled, stuck};
use crate::time::clock;
use crate::topology::Topology;
use crate::watching::journal::Journal;
use crate::watching::watcher::Watcher;
use fastkafka::App;
use fastkafka::app::Entered;
use fastkafka::asyncapi::Document;
use fastkafka::error::RunError;
use fastkafka::record::Delivery;
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long a real broker is left alone between two questions.
const AGAIN: Duration = Duration::from_millis(20);
/// Tasks that may wake one another at one instant of virtual time.
const TASKS: usize = 128;

/// What a [`Tester`] runs: one app, or several that share their clusters.
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

/// Makes the apps anew: what a process does when it starts.
pub(crate) type Make = Box<dyn Fn() -> Vec<App>>;

/// Apps under test, and the clusters they run on.
pub struct Tester {
    pub(crate) backend: Backend,
    pub(crate) topology: Arc<Topology>,
    journal: Journal,
    /// The apps of each process that runs.
    pub(crate) processes: RefCell<Vec<Process>>,
    pub(crate) make: Option<Make>,
    patience: Duration,
    watcher: Watcher,
}

/// What a tester runs on.
pub(crate) enum Backend {
    Memory(Arc<Clusters>),
    Kafka(Box<Remote>),
}

/// What would be a process of its own in production.
pub(crate) struct Process {
    pub(crate) apps: Vec<App>,
    /// So that producers called by the test find their app.
    _entered: Vec<Entered>,
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

    /// The same from a function that makes the apps, `Tester::start_with(app)`: what is needed to test
    /// crashes and several members, each of which is a process with state of its own.
    ///
    /// # Errors
    /// As [`Tester::start`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn start_with<A: IntoApps>(make: impl Fn() -> A + 'static) -> Result<Self, RunError> {
        Self::builder().start_with(make).await
    }

    pub(crate) fn new(
        backend: Backend,
        topology: Arc<Topology>,
        journal: Journal,
        watcher: Watcher,
        make: Option<Make>,
        patience: Duration,
    ) -> Self {
        Self {
            backend,
            topology,
            journal,
            processes: RefCell::default(),
            make,
            patience,
            watcher,
        }
    }

    /// Chooses how it starts.
    pub fn builder() -> TesterBuilder {
        TesterBuilder::default()
    }

    /// Starts the apps of a process.
    pub(crate) async fn launch(&self, apps: Vec<App>) -> Result<(), RunError> {
        let entered = apps.iter().map(App::enter).collect();
        let started: Vec<_> = apps.clone();
        self.processes.borrow_mut().push(Process {
            apps,
            _entered: entered,
        });
        for app in started {
            // An app that was watched before was started before, which is refused next.
            let _ = app.context().intercept(Arc::new(self.watcher.clone()));
            match &self.backend {
                Backend::Memory(clusters) => {
                    app.start_on(Arc::new(Memory(clusters.clone()))).await?;
                }
                Backend::Kafka(remote) => remote.launch(&app).await?,
            }
        }
        Ok(())
    }

    pub(crate) fn watcher(&self) -> &Watcher {
        &self.watcher
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The clusters in memory, which alone can be told what to do.
    ///
    /// # Panics
    /// On others.
    #[track_caller]
    pub(crate) fn memory(&self) -> &Arc<Clusters> {
        match &self.backend {
            Backend::Memory(clusters) => clusters,
            Backend::Kafka(remote) => panic!(
                "this needs the cluster in memory, and the test runs on the broker at {}: start it with `Tester::builder().in_memory_broker()`",
                remote.broker()
            ),
        }
    }

    /// The first cluster in memory.
    #[cfg(test)]
    #[track_caller]
    pub(crate) fn broker(&self) -> &Arc<Broker> {
        self.memory().named(self.topology.first())
    }

    /// Every app of every process that runs.
    pub(crate) fn apps(&self) -> Vec<App> {
        let processes = self.processes.borrow();
        let apps = processes.iter().flat_map(|process| &process.apps);
        apps.cloned().collect()
    }

    /// Appends a record from outside the app.
    pub(crate) async fn deliver(&self, record: NewRecord) -> Result<Delivery, String> {
        match &self.backend {
            Backend::Memory(clusters) => {
                let broker = clusters.named(record.cluster);
                broker.append(record).map_err(|error| error.to_string())
            }
            Backend::Kafka(remote) => remote.deliver(record).await,
        }
    }

    /// Waits until every record of every topic that is read is terminal: handled with all its outputs
    /// acknowledged and its offset committed, skipped, or dead-lettered. Retries are waited for, in
    /// virtual time.
    ///
    /// # Errors
    /// Names the records: a partition that stands still, a record that is retried without end, an
    /// `Ack` that nobody settles, an app that has to end.
    pub async fn settle(&self) -> Result<(), Unsettled> {
        match &self.backend {
            Backend::Memory(clusters) => {
                self.wait(|tester| clusters.progress(&tester.apps())).await
            }
            Backend::Kafka(remote) => self.settle_on(remote).await,
        }
    }

    /// Asks a real broker again and again.
    async fn settle_on(&self, remote: &Remote) -> Result<(), Unsettled> {
        let begun = tokio::time::Instant::now();
        loop {
            self.judge()?;
            let apps = self.apps();
            let stuck = stuck(&apps);
            if !stuck.is_empty() {
                return Err(Unsettled::new(stuck));
            }
            let mut open = remote.look(&apps).await.unwrap_or_else(|error| vec![error]);
            if open.is_empty() {
                // What came while the broker was asked.
                return self.judge();
            }
            if begun.elapsed() >= self.patience {
                open.push(format!("waited for {:?}", self.patience));
                return Err(Unsettled::new(open));
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// What handlers and mocks have to say by now.
    fn judge(&self) -> Result<(), Unsettled> {
        if let Some(failure) = self.watcher.take_failure() {
            return Err(Unsettled::new(vec![failure]));
        }
        match self.watcher.waiting_for_mocks() {
            waiting if waiting.is_empty() => Ok(()),
            waiting => Err(Unsettled::new(waiting)),
        }
    }

    /// Waits until `done`; it is asked whenever something has happened.
    ///
    /// # Errors
    /// As [`Tester::settle`].
    pub(crate) async fn until(&self, mut done: impl FnMut(&Self) -> bool) -> Result<(), Unsettled> {
        let progress = |tester: &Self| match done(tester) {
            true => Progress::Settled,
            false => Progress::Open,
        };
        self.wait(progress).await
    }

    async fn wait(&self, mut progress: impl FnMut(&Self) -> Progress) -> Result<(), Unsettled> {
        let patience = tokio::time::sleep(self.patience);
        tokio::pin!(patience);
        loop {
            let (changed, called) = (self.memory().changed(), self.watcher.changed());
            tokio::pin!(changed, called);
            changed.as_mut().enable();
            called.as_mut().enable();
            if let Some(failure) = self.watcher.take_failure() {
                return Err(Unsettled::new(vec![failure]));
            }
            match progress(self) {
                Progress::Settled => return Ok(()),
                Progress::Stuck(problems) => return Err(Unsettled::new(problems)),
                Progress::Open => {}
            }
            let waiting = self.watcher.waiting_for_mocks();
            if !waiting.is_empty() {
                return Err(Unsettled::new(waiting));
            }
            tokio::select! {
                biased;
                () = changed => {}
                () = called => {}
                () = &mut patience => {
                    let mut problems = self.memory().open_records(&self.apps(), &self.watcher);
                    problems.push(format!("waited for {:?}", self.patience));
                    return Err(Unsettled::new(problems));
                }
            }
        }
    }

    /// Lets virtual time pass: whatever is due meanwhile happens at its time. It does not wait for
    /// records to settle.
    ///
    /// # Panics
    /// In real time: the test needs the cluster in memory and `#[tokio::test(start_paused = true)]`.
    #[track_caller]
    pub fn advance(&self, time: Duration) -> impl Future<Output = ()> {
        self.memory();
        assert!(
            clock::is_virtual(),
            "`advance` moves virtual time, and this test runs in real time: write `#[tokio::test(start_paused = true)]`"
        );
        async move {
            tokio::time::sleep(time).await;
            // What became due at this instant runs before the test goes on.
            for _ in 0..TASKS {
                tokio::task::yield_now().await;
            }
        }
    }

    /// The AsyncAPI document of the app, as [`App::asyncapi`] has it: for a snapshot of the contract
    /// beside those of its records.
    ///
    /// ```standalone_crate
    /// # use fastkafka::{App, consumes};
    /// # use fastkafka_tester::Tester;
    /// # #[consumes(topic = "orders")]
    /// # async fn on_orders(order: u64) {}
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// # let app = || App::builder().title("Shop").build();
    /// let tester = Tester::start(app()).await.unwrap();
    /// // insta::assert_snapshot!(tester.asyncapi().to_yaml());
    /// assert_eq!(tester.asyncapi().info.title, "Shop");
    /// # }
    /// ```
    ///
    /// # Panics
    /// When the tester runs several apps, each of which has a document of its own.
    #[track_caller]
    pub fn asyncapi(&self) -> Document {
        let processes = self.processes.borrow();
        let first = processes.first();
        match first.map_or(&[][..], |process| &process.apps) {
            [app] => app.asyncapi(),
            apps => panic!(
                "this tester runs {} apps, each with a document of its own: keep the `App` and ask it, `app.asyncapi()`",
                apps.len()
            ),
        }
    }

    /// Stops the apps as a shutdown would: records in hand are finished, stop hooks run.
    ///
    /// # Panics
    /// With everything that did not end well.
    #[track_caller]
    pub fn stop(self) -> impl Future<Output = ()> {
        let at = std::panic::Location::caller();
        async move {
            let mut problems = Vec::new();
            for app in self.apps() {
                problems.extend(app.stop().await.err().map(|error| error.to_string()));
            }
            if let Backend::Memory(clusters) = &self.backend {
                for broker in clusters.all() {
                    problems.append(&mut broker.state().complaints);
                }
            }
            for problem in self.verdict() {
                // A background task that failed is the reason of its app, too.
                if !problems.iter().any(|known| known.contains(&problem)) {
                    problems.push(problem);
                }
            }
            assert!(problems.is_empty(), "{at}: {}", problems.join("\n"));
        }
    }
}

impl fmt::Debug for Tester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tester")
            .field("processes", &self.processes.borrow().len())
            .finish_non_exhaustive()
    }
}
