//! Topics with their logs, and groups. Nothing happens here but by a call.

use crate::assignor::Assignor;
use crate::group::{Commit, Committed, Group, GroupError, Protocol};
use crate::ids::{GroupId, MemberId, PartitionId, PartitionSet, TopicId};
use crate::log::{Batch, Entry, FetchError, Log};
use crate::partitioner::partition_of;
use crate::topics::Topics;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The fate of a record that is produced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Written and acknowledged.
    Ok,
    /// Not written, and the producer hears so.
    Error,
    /// Written, but the producer hears an error: possibly persisted.
    ErrorButWritten,
}

/// The producer heard no acknowledgement. It cannot tell whether the record was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProduceError;

impl std::fmt::Display for ProduceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the record was not acknowledged")
    }
}

impl std::error::Error for ProduceError {}

/// A Kafka cluster. `R` is what a record carries.
///
/// Clones share their logs and names until one of them changes those.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster<R> {
    pub(crate) topics: Arc<Topics>,
    /// By partition; none while it does not exist.
    logs: Vec<Option<Arc<Log<R>>>>,
    names: Arc<Vec<String>>,
    pub(crate) groups: Vec<Group>,
}

// Clusters that began alike have equal names, and which partitions exist shows in the logs.
impl<R: Hash> Hash for Cluster<R> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.logs.hash(state);
        self.groups.hash(state);
    }
}

impl<R> Default for Cluster<R> {
    fn default() -> Self {
        Self {
            topics: Arc::default(),
            logs: Vec::new(),
            names: Arc::default(),
            groups: Vec::new(),
        }
    }
}

impl<R> Cluster<R> {
    /// Without topics and groups.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a topic, or creates it again: its ids stay, its logs are empty. Of a topic that exists
    /// the partitions only grow.
    pub fn create_topic(&mut self, name: &str, partitions: usize) -> TopicId {
        let topics = Arc::make_mut(&mut self.topics);
        let topic = topics.intern(name);
        if topics.partitions(topic).len() < partitions {
            for partition in topics.resize(topic, partitions) {
                if self.logs.len() <= partition.index() {
                    self.logs.resize_with(partition.index() + 1, || None);
                }
                self.logs[partition.index()] = Some(Arc::default());
            }
        }
        topic
    }

    /// Deletes a topic, and what groups have committed in it.
    pub fn delete_topic(&mut self, topic: TopicId) {
        let gone = Arc::make_mut(&mut self.topics).resize(topic, 0);
        for partition in &gone {
            self.logs[partition.index()] = None;
        }
        for group in &mut self.groups {
            group.forget(&gone);
        }
    }

    /// The topic with this name; it need not exist any more.
    pub fn topic(&self, name: &str) -> Option<TopicId> {
        self.topics.find(name)
    }

    /// The topics that exist.
    pub fn all_topics(&self) -> impl Iterator<Item = TopicId> {
        self.topics.existing()
    }

    /// A topic's name.
    pub fn topic_name(&self, topic: TopicId) -> &str {
        self.topics.name(topic)
    }

    /// The partitions of a topic by index; none when it does not exist.
    pub fn partitions(&self, topic: TopicId) -> &[PartitionId] {
        self.topics.partitions(topic)
    }

    /// The partition that a producer chooses for records with this key; none when the topic does not exist.
    pub fn partition_for_key(&self, topic: TopicId, key: &[u8]) -> Option<PartitionId> {
        match self.partitions(topic) {
            [] => None,
            partitions => Some(partitions[partition_of(key, partitions.len())]),
        }
    }

    /// The partitions of several topics.
    pub fn all_partitions(&self, topics: &[TopicId]) -> PartitionSet {
        self.topics.all(topics)
    }

    /// The topic of a partition, and its index there.
    pub fn place(&self, partition: PartitionId) -> (TopicId, i32) {
        self.topics.place(partition)
    }

    /// A partition's log.
    pub fn log(&self, partition: PartitionId) -> Option<&Log<R>> {
        self.logs.get(partition.index())?.as_deref()
    }

    /// At most `max` records from an offset on.
    ///
    /// # Errors
    /// The offset is not in the log, or there is no such partition.
    pub fn fetch(
        &self,
        partition: PartitionId,
        from: i64,
        max: usize,
    ) -> Result<Batch<&[Entry<R>]>, FetchError> {
        let log = self.log(partition).ok_or(FetchError::UnknownPartition)?;
        log.fetch(from, max)
    }

    /// The first offset whose record is not older than `timestamp` (ListOffsets); none when every
    /// record is older.
    pub fn offset_for_time(&self, partition: PartitionId, timestamp: i64) -> Option<i64> {
        self.log(partition)?.offset_for_time(timestamp)
    }
}

/// Changes of logs. Each panics when the partition does not exist.
impl<R: Clone> Cluster<R> {
    fn log_mut(&mut self, partition: PartitionId) -> &mut Log<R> {
        let log = self.logs[partition.index()].as_mut();
        Arc::make_mut(log.expect("a partition that exists is changed"))
    }

    /// Appends a record. The timestamp is in milliseconds since the epoch.
    pub fn append(&mut self, partition: PartitionId, record: R, timestamp: i64) -> i64 {
        self.log_mut(partition).append(record, timestamp)
    }

