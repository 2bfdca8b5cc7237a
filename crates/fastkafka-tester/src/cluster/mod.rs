//! One cluster of the apps under test: its records, its groups, its faults.

mod by_topic;
mod rebalance;

use crate::lines::on;
use crate::memory::cluster::MemoryCluster;
use crate::memory::faults::ProduceFault;
use crate::record::TopicRecord;
use crate::tester::{Backend, Tester};
use crate::topology::ClusterName;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// One of the clusters of the apps under test: its records, its groups, and its faults.
///
/// ```standalone_crate
/// use fastkafka::cluster::Brokers;
/// use fastkafka::{App, ProduceError, consumes, produces};
/// use fastkafka_tester::Tester;
/// use std::time::Duration;
///
/// fn payments() -> Brokers {
///     Brokers::new("payments")
/// }
///
/// #[consumes(topic = "orders", auto_offset_reset = "earliest")]
/// async fn on_orders(order: u64) -> Result<(), ProduceError> {
///     to_payments(order).await?;
///     Ok(())
/// }
///
/// #[produces(topic = "payments", brokers = payments)]
/// async fn to_payments(order: u64) -> Result<u64, ProduceError> {
///     Ok(order)
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let tester = Tester::start(App::builder().title("Shop").build()).await.unwrap();
/// tester.cluster("payments").broker_down();
/// tester.to_orders(7).unsettled().await;
/// tester.advance(Duration::from_secs(1)).await;
/// // Handled, and not settled: its payment is on its way.
/// tester.spy::<on_orders>().assert_called_once();
/// assert_eq!(tester.lag("shop", "orders"), 1);
///
/// tester.cluster("payments").broker_up();
/// tester.settle().await.unwrap();
/// assert_eq!(tester.cluster("payments").records("payments").len(), 1);
/// assert_eq!(tester.lag("shop", "orders"), 0);
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Cluster<'t> {
    tester: &'t Tester,
    name: ClusterName,
}

impl Tester {
    /// A cluster by the name of its `Brokers`; `""` is the app's own, unless that has a name. The name
    /// of a cluster that has only an address, a function's `bootstrap_servers`, is that address.
    ///
    /// The methods of `Tester` that name no cluster mean the one that has the topic or the group. If
    /// several have it they panic and name them.
    ///
    /// # Panics
    /// When the apps are on no cluster of that name.
    #[track_caller]
    pub fn cluster(&self, name: &str) -> Cluster<'_> {
        let clusters = self.topology().clusters();
        let Some(known) = clusters.iter().find(|known| **known == name) else {
            let known: Vec<_> = clusters.iter().map(|known| format!("{known:?}")).collect();
            panic!(
                "the apps are on no cluster {name:?}; they are on {}",
                known.join(" and ")
            );
        };
        Cluster {
            tester: self,
            name: known,
        }
    }
}

