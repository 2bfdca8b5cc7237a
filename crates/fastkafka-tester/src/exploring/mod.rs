//! Explorations: a scenario again and again, with something else going wrong each time.

mod explored;
mod failure;
mod run;
mod search;

pub use self::explored::Explored;
use self::failure::VARIABLE;
use self::run::Runs;
use self::search::Search;
use crate::lock::lock;
use crate::schedule::choice::Deviation;
use crate::tester::Tester;
use crate::tester::builder::{IntoApps, TesterBuilder};
use fastkafka::App;
use std::collections::BTreeSet;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::sync::Mutex;

impl Tester {
    /// Runs a scenario as it is, and again with something else that goes wrong: a crash at every step, a rebalance
    /// at every step, an outage at every step, each commit lost, each output lost or not acknowledged, each call
    /// with a `handler_timeout` too late. Each run has a tester of its own, in virtual time, and ends with `check`.
    ///
    /// ```standalone_crate
    /// use fastkafka::{App, EventMetadata, State, consumes};
    /// use fastkafka_tester::Tester;
    /// use std::collections::BTreeMap;
    /// use std::sync::{Arc, Mutex};
    ///
    /// /// Stands for a table, which is there after a crash.
    /// #[derive(Clone, Default)]
    /// struct Charges(Arc<Mutex<BTreeMap<i64, u64>>>);
    ///
    /// #[consumes(topic = "payments", auto_offset_reset = "earliest")]
    /// async fn on_payments(cents: u64, record: EventMetadata, State(charges): State<Charges>) {
    ///     // Once for each record, however often it is handled.
    ///     charges.0.lock().unwrap().insert(record.offset(), cents);
    /// }
    ///
    /// # /*
    /// #[test]
    /// # */
    /// fn nothing_is_charged_twice() {
    ///     let charges = Charges::default();
    ///     let kept = charges.clone();
    ///     Tester::every_crash(
    ///         move |_| App::builder().title("Till").state(kept.clone()).build(),
    ///         async |tester| {
    ///             charges.0.lock().unwrap().clear(); // each run begins with an empty table
    ///             tester.to_payments(10).await;
    ///         },
    ///         async |_| {
    ///             assert_eq!(charges.0.lock().unwrap().values().sum::<u64>(), 10);
    ///         },
    ///     );
    /// }
    /// # nothing_is_charged_twice();
    /// ```
    ///
    /// A **step** is where a task of the app goes on: a handler after each of its awaits that has to wait, a turn of
    /// the consumer, a spawned task, a dead letter. An async producer makes one before its output. Between two lines of a
    /// handler with no such await between them nothing can happen: give a fake of a database a
    /// `tokio::task::yield_now().await` where the real one would wait.
    ///
    /// `make` makes the apps of a process. It is given a number that no other run has, and is called again with it
    /// for each process that starts after a crash. What outlives a process, such as a table, belongs to the test;
    /// `static`s are not reset between two runs.
    ///
    /// The scenario sends records and waits. When it returns everything is settled, the promises of FastKafka are
    /// checked as at the end of [`Tester::chaos`], then comes `check`, then the apps are stopped: no task of theirs
    /// may be left.
    ///
    /// [`Tester::explore`] has options. A `blocking` handler runs as one step.
    ///
    /// It does not try a crash in the middle of a turn of the consumer, during a rebalance or an outage, or while
    /// the scenario adds or removes a process; a second rebalance or outage while one is under way; anything within
    /// a start or stop hook; another order of tasks that wait for the same instant. What `tokio::spawn` has spawned
    /// goes on through a crash. The guide's chapter on testing has the whole list.
    ///
    /// # Panics
    /// With the first schedule that fails, what happened in it, and a line to see it alone:
    /// `FASTKAFKA_SCHEDULE=17:crash cargo test ..`. Set by hand, the variable is for every exploration of the
    /// process. The schedule has the fewest deviations of all that fail. When a schedule
    /// does not do the same twice, or something waits for a thread or a socket. In a tokio runtime: this is for a
    /// test under `#[test]`.
    #[track_caller]
    pub fn every_crash<A: IntoApps>(
        make: impl Fn(u64) -> A + 'static,
        scenario: impl AsyncFn(&Tester),
        check: impl AsyncFn(&Tester),
    ) -> Explored {
        Self::explore(make).run(scenario, check)
    }

