//! Random faults, in an order that a seed decides.

mod fault;
mod invariants;
mod order;

use self::fault::Fault;
pub(crate) use self::invariants::Invariants;
use crate::apps;
use crate::cluster::Cluster;
use crate::lines::on;
use crate::memory::faults::ProduceFault;
use crate::tester::Tester;
use crate::time::clock;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::panic::Location;
use std::pin::Pin;
use std::time::Duration;

/// The longest random time of a call, so that faults meet records in hand.
const CALL: Duration = Duration::from_millis(20);
/// The longest time between two faults.
const STEP: Duration = Duration::from_millis(200);
/// The longest time for which a broker is down.
const DOWN: Duration = Duration::from_secs(5);
/// The longest time until a producer hears of a loss, so that records behind it have begun.
const LOSS: Duration = Duration::from_millis(100);
/// The most processes.
const PROCESSES: usize = 3;

/// Faults that come at random; `.await` runs them. See [`Tester::chaos`].
#[must_use = "nothing happens before it is awaited"]
#[derive(Debug)]
pub struct Chaos<'t> {
    tester: &'t Tester,
    seed: u64,
    steps: u32,
    at: &'static Location<'static>,
}

impl Tester {
    /// Lets fifty faults happen, in an order and at times that `seed` decides: rebalances, outputs
    /// and commits that are lost, a broker that is down, handlers that take their time; with
    /// [`Tester::start_with`] also processes that join, leave and crash. If there are several clusters the
    /// seed also decides which one a fault meets. Then all faults end, and the rest is handled.
    ///
    /// After each step it checks the promises of FastKafka: below a committed offset every record was
    /// handled or disposed of, commits never go back, and records begin in order. The test itself checks
    /// afterwards what the *app* promises: a handler that must not run twice for a record, or that keeps
    /// state in its process, shows here.
    ///
    /// Send records first, with `.unsettled()`, so that the faults meet them.
    ///
    /// ```
    /// # use fastkafka_tester::Tester;
    /// # async fn example(tester: &Tester) {
    /// for seed in 0..10 {
    ///     // .. tester.to_orders(order).unsettled().await ..
    ///     tester.chaos(seed).await;
    /// }
    /// # }
    /// ```
    ///
    /// # Panics
    /// When a promise is broken or records do not settle: with the seed and the steps. The same seed
    /// does the same again where nothing else is left to chance, such as threads. It needs the cluster in
    /// memory and virtual time, `#[tokio::test(start_paused = true)]`.
    #[track_caller]
    pub fn chaos(&self, seed: u64) -> Chaos<'_> {
        self.memory();
        assert!(
            clock::is_virtual(),
            "`chaos` needs virtual time: write `#[tokio::test(start_paused = true)]`"
        );
        Chaos {
            tester: self,
            seed,
            steps: 50,
            at: Location::caller(),
        }
    }
}

