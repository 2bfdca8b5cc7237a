//! The state of a cluster in memory: a cluster of the simulator, its clients, and what goes wrong.

use crate::lines::on;
use crate::memory::faults::Faults;
use crate::memory::member::Member;
use crate::memory::stored::{Content, Stored};
use crate::record::{NewRecord, Refusal, TopicRecord};
use crate::subscription::Subscription;
use crate::topology::ClusterName;
use crate::watching::transcript::Transcript;
use fastkafka::record::Delivery;
use fastkafka_core::TopicPartition;
use fastkafka_runtime::platform::PartitionRef;
use fastkafka_sim::{Assignor, Cluster, GroupId, Outcome, PartitionId, Protocol, TopicId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A cluster in memory, behind the lock of its [`MemoryCluster`](super::cluster::MemoryCluster).
pub(crate) struct ClusterState {
    pub(crate) name: ClusterName,
    pub(super) transcript: Transcript,
    pub(crate) sim: Cluster<Stored>,
    pub(crate) members: Vec<Member>,
    next_member: u64,
    pub(super) faults: Faults,
    /// By topic: the partition of the next record without a key, counted without end.
    round_robin: HashMap<String, usize>,
    /// By group and topic: how many partitions there were when the group began. A partition that came
    /// later is read from its beginning, whatever `auto_offset_reset` says.
    pub(super) began_with: HashMap<(GroupId, TopicId), usize>,
    pub(crate) down: bool,
    /// When the broker went down.
    pub(super) went_down: Option<tokio::time::Instant>,
    /// How long it takes until a producer hears that a record is lost; `None`: at once.
    pub(crate) losses_tell_after: Option<Duration>,
    /// Commits do not arrive.
    pub(crate) commits_lost: bool,
    /// Called when the broker is back.
    pub(super) on_up: Vec<Box<dyn Fn() + Send + Sync>>,
    /// Mistakes that have to fail the test even if the app copes with them.
    pub(crate) complaints: Vec<String>,
}

impl ClusterState {
    pub(super) fn new(name: ClusterName, transcript: Transcript) -> Self {
        Self {
            name,
            transcript,
            sim: Cluster::new(),
            members: Vec::new(),
            next_member: 0,
            faults: Faults::default(),
            round_robin: HashMap::new(),
            began_with: HashMap::new(),
            down: false,
            went_down: None,
            losses_tell_after: None,
            commits_lost: false,
            on_up: Vec::new(),
            complaints: Vec::new(),
        }
    }

    /// Topic and index of a partition.
    pub(crate) fn topic_and_index(&self, partition: PartitionId) -> (&str, i32) {
        let (topic, index) = self.sim.place(partition);
        (self.sim.topic_name(topic), index)
    }

    /// The partition as the app knows it.
    pub(super) fn partition_ref(&self, partition: PartitionId) -> PartitionRef {
        let (topic, index) = self.topic_and_index(partition);
        TopicPartition::intern_on(self.name, topic, topic, index)
    }

    pub(crate) fn partition(&self, topic: &str, index: i32) -> Option<PartitionId> {
        let topic = self.sim.topic(topic)?;
        let index = usize::try_from(index).ok()?;
        self.sim.partitions(topic).get(index).copied()
    }

    /// The group of this name.
    ///
    /// # Panics
    /// When there is no such group.
    #[track_caller]
    pub(crate) fn find_group(&self, name: &str) -> GroupId {
        match self.sim.find_group(name) {
            Some(group) => group,
            None => panic!("there is no group `{name}`{}", on(self.name)),
        }
    }

    /// The partitions of a topic.
    ///
    /// # Panics
    /// When there is no such topic.
    #[track_caller]
    pub(crate) fn find_topic(&self, name: &str) -> &[PartitionId] {
        match self.sim.topic(name) {
            Some(topic) => self.sim.partitions(topic),
            None => panic!("there is no topic `{name}`{}", on(self.name)),
        }
    }

    pub(crate) fn exists(&self, topic: &str) -> bool {
        let known = self.sim.topic(topic);
        known.is_some_and(|topic| !self.sim.partitions(topic).is_empty())
    }

    /// The topics of a subscription that exist.
    pub(crate) fn read_by(&self, subscription: &Subscription) -> Vec<TopicId> {
        self.sim
            .all_topics()
            .filter(|topic| subscription.takes(self.sim.topic_name(*topic)))
            .collect()
    }

    /// Makes a topic, or gives it more partitions. The groups that read it notice, also those whose
    /// pattern matches a new topic.
    pub(crate) fn create_topic(&mut self, name: &str, partitions: usize) {
        let id = self.sim.create_topic(name, partitions);
        for member in &mut self.members {
            if !member.topics.contains(&id) && member.reads.takes(name) {
                member.topics.push(id);
                let topics = member.topics.iter().copied();
                member.client.subscribe(&mut self.sim, topics);
            } else if member.topics.contains(&id) {
                self.sim.rebalance(member.client.group());
            }
        }
        self.wake_all();
    }

    /// Writes a record to its topic.
    ///
    /// # Errors
    /// When the topic or the partition does not exist.
    pub(super) fn append(
        &mut self,
        record: NewRecord,
        now: i64,
    ) -> Result<(TopicRecord, Delivery), Refusal> {
        let partition = self.choose_partition(&record)?;
        let NewRecord {
            topic,
            key,
            payload,
            headers,
            timestamp,
            producer,
            ..
        } = record;
        let payload = self.faults.arriving(&topic, payload);
        let timestamp = timestamp.unwrap_or(now);
        let content = Content {
            key: key.clone(),
            payload: payload.clone(),
            headers: headers.clone(),
        };
        let offset = self
            .sim
            .produce(partition, Arc::new(content), timestamp, Outcome::Ok)
            .expect("nothing goes wrong unless it is told to");
        self.wake_all();
        let index = self.sim.place(partition).1;
        let delivery = Delivery::new(topic.clone(), index, offset);
        let written = TopicRecord {
            cluster: self.name,
            topic,
            partition: index,
            offset,
            timestamp,
            key,
            payload,
            headers,
            producer,
        };
        Ok((written, delivery))
    }

    /// The partition that the record names, or that of its key, or the next in turn.
    fn choose_partition(&mut self, record: &NewRecord) -> Result<PartitionId, Refusal> {
        let unknown = || Refusal::UnknownTopic(record.topic.clone());
        let topic = self.sim.topic(&record.topic).ok_or_else(unknown)?;
        let partitions = self.sim.partitions(topic);
        match (record.partition, &record.key) {
            (Some(index), _) => {
                let at = usize::try_from(index).ok();
                at.and_then(|at| partitions.get(at).copied())
                    .ok_or(Refusal::UnknownPartition {
                        topic: record.topic.clone(),
                        partition: index,
                        partitions: partitions.len(),
                    })
            }
            (None, Some(key)) => self.sim.partition_for_key(topic, key).ok_or_else(unknown),
            (None, None) if partitions.is_empty() => Err(unknown()),
            (None, None) => {
                let turn = self.round_robin.entry(record.topic.clone()).or_default();
                let partition = partitions[*turn % partitions.len()];
                *turn += 1;
                Ok(partition)
            }
        }
    }

    /// The group of this name, made when its first member comes. All members have to agree on the
    /// protocol.
    pub(super) fn group(
        &mut self,
        name: &str,
        protocol: Protocol,
        assignor: Assignor,
    ) -> Result<GroupId, String> {
        if let Some(id) = self.sim.find_group(name) {
            let group = self.sim.group(id);
            if (group.protocol(), group.assignor()) != (protocol, assignor) {
                return Err(format!(
                    "group `{name}` speaks another protocol: {:?} with {:?} assignment, not {protocol:?} with {assignor:?}",
                    group.protocol(),
                    group.assignor()
                ));
            }
        }
        Ok(self.sim.create_group(name, protocol, assignor))
    }

    /// The number that the next member gets.
    pub(super) fn next_member(&self) -> u64 {
        self.next_member
    }

    /// Adds a member and returns its number, by which it is found from here on.
    pub(super) fn add_member(&mut self, make: impl FnOnce(u64) -> Member) -> u64 {
        let id = self.next_member;
        self.next_member += 1;
        self.members.push(make(id));
        id
    }

    /// Wakes every consumer. It looks at everything again, which costs next to nothing when there is
    /// nothing new.
    pub(crate) fn wake_all(&self) {
        for member in &self.members {
            member.wake.notify_one();
        }
    }

    /// Since when the broker is down.
    pub(super) fn down_since(&self) -> Option<tokio::time::Instant> {
        self.went_down.filter(|_| self.down)
    }

    /// Wakes the consumers of a group that have something to exchange with it. While the broker is down
    /// they cannot: each would only wake the others, for ever and at one instant.
    pub(crate) fn wake_group(&self, group: GroupId) {
        if self.down {
            return;
        }
        for member in &self.members {
            if member.client.group() == group && member.client.may_exchange(&self.sim) {
                member.wake.notify_one();
            }
        }
    }
}
