//! A test's view of apps that run on a cluster in memory.

use crate::broker::{Broker, NewRecord};
use crate::clock;
use crate::journal::Journal;
use crate::medium::Memory;
use crate::settle::{Progress, REAL, Unsettled, VIRTUAL};
use crate::watcher::Watcher;
use fastkafka::{App, Delivery, Entered, RunError};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Tasks that may wake one another at one instant of virtual time.
const TASKS: usize = 128;

/// What a [`Tester`] runs: one app, or several that share the cluster.
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
type Make = Box<dyn Fn() -> Vec<App>>;

/// Apps under test, and the cluster they run on.
pub struct Tester {
    pub(crate) broker: Arc<Broker>,
    /// The apps of each process that runs.
    pub(crate) processes: RefCell<Vec<Process>>,
    pub(crate) make: Option<Make>,
    patience: Duration,
    watcher: Watcher,
}

/// What would be a process of its own in production.
pub(crate) struct Process {
    pub(crate) apps: Vec<App>,
    /// So that producers called by the test find their app.
    _entered: Vec<Entered>,
}

/// How a tester starts. See [`Tester::builder`].
#[derive(Clone, Debug, Default)]
pub struct TesterBuilder {
    patience: Option<Duration>,
    topics: BTreeMap<String, usize>,
}

impl TesterBuilder {
    /// How long records may take to become terminal before [`Tester::settle`] gives up; default an
    /// hour of virtual time, ten seconds of real time.
    #[must_use]
    pub fn settle_within(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// A topic with so many partitions beside those of the apps, or more partitions than they declare.
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

    async fn run(self, apps: Vec<App>, make: Option<Make>) -> Result<Tester, RunError> {
        let patience = match clock::is_virtual() {
            true => VIRTUAL,
            false => REAL,
        };
        let tester = Tester {
            broker: Broker::new(),
            processes: RefCell::default(),
            make,
            patience: self.patience.unwrap_or(patience),
            watcher: Watcher::default(),
        };
        tester.create_topics(&apps, self.topics);
        tester.launch(apps).await?;
        Ok(tester)
    }
}

impl Tester {
    /// Starts an app, or several on one cluster: `Tester::start(app())`,
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

    /// Chooses how it starts.
    pub fn builder() -> TesterBuilder {
        TesterBuilder::default()
    }

    fn create_topics(&self, apps: &[App], own: BTreeMap<String, usize>) {
        let declared = apps.iter().flat_map(App::topics);
        let declared = declared.map(|spec| {
            let partitions = spec.partitions.unwrap_or(1);
            (spec.name, usize::try_from(partitions).unwrap_or(1))
        });
        let mut state = self.broker.state();
        for (name, partitions) in declared.chain(own) {
            state.cluster.create_topic(&name, partitions);
        }
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
            let _ = app.core().watch_by(Arc::new(self.watcher.clone()));
            app.start_on(Arc::new(Memory(self.broker.clone()))).await?;
        }
        Ok(())
    }

    pub(crate) fn watcher(&self) -> &Watcher {
        &self.watcher
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.broker.journal
    }

    /// Every app of every process that runs.
    pub(crate) fn apps(&self) -> Vec<App> {
        let processes = self.processes.borrow();
        let apps = processes.iter().flat_map(|process| &process.apps);
        apps.cloned().collect()
    }

    /// Appends a record from outside the app.
    pub(crate) async fn deliver(&self, record: NewRecord) -> Result<Delivery, String> {
        self.broker
            .append(record)
            .map_err(|error| error.to_string())
    }

    /// Waits until every record of every topic that is read is terminal: handled with all its outputs
    /// acknowledged and its offset committed, skipped, or dead-lettered. Retries are waited for, in
    /// virtual time.
    ///
    /// # Errors
    /// Names the records: a partition that stands still, a record that is retried without end, an
    /// `Ack` that nobody settles, an app that has to end.
    pub async fn settle(&self) -> Result<(), Unsettled> {
        self.wait(|tester| tester.broker.progress(&tester.apps()))
            .await
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
            let (changed, called) = (self.broker.changed(), self.watcher.changed());
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
                    let mut problems = self.broker.open_records(&self.apps());
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
    /// In real time: the test needs `#[tokio::test(start_paused = true)]`.
    #[track_caller]
    pub fn advance(&self, time: Duration) -> impl Future<Output = ()> {
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
            problems.append(&mut self.broker.state().complaints);
            problems.extend(self.verdict());
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