impl Chaos<'_> {
    /// Sets the number of steps; default fifty.
    pub fn steps(mut self, steps: u32) -> Self {
        self.steps = steps;
        self
    }

    async fn run(self) {
        let mut log = Vec::new();
        let outcome = self.all(&mut log).await;
        // Also after a failure: a test may catch the panic and go on.
        self.heal();
        if let Err(why) = outcome {
            panic!(
                "{}: with seed {} {why}\nsteps:\n{}",
                self.at,
                self.seed,
                log.join("\n")
            );
        }
    }

    async fn all(&self, log: &mut Vec<String>) -> Result<(), String> {
        let mut rng = SmallRng::seed_from_u64(self.seed);
        let mut invariants = Invariants::new(self.tester);
        self.tester.watcher().jitter(Some((CALL, self.seed)));
        let begun = tokio::time::Instant::now();
        for step in 1..=self.steps {
            self.tester
                .advance(rng.random_range(Duration::ZERO..=STEP))
                .await;
            let fault = self.choose(&mut rng);
            let cluster = self.cluster(&mut rng);
            let at = if fault.is_of_a_cluster() {
                on(cluster.name())
            } else {
                String::new()
            };
            log.push(format!("{step:>4} {:>10.3?} {fault}{at}", begun.elapsed()));
            self.perform(fault, cluster, &mut rng).await?;
            invariants.check()?;
        }
        self.heal();
        let settled = self.tester.settle().await;
        settled.map_err(|unsettled| format!("records did not settle: {unsettled}"))?;
        invariants.check()
    }

    /// Ends all faults.
    fn heal(&self) {
        self.tester.watcher().jitter(None);
        let clusters = self.tester.memory().all();
        clusters.for_each(|cluster| cluster.heal());
    }

    fn choose(&self, rng: &mut SmallRng) -> Fault {
        let processes = self.tester.processes();
        let restartable = self.tester.can_start_processes();
        let lost = self.commits_lost();
        loop {
            let fault = match rng.random_range(0..12) {
                0..2 => Fault::Nothing,
                2..4 => Fault::Rebalance,
                4 if restartable && processes < PROCESSES => Fault::MemberJoins,
                5 if processes > 1 => Fault::MemberLeaves,
                6..8 if restartable => Fault::Crash,
                8 => Fault::OutputLost,
                9 => Fault::OutputUnacknowledged,
                10 if lost => Fault::CommitsBack,
                10 => Fault::CommitsLost,
                11 => Fault::BrokerDown,
                _ => continue,
            };
            return fault;
        }
    }

    async fn perform(
        &self,
        fault: Fault,
        cluster: Cluster<'_>,
        rng: &mut SmallRng,
    ) -> Result<(), String> {
        let tester = self.tester;
        match fault {
            Fault::Nothing => {}
            Fault::Rebalance => cluster.rebalance().await.map_err(|e| e.to_string())?,
            Fault::MemberJoins => tester.add_member().await.map_err(|e| e.to_string())?,
            Fault::MemberLeaves => {
                let left = tester.remove_member().await.map_err(|e| e.to_string());
                // A process that could not commit says so, and its records are handled again.
                left.or_else(|why| self.commits_lost().then_some(()).ok_or(why))?;
            }
            Fault::Crash => tester
                .crash_and_restart()
                .await
                .map_err(|e| e.to_string())?,
            Fault::OutputLost => self.fail_output(cluster, rng, ProduceFault::Lost),
            Fault::OutputUnacknowledged => {
                self.fail_output(cluster, rng, ProduceFault::Unacknowledged);
            }
            Fault::CommitsLost => cluster.lose_commits(),
            Fault::CommitsBack => tester.restore_commits(),
            Fault::BrokerDown => {
                cluster.broker_down();
                tester
                    .advance(rng.random_range(Duration::ZERO..=DOWN))
                    .await;
                cluster.broker_up();
            }
        }
        Ok(())
    }

    fn fail_output(&self, cluster: Cluster<'_>, rng: &mut SmallRng, fault: ProduceFault) {
        let apps = self.tester.apps();
        let mut topics: Vec<_> = apps::plans(&apps)
            .flat_map(|plan| plan.written())
            .filter(|(on, _)| *on == cluster.name())
            .map(|(_, topic)| topic)
            .collect();
        topics.sort_unstable();
        topics.dedup();
        if !topics.is_empty() {
            let topic = &topics[rng.random_range(0..topics.len())];
            let memory = self.tester.memory().named(cluster.name());
            memory.state().losses_tell_after = Some(rng.random_range(Duration::ZERO..=LOSS));
            cluster.fail_next_produce(topic, fault);
        }
    }

    fn commits_lost(&self) -> bool {
        let mut clusters = self.tester.memory().all();
        clusters.any(|cluster| cluster.state().commits_lost)
    }

    /// A random cluster.
    fn cluster(&self, rng: &mut SmallRng) -> Cluster<'_> {
        let name = match self.tester.topology().clusters() {
            [only] => only,
            several => several[rng.random_range(0..several.len())],
        };
        self.tester.cluster(name)
    }
}

impl<'t> IntoFuture for Chaos<'t> {
    type Output = ();
    type IntoFuture = Pin<Box<dyn Future<Output = ()> + 't>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