    /// [`Tester::every_crash`] with options: what may go wrong, and how much of it in one run.
    ///
    /// ```standalone_crate
    /// use fastkafka::{App, consumes};
    /// use fastkafka_tester::{Deviation, Tester};
    ///
    /// #[consumes(topic = "numbers", auto_offset_reset = "earliest")]
    /// async fn on_numbers(_: u64) {}
    ///
    /// let explored = Tester::explore(|_| App::builder().title("Squares").build())
    ///     .only([Deviation::Crash, Deviation::CommitLost])
    ///     .deviations(2)
    ///     .run(
    ///         async |tester| {
    ///             tester.to_numbers(7).await;
    ///         },
    ///         async |tester| assert_eq!(tester.lag("squares", "numbers"), 0),
    ///     );
    /// println!("{explored}");
    /// ```
    pub fn explore<A: IntoApps>(make: impl Fn(u64) -> A + 'static) -> Exploration {
        let mut allowed = BTreeSet::from(Deviation::ALL);
        allowed.remove(&Deviation::Order);
        Exploration {
            make: Rc::new(move |run| make(run).into_apps()),
            allowed,
            deviations: 1,
            most_runs: usize::MAX,
            schedule: None,
            builder: Tester::builder(),
        }
    }
}

/// The options of [`Tester::explore`].
#[must_use = "nothing happens before `run`"]
pub struct Exploration {
    make: Rc<dyn Fn(u64) -> Vec<App>>,
    allowed: BTreeSet<Deviation>,
    deviations: usize,
    most_runs: usize,
    schedule: Option<String>,
    builder: TesterBuilder,
}

impl Exploration {
    /// Nothing else may happen. The default is all but [`Deviation::Order`].
    pub fn only(mut self, deviations: impl IntoIterator<Item = Deviation>) -> Self {
        self.allowed = deviations.into_iter().collect();
        self
    }

    /// Sets how many deviations a run may have; default one. All schedules with one come before those with two.
    /// A second one multiplies the runs by their number.
    pub fn deviations(mut self, most: usize) -> Self {
        self.deviations = most;
        self
    }

    /// Ends after so many runs, also if that is not all: see [`Explored::is_complete`].
    pub fn most_runs(mut self, most: usize) -> Self {
        self.most_runs = most;
        self
    }

    /// Runs this schedule alone, as the variable `FASTKAFKA_SCHEDULE` does: one that has failed, `"17:crash"`, or
    /// `"none"`. It prints what happens. This is for looking at a failure: the numbers of steps are others once the
    /// app has changed, so a test does not keep it.
    pub fn schedule(mut self, schedule: impl Into<String>) -> Self {
        self.schedule = Some(schedule.into());
        self
    }

    /// Declares a topic, as [`TesterBuilder::topic`].
    pub fn topic(mut self, name: impl Into<String>, partitions: usize) -> Self {
        self.builder = self.builder.topic(name, partitions);
        self
    }

    /// Runs the scenario under every schedule, see [`Tester::every_crash`].
    ///
    /// # Panics
    /// As [`Tester::every_crash`].
    #[track_caller]
    pub fn run(self, scenario: impl AsyncFn(&Tester), check: impl AsyncFn(&Tester)) -> Explored {
        /// Explorations may share `static`s of the app.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        assert!(
            tokio::runtime::Handle::try_current().is_err(),
            "an exploration has tokio runtimes of its own: write `#[test]` in place of `#[tokio::test]`, and `fn` in place of `async fn`"
        );
        let at = Location::caller();
        let alone = lock(&ONE_AT_A_TIME);
        let mut search = Search {
            runs: Runs {
                make: self.make,
                allowed: self.allowed,
                builder: self.builder,
                scenario: &scenario,
                check: &check,
            },
            at,
            deviations: self.deviations,
            most_runs: self.most_runs,
            explored: Explored::default(),
            made: 0,
            alone: false,
        };
        let schedule = self.schedule.or_else(|| std::env::var(VARIABLE).ok());
        let searched = match schedule {
            Some(schedule) => search.replay(&schedule),
            None => search.all(),
        };
        // Before a panic, which is no reason for others to fail.
        drop(alone);
        searched.unwrap_or_else(|why| panic!("{why}"));
        println!("{at}: {}", search.explored);
        search.explored
    }
}

impl fmt::Debug for Exploration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exploration")
            .field("allowed", &self.allowed)
            .field("deviations", &self.deviations)
            .finish_non_exhaustive()
    }
}