    /// The same with an outcome. Returns the offset that the producer hears of.
    ///
    /// # Errors
    /// As the outcome says.
    pub fn produce(
        &mut self,
        partition: PartitionId,
        record: R,
        timestamp: i64,
        outcome: Outcome,
    ) -> Result<i64, ProduceError> {
        if outcome == Outcome::Error {
            return Err(ProduceError);
        }
        let offset = self.append(partition, record, timestamp);
        match outcome {
            Outcome::Ok => Ok(offset),
            Outcome::Error | Outcome::ErrorButWritten => Err(ProduceError),
        }
    }

    /// Appends a control marker, which takes an offset and is never delivered.
    pub fn append_marker(&mut self, partition: PartitionId) -> i64 {
        self.log_mut(partition).append_marker()
    }

    /// Retention, or DeleteRecords: the log starts at `offset`, at its end at the latest.
    pub fn delete_before(&mut self, partition: PartitionId, offset: i64) {
        self.log_mut(partition).delete_before(offset);
    }

    /// Retention by time: deletes from the front while records are older than `timestamp`.
    pub fn delete_older(&mut self, partition: PartitionId, timestamp: i64) {
        self.log_mut(partition).delete_older(timestamp);
    }

    /// Leaves a gap where a record was.
    pub fn remove(&mut self, partition: PartitionId, offset: i64) {
        self.log_mut(partition).remove(offset);
    }

    /// Compaction: of each key only the last record stays; records without one all stay.
    pub fn compact<K: Ord>(&mut self, partition: PartitionId, key: impl Fn(&R) -> Option<K>) {
        self.log_mut(partition).compact(key);
    }

    /// An unclean election: the log ends at `high`, what was behind it is lost.
    pub fn truncate(&mut self, partition: PartitionId, high: i64) {
        self.log_mut(partition).truncate(high);
    }
}

/// Groups, as their coordinator.
impl<R> Cluster<R> {
    /// Creates a group, or finds the one of that name.
    ///
    /// # Panics
    /// The group exists with another protocol or assignor.
    pub fn create_group(&mut self, name: &str, protocol: Protocol, assignor: Assignor) -> GroupId {
        if let Some(id) = self.find_group(name) {
            let group = &self.groups[id.index()];
            let same = group.protocol == protocol && group.assignor == assignor;
            assert!(same, "group `{name}` exists and is of another kind");
            return id;
        }
        Arc::make_mut(&mut self.names).push(name.to_owned());
        self.groups.push(Group::new(protocol, assignor));
        GroupId::at(self.groups.len() - 1)
    }

    /// The group of this name.
    pub fn find_group(&self, name: &str) -> Option<GroupId> {
        let at = self.names.iter().position(|known| known == name);
        at.map(GroupId::at)
    }

    /// A group's name.
    pub fn group_name(&self, group: GroupId) -> &str {
        &self.names[group.index()]
    }

    /// A group.
    pub fn group(&self, group: GroupId) -> &Group {
        &self.groups[group.index()]
    }

    /// The committed offset of a group.
    pub fn committed(&self, group: GroupId, partition: PartitionId) -> Option<&Committed> {
        self.group(group).committed(partition)
    }

    /// How many offsets a group is behind; none when it has committed nothing there.
    pub fn lag(&self, group: GroupId, partition: PartitionId) -> Option<i64> {
        let high = self.log(partition)?.high();
        Some(high - self.committed(group, partition)?.offset)
    }

    /// OffsetCommit, as it arrives.
    ///
    /// # Errors
    /// As Kafka's coordinator refuses it.
    pub fn commit(&mut self, group: GroupId, commit: &Commit) -> Result<(), GroupError> {
        self.groups[group.index()].commit(commit, &self.topics)
    }

    /// The coordinator wants another distribution: the targets of the members that are named, all at
    /// once. How they get there is the protocol's business.
    ///
    /// Only [`Assignor::Explicit`] keeps to it: the others choose anew.
    ///
    /// # Errors
    /// There is no such member.
    ///
    /// # Panics
    /// Two members would have the same partition.
    pub fn reassign(
        &mut self,
        group: GroupId,
        targets: impl IntoIterator<Item = (MemberId, PartitionSet)>,
    ) -> Result<(), GroupError> {
        let group = &mut self.groups[group.index()];
        for (member, target) in targets {
            let at = group.at(member)?;
            group.members[at].target = target;
        }
        let mut all = PartitionSet::new();
        for member in &group.members {
            let common = all.intersection(&member.target);
            assert!(common.is_empty(), "two members are to have {common:?}");
            all = all.union(&member.target);
        }
        group.rebalance(&self.topics);
        Ok(())
    }

    /// From its next rebalance on the group is assigned in another way.
    pub fn set_assignor(&mut self, group: GroupId, assignor: Assignor) {
        self.groups[group.index()].assignor = assignor;
    }

    /// The coordinator, or the leader, has noticed that topics have changed.
    pub fn rebalance(&mut self, group: GroupId) {
        self.groups[group.index()].rebalance(&self.topics);
    }

    /// A session times out, or a classic member has not joined again in time: the group goes on
    /// without it. It does not know that.
    ///
    /// # Errors
    /// There is no such member.
    pub fn expire(&mut self, group: GroupId, member: MemberId) -> Result<(), GroupError> {
        self.groups[group.index()].remove(member, &self.topics)
    }
}
