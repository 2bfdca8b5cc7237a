//! The methods of a cluster for tests that need not name it, because only one has the topic or the
//! group.

use super::Cluster;
use crate::memory::faults::ProduceFault;
use crate::record::TopicRecord;
use crate::tester::{Backend, Tester};
use crate::topology::ClusterName;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A question about a topic or a group goes to the cluster that has it. A fault without a topic meets
/// all clusters.
impl Tester {
    /// The only one of these clusters. If there is none, the first cluster of all: it then reports what it
    /// does not have. `what` and `call` are for the message if there are several.
    #[track_caller]
    fn only(&self, on: &[ClusterName], what: &str, call: &str) -> Cluster<'_> {
        match on {
            [] => self.cluster(self.topology().first()),
            [only] => self.cluster(only),
            several => {
                let calls: Vec<_> = several
                    .iter()
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
        let on = match self.backend() {
            Backend::Remote(_) => self.topology().with_topic(topic),
            // Not the topology: the test may have created the topic.
            Backend::Memory(clusters) => {
                let states = clusters.all().map(|cluster| cluster.state());
                states
                    .filter(|state| state.exists(topic))
                    .map(|state| state.name)
                    .collect()
            }
        };
        self.only(&on, &format!("topic `{topic}` is"), call)
    }

    /// The cluster of a group; if the group is on several, the cluster of its topic.
    #[track_caller]
    fn with_group_and_topic(&self, group: &str, topic: &str, call: &str) -> Cluster<'_> {
        match &*self.topology().with_group(group) {
            [only] => self.cluster(only),
            _ => self.with_topic(topic, call),
        }
    }

    fn all_clusters(&self) -> impl Iterator<Item = Cluster<'_>> {
        self.topology()
            .clusters()
            .iter()
            .map(|name| self.cluster(name))
    }

    /// The records that reached a topic so far: see [`Cluster::records`].
    ///
    /// # Panics
    /// When the topic is on several clusters.
    #[track_caller]
    pub fn records(&self, topic: &str) -> Vec<Arc<TopicRecord>> {
        self.with_topic(topic, "records").records(topic)
    }

    /// The commits of a group in a topic: see [`Cluster::committed`].
    ///
    /// # Panics
    /// When there is no such group or topic, or both are on several clusters.
    #[track_caller]
    pub fn committed(&self, group: &str, topic: &str) -> BTreeMap<i32, i64> {
        let cluster = self.with_group_and_topic(group, topic, "committed");
        cluster.committed(group, topic)
    }

    /// The lag of a group in a topic: see [`Cluster::lag`].
    ///
    /// # Panics
    /// When there is no such group or topic, or both are on several clusters.
    #[track_caller]
    pub fn lag(&self, group: &str, topic: &str) -> i64 {
        let cluster = self.with_group_and_topic(group, topic, "lag");
        cluster.lag(group, topic)
    }

    /// The number of members of a group.
    ///
    /// # Panics
    /// When there is no such group, or it is on several clusters.
    #[track_caller]
    pub fn members(&self, group: &str) -> usize {
        let on = self.topology().with_group(group);
        let cluster = self.only(&on, &format!("group `{group}` is"), "members");
        cluster.members(group)
    }

    /// Deletes records as retention does: see [`Cluster::delete_records`].
    ///
    /// # Panics
    /// When there is no such partition, or the topic is on several clusters.
    #[track_caller]
    pub fn delete_records(&self, topic: &str, partition: i32, offset: i64) {
        self.with_topic(topic, "delete_records")
            .delete_records(topic, partition, offset);
    }

    /// Creates a topic: see [`Cluster::create_topic`].
    ///
    /// # Panics
    /// When there is such a topic, or the apps are on several clusters.
    #[track_caller]
    pub fn create_topic(&self, topic: &str, partitions: usize) {
        let clusters = self.topology().clusters();
        let cluster = self.only(clusters, "the apps are", "create_topic");
        cluster.create_topic(topic, partitions);
    }

    /// Gives a topic more partitions. The groups that read it notice.
    ///
    /// # Panics
    /// When there is no such topic, or it is on several clusters.
    #[track_caller]
    pub fn grow_topic(&self, topic: &str, partitions: usize) {
        self.with_topic(topic, "grow_topic")
            .grow_topic(topic, partitions);
    }

    /// Lets the next record that an app sends to a topic fail. Several calls are for several records.
    ///
    /// # Panics
    /// When the topic is on several clusters.
    #[track_caller]
    pub fn fail_next_produce(&self, topic: &str, fault: ProduceFault) {
        self.with_topic(topic, "fail_next_produce")
            .fail_next_produce(topic, fault);
    }

    /// Damages the next record that is sent to a topic: it arrives with a payload that no codec reads.
    ///
    /// # Panics
    /// When the topic is on several clusters.
    #[track_caller]
    pub fn corrupt_next(&self, topic: &str) {
        self.with_topic(topic, "corrupt_next").corrupt_next(topic);
    }

    /// Takes the brokers of all clusters down: see [`Cluster::broker_down`].
    #[track_caller]
    pub fn broker_down(&self) {
        self.all_clusters()
            .for_each(|cluster| cluster.broker_down());
    }

    /// Brings the brokers of all clusters back.
    #[track_caller]
    pub fn broker_up(&self) {
        self.all_clusters().for_each(|cluster| cluster.broker_up());
    }

    /// Loses every commit from here on, on all clusters: see [`Cluster::lose_commits`].
    #[track_caller]
    pub fn lose_commits(&self) {
        self.all_clusters()
            .for_each(|cluster| cluster.lose_commits());
    }

    /// Lets commits arrive again, on all clusters.
    #[track_caller]
    pub fn restore_commits(&self) {
        self.all_clusters()
            .for_each(|cluster| cluster.restore_commits());
    }
}
