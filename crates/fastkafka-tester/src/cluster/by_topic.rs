//! The same for tests that need not say which cluster: of apps with one, or where one alone has the
//! topic or the group.

use super::Cluster;
use crate::function::Function;
use crate::record::ProduceFault;
use crate::tester::{Backend, Tester};
use crate::topology::Name;
use crate::watching::journal::TopicRecord;
use fastkafka_core::Consumer;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What is asked of a topic or a group is asked of the cluster that has it. What goes wrong without a
/// topic goes wrong on all clusters.
impl Tester {
    /// The only one of these. If there is none, the first cluster says what it does not have.
    #[track_caller]
    fn only(&self, on: &[Name], what: &str, call: &str) -> Cluster<'_> {
        match on {
            [] => self.cluster(self.topology.first()),
            [only] => self.cluster(only),
            several => {
                let calls = several.iter();
                let calls: Vec<_> = calls
                    .map(|cluster| format!("`tester.cluster({cluster:?}).{call}(..)`"))
                    .collect();
                panic!(
                    "{what} on {} clusters: say which, {}",
                    several.len(),
                    calls.join(" or ")
                )
            }
        }
    }

    #[track_caller]
    fn with_topic(&self, topic: &str, call: &str) -> Cluster<'_> {
        let on = match &self.backend {
            Backend::Kafka(_) => self.topology.with_topic(topic),
            // The test may have made it.
            Backend::Memory(clusters) => {
                let states = clusters.all().map(|broker| broker.state());
                let states = states.filter(|state| state.exists(topic));
                states.map(|state| state.name).collect()
            }
        };
        self.only(&on, &format!("topic `{topic}` is"), call)
    }

    /// The group tells topics of one name apart, if it reads only one of them.
    #[track_caller]
    fn with_group_and_topic(&self, group: &str, topic: &str, call: &str) -> Cluster<'_> {
        match &*self.topology.with_group(group) {
            [only] => self.cluster(only),
            _ => self.with_topic(topic, call),
        }
    }

    fn all_clusters(&self) -> impl Iterator<Item = Cluster<'_>> {
        let clusters = self.topology.clusters().iter();
        clusters.map(|name| self.cluster(name))
    }

    /// Everything that reached a topic so far: see [`Cluster::records`].
    ///
    /// # Panics
    /// When the topic is on several clusters.
    #[track_caller]
    pub fn records(&self, topic: &str) -> Vec<Arc<TopicRecord>> {
        self.with_topic(topic, "records").records(topic)
    }

    /// What a group has committed in a topic: see [`Cluster::committed`].
    ///
    /// # Panics
    /// When there is no such group or topic, or both are on several clusters.
    #[track_caller]
    pub fn committed(&self, group: &str, topic: &str) -> BTreeMap<i32, i64> {
        let cluster = self.with_group_and_topic(group, topic, "committed");
        cluster.committed(group, topic)
    }

    /// How many offsets a group is behind in a topic, over all partitions.
    ///
    /// # Panics
    /// When there is no such group or topic, or both are on several clusters.
    #[track_caller]
    pub fn lag(&self, group: &str, topic: &str) -> i64 {
        let cluster = self.with_group_and_topic(group, topic, "lag");
        cluster.lag(group, topic)
    }

    /// How many members a group has.
    ///
    /// # Panics
    /// When there is no such group, or it is on several clusters.
    #[track_caller]
    pub fn members(&self, group: &str) -> usize {
        let on = self.topology.with_group(group);
        let cluster = self.only(&on, &format!("group `{group}` is"), "members");
        cluster.members(group)
    }

    /// Retention: see [`Cluster::delete_records`].
    ///
    /// # Panics
    /// When there is no such partition, or the topic is on several clusters.
    #[track_caller]
    pub fn delete_records(&self, topic: &str, partition: i32, offset: i64) {
        self.with_topic(topic, "delete_records")
            .delete_records(topic, partition, offset);
    }

    /// A topic that was not there appears: see [`Cluster::create_topic`].
    ///
    /// # Panics
    /// When there is such a topic, or the apps are on several clusters.
    #[track_caller]
    pub fn create_topic(&self, topic: &str, partitions: usize) {
        let clusters = self.topology.clusters();
        let cluster = self.only(clusters, "the apps are", "create_topic");
        cluster.create_topic(topic, partitions);
    }

    /// The topic gets more partitions, and the groups that read it notice.
    ///
    /// # Panics
    /// When there is no such topic, or it is on several clusters.
    #[track_caller]
    pub fn grow_topic(&self, topic: &str, partitions: usize) {
        self.with_topic(topic, "grow_topic")
            .grow_topic(topic, partitions);
    }

    /// What becomes of the next record that an app sends to a topic. Several calls are for several
    /// records.
    ///
    /// # Panics
    /// When the topic is on several clusters.
    #[track_caller]
    pub fn fail_next_produce(&self, topic: &str, fault: ProduceFault) {
        self.with_topic(topic, "fail_next_produce")
            .fail_next_produce(topic, fault);
    }

    /// The next record of a topic arrives with a payload that no codec reads.
    ///
    /// # Panics
    /// When the topic is on several clusters.
    #[track_caller]
    pub fn corrupt_next(&self, topic: &str) {
        self.with_topic(topic, "corrupt_next").corrupt_next(topic);
    }

    /// From here on each call of the handler takes so long, of the test's time, before its function is
    /// called: for time limits, rebalances and crashes in the midst of a call.
    pub fn slow<C: Consumer>(&self, time: Duration) {
        self.watcher().slow(Function::consumer::<C>(), time);
    }

    /// No broker of any cluster answers from here on: see [`Cluster::broker_down`].
    #[track_caller]
    pub fn broker_down(&self) {
        self.all_clusters()
            .for_each(|cluster| cluster.broker_down());
    }

    /// The brokers are back, on all clusters.
    #[track_caller]
    pub fn broker_up(&self) {
        self.all_clusters().for_each(|cluster| cluster.broker_up());
    }

    /// No commit arrives from here on, on no cluster: see [`Cluster::lose_commits`].
    #[track_caller]
    pub fn lose_commits(&self) {
        self.all_clusters()
            .for_each(|cluster| cluster.lose_commits());
    }

    /// Commits arrive again, on all clusters.
    #[track_caller]
    pub fn restore_commits(&self) {
        self.all_clusters()
            .for_each(|cluster| cluster.restore_commits());
    }
}
