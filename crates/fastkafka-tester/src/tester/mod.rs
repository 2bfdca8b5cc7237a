//! The tester: apps under test, and the clusters that they run on.

pub(crate) mod builder;
mod end;
mod processes;
mod settle;
mod standstill;

use crate::apps;
use crate::function::Function;
use crate::memory::clusters::MemoryClusters;
use crate::memory::platform::MemoryPlatform;
use crate::record::NewRecord;
use crate::remote::RemoteClusters;
use crate::schedule::steps::Steps;
use crate::subscription::Subscription;
use crate::time::clock;
use crate::topology::{ClusterName, Topology};
use crate::watching::interceptor::ProcessWatcher;
use crate::watching::journal::Journal;
use crate::watching::transcript::Event;
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

/// The most tasks that wake one another at one instant of virtual time.
const TASKS: usize = 128;

/// Apps under test, and the clusters they run on.
pub struct Tester {
    backend: Backend,
    topology: Arc<Topology>,
    journal: Journal,
    /// The apps of each running process, the oldest first.
    processes: RefCell<Vec<Process>>,
    /// Makes the apps of another process.
    make: Option<Make>,
    /// How long records may take to become terminal.
    patience: Duration,
    watcher: Watcher,
}

/// Makes the apps anew, as a process does when it starts.
pub(crate) type Make = Box<dyn Fn() -> Vec<App>>;

/// The clusters that a tester runs on.
pub(crate) enum Backend {
    Memory(Arc<MemoryClusters>),
    Remote(Box<RemoteClusters>),
}

/// The apps that would be a process of their own in production.
struct Process {
    number: u32,
    apps: Vec<App>,
    /// Lets producers that the test calls find their app.
    _entered: Vec<Entered>,
}

impl Tester {
    /// Starts the apps of a process. One that crashes meanwhile has another in its place by then.
    async fn launch(&self, apps: Vec<App>) -> Result<(), RunError> {
        let entered = apps.iter().map(App::enter).collect();
        let started = apps.clone();
        let watcher = ProcessWatcher::new(&self.watcher);
        let number = watcher.process();
        self.processes.borrow_mut().push(Process {
            number,
            apps,
            _entered: entered,
        });
        self.note(Event::Starts { process: number });
        for app in started {
            // An app that was watched before was started before, which is refused next.
            let _ = app.parts().context.intercept(watcher.clone());
            match &self.backend {
                Backend::Memory(clusters) => {
                    let platform = MemoryPlatform {
                        clusters: clusters.clone(),
                        process: number,
                    };
                    let started = app.parts().start_on(Arc::new(platform)).await;
                    if self.steps().has_crashed(number) {
                        return Ok(());
                    }
                    started?;
                }
                Backend::Remote(clusters) => clusters.launch(&app).await?,
            }
        }
        Ok(())
    }

    /// Adds to the transcript.
    pub(crate) fn note(&self, event: Event) {
        self.watcher.transcript().note(event);
    }

    /// The steps of an exploration.
    pub(crate) fn steps(&self) -> &Steps {
        self.watcher.transcript().steps()
    }

    pub(crate) fn watcher(&self) -> &Watcher {
        &self.watcher
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    pub(crate) fn topology(&self) -> &Topology {
        &self.topology
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.backend
    }

    /// The clusters in memory, which alone take faults.
    ///
    /// # Panics
    /// On real brokers.
    #[track_caller]
    pub(crate) fn memory(&self) -> &Arc<MemoryClusters> {
        match &self.backend {
            Backend::Memory(clusters) => clusters,
            Backend::Remote(clusters) => panic!(
                "this needs the cluster in memory, and the test runs on the broker at {}: start it with `Tester::builder().in_memory_broker()`",
                clusters.broker()
            ),
        }
    }

    /// The apps of all running processes.
    pub(crate) fn apps(&self) -> Vec<App> {
        let processes = self.processes.borrow();
        let apps = processes.iter().flat_map(|process| &process.apps);
        apps.cloned().collect()
    }

    /// The number of running processes.
    pub(crate) fn processes(&self) -> usize {
        self.processes.borrow().len()
    }

    /// More processes of the same apps can be started.
    pub(crate) fn can_start_processes(&self) -> bool {
        self.make.is_some()
    }

    /// The cluster of a function.
    ///
    /// # Panics
    /// If the function belongs to no app of this tester.
    #[track_caller]
    pub(crate) fn cluster_of(&self, function: Function) -> ClusterName {
        apps::must_have(&self.apps(), function);
        self.topology.cluster_of(function)
    }

    /// The subscription of a handler.
    pub(crate) fn subscription(&self, function: Function) -> Option<Subscription> {
        apps::subscription(&self.apps(), function)
    }

    /// Appends a record from outside the app.
    pub(crate) async fn deliver(&self, record: NewRecord) -> Result<Delivery, String> {
        match &self.backend {
            Backend::Memory(clusters) => {
                let cluster = clusters.named(record.cluster);
                cluster.append(record).map_err(|error| error.to_string())
            }
            Backend::Remote(clusters) => clusters.deliver(record).await,
        }
    }

    /// Lets virtual time pass: everything that is due meanwhile happens at its time. It does not
    /// wait for records to settle.
    ///
    /// # Panics
    /// In real time: the test needs the cluster in memory and `#[tokio::test(start_paused = true)]`. And
    /// when the apps never come to rest, as with a handler that writes to its own topic: names it.
    #[track_caller]
    pub fn advance(&self, time: Duration) -> impl Future<Output = ()> {
        self.memory();
        assert!(
            clock::is_virtual(),
            "`advance` moves virtual time, and this test runs in real time: write `#[tokio::test(start_paused = true)]`"
        );
        let at = std::panic::Location::caller();
        async move {
            self.sleep(time)
                .await
                .unwrap_or_else(|endless| panic!("{at}: {endless}"));
            // Tasks that became due at this instant run before the test goes on.
            for _ in 0..TASKS {
                tokio::task::yield_now().await;
            }
        }
    }

    /// What has happened since the start, a line each: which processes started, stopped and crashed, which
    /// partitions they got and gave back, the records that arrived, the calls and how they ended, dead letters,
    /// commits. Each line begins with the time since the start of the tester, in seconds. In virtual time the
    /// text is the same each time where the app leaves nothing to chance, so that it can be a snapshot.
    ///
    /// ```standalone_crate
    /// # use fastkafka::{App, consumes};
    /// # use fastkafka_tester::Tester;
    /// # #[consumes(topic = "orders", auto_offset_reset = "earliest")]
    /// # async fn on_orders(order: u64) {}
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// # let app = || App::builder().title("Shop").build();
    /// let tester = Tester::start(app()).await.unwrap();
    /// tester.to_orders(7).await;
    /// // insta::assert_snapshot!(tester.transcript());
    /// assert!(tester.transcript().ends_with(
    ///     "    0.000s record => orders[0] offset 0: 7\n\
    ///     \x20   0.000s process 0: `on_orders` <= orders[0] offset 0: 7\n\
    ///     \x20   0.000s process 0: `on_orders`: orders[0] offset 0: 7 => done\n\
    ///     \x20   0.000s process 0 in `shop`: commits 1 in orders[0]\n"
    /// ));
    /// # }
    /// ```
    pub fn transcript(&self) -> String {
        let lines = self.watcher.transcript().lines();
        lines.into_iter().map(|line| line + "\n").collect()
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
}

impl fmt::Debug for Tester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tester")
            .field("processes", &self.processes())
            .finish_non_exhaustive()
    }
}