impl Cluster<'_> {
    /// The name; empty for the app's own cluster, unless that has one.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The records that reached a topic so far, in the order of arrival, also those that retention has
    /// deleted since.
    pub fn records(&self, topic: &str) -> Vec<Arc<TopicRecord>> {
        self.tester.journal().records(self.name, topic)
    }

    /// The commits of a group in a topic: by partition the offset that it reads next. Partitions
    /// without a commit are absent.
    ///
    /// # Panics
    /// When there is no such group or topic.
    #[track_caller]
    pub fn committed(&self, group: &str, topic: &str) -> BTreeMap<i32, i64> {
        if let Backend::Remote(remote) = self.tester.backend() {
            let committed = remote
                .committed(self.name, group, topic)
                .unwrap_or_else(|error| panic!("{error}"));
            return committed
                .into_iter()
                .map(|((_, index), offset)| (index, offset))
                .collect();
        }
        let state = self.memory().state();
        let group = state.find_group(group);
        state
            .find_topic(topic)
            .iter()
            .filter_map(|&partition| {
                let committed = state.sim.committed(group, partition)?;
                Some((state.sim.place(partition).1, committed.offset))
            })
            .collect()
    }

    /// The lag of a group in a topic: the offsets that it has not committed, over all partitions.
    ///
    /// # Panics
    /// When there is no such group or topic.
    #[track_caller]
    pub fn lag(&self, group: &str, topic: &str) -> i64 {
        if let Backend::Remote(remote) = self.tester.backend() {
            let committed = self.committed(group, topic);
            let ends = remote
                .ends(self.name)
                .unwrap_or_else(|error| panic!("{error}"));
            return ends
                .into_iter()
                .filter(|((name, _), _)| name == topic)
                .map(|((_, index), end)| end - committed.get(&index).unwrap_or(&0))
                .sum();
        }
        let state = self.memory().state();
        let group = state.find_group(group);
        let lag = |&partition| {
            let log = state.sim.log(partition);
            let (low, high) = log.map_or((0, 0), |log| (log.low(), log.high()));
            let committed = state.sim.committed(group, partition);
            high - committed.map_or(low, |committed| committed.offset)
        };
        state.find_topic(topic).iter().map(lag).sum()
    }

    /// The number of members of a group.
    ///
    /// # Panics
    /// When there is no such group.
    #[track_caller]
    pub fn members(&self, group: &str) -> usize {
        let state = self.memory().state();
        let group = state.find_group(group);
        state.sim.group(group).members().count()
    }

    /// Deletes the records of a partition before `offset`, as retention does. A consumer that has not
    /// read them yet goes on by its `auto_offset_reset`.
    ///
    /// # Panics
    /// When there is no such partition.
    #[track_caller]
    pub fn delete_records(&self, topic: &str, partition: i32, offset: i64) {
        let mut state = self.memory().state();
        let Some(partition) = state.partition(topic, partition) else {
            panic!(
                "there is no partition {topic}[{partition}]{}",
                on(self.name)
            );
        };
        state.sim.delete_before(partition, offset);
        state.wake_all();
    }

    /// Creates a topic. Handlers whose `pattern` it matches find it, as on Kafka after
    /// `metadata_max_age_ms`. They begin in it where `auto_offset_reset` says; with `"latest"` records
    /// that are sent before they have its partitions are not read. [`Tester::settle`] waits until they
    /// have them.
    ///
    /// # Panics
    /// When there is such a topic.
    #[track_caller]
    pub fn create_topic(&self, topic: &str, partitions: usize) {
        let mut state = self.memory().state();
        assert!(
            !state.exists(topic),
            "there is a topic `{topic}`{}: `grow_topic` gives it more partitions",
            on(self.name)
        );
        state.create_topic(topic, partitions);
    }

    /// Gives a topic more partitions. The groups that read it notice.
    ///
    /// # Panics
    /// When there is no such topic.
    #[track_caller]
    pub fn grow_topic(&self, topic: &str, partitions: usize) {
        let mut state = self.memory().state();
        state.find_topic(topic);
        state.create_topic(topic, partitions);
    }

    /// Lets the next record that an app sends to a topic fail. Several calls are for several records.
    #[track_caller]
    pub fn fail_next_produce(&self, topic: &str, fault: ProduceFault) {
        self.memory().fail_next(topic, fault);
    }

    /// Damages the next record that is sent to a topic: it arrives with a payload that no codec reads.
    #[track_caller]
    pub fn corrupt_next(&self, topic: &str) {
        self.memory().damage_next(topic);
    }

    /// Takes the brokers of the cluster down: nothing is read, sent or committed from here on. Records
    /// that the app sends wait for their `delivery_timeout_ms`.
    #[track_caller]
    pub fn broker_down(&self) {
        self.memory().set_down(true);
    }

    /// Brings the brokers of the cluster back.
    #[track_caller]
    pub fn broker_up(&self) {
        self.memory().set_down(false);
    }

    /// Loses every commit from here on, as if the process ended before the next one: records that are
    /// handled now are handled again after a crash or a rebalance. [`Tester::settle`] then waits until
    /// records are handled.
    #[track_caller]
    pub fn lose_commits(&self) {
        self.memory().lose_commits(true);
    }

    /// Lets commits arrive again.
    #[track_caller]
    pub fn restore_commits(&self) {
        self.memory().lose_commits(false);
    }

    /// The cluster in memory, which alone takes faults.
    ///
    /// # Panics
    /// On real brokers.
    #[track_caller]
    fn memory(&self) -> &Arc<MemoryCluster> {
        self.tester.memory().named(self.name)
    }
}

impl fmt::Debug for Cluster<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cluster").field(&self.name).finish()
    }
}
