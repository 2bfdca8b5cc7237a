//! Open records: those that the groups of a cluster in memory have not settled.

use crate::lines::on;
use crate::memory::state::ClusterState;
use crate::memory::stored::Stored;
use crate::topology::ClusterName;
use fastkafka_sim::{Entry, GroupId, PartitionId, TopicId};
use std::collections::BTreeSet;
use std::fmt;

/// The first record of a partition that its group has not settled.
pub(crate) struct OpenRecord {
    pub(crate) cluster: ClusterName,
    pub(crate) group: String,
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// A member of the group has the partition.
    pub(crate) is_assigned: bool,
}

impl ClusterState {
    /// The first open record of each partition that is read. A group without a member reads nothing.
    pub(crate) fn open_records(&self) -> Vec<OpenRecord> {
        let mut reads: BTreeSet<(GroupId, TopicId)> = BTreeSet::new();
        for member in &self.members {
            let group = member.client.group();
            reads.extend(member.topics.iter().map(|topic| (group, *topic)));
        }
        let mut open = Vec::new();
        for (group, topic) in reads {
            for &partition in self.sim.partitions(topic) {
                let Some(entry) = self.first_open(group, partition) else {
                    continue;
                };
                open.push(OpenRecord {
                    cluster: self.name,
                    group: self.sim.group_name(group).to_owned(),
                    topic: self.sim.topic_name(topic).to_owned(),
                    partition: self.sim.place(partition).1,
                    offset: entry.offset,
                    is_assigned: self.members.iter().any(|member| {
                        let client = &member.client;
                        client.group() == group && client.position(partition).is_some()
                    }),
                });
            }
        }
        open
    }

    fn first_open(&self, group: GroupId, partition: PartitionId) -> Option<&Entry<Stored>> {
        let committed = self.sim.committed(group, partition);
        let mut next = committed.map(|committed| committed.offset);
        // While commits cannot arrive a stored offset counts as settled.
        if self.commits_lost {
            let stored = self
                .members
                .iter()
                .filter(|member| member.client.group() == group)
                .filter_map(|member| member.client.stored(partition))
                .map(|stored| stored.offset)
                .max();
            next = next.max(stored);
        }
        let entries = self.sim.log(partition)?.entries();
        let at = entries.partition_point(|entry| Some(entry.offset) < next);
        entries.get(at)
    }

    /// The message that the broker is down, with the call that brings it back.
    pub(crate) fn down_message(&self) -> String {
        match self.name {
            "" => "the broker is down: call `broker_up()`".to_owned(),
            name => format!(
                "the broker of cluster `{name}` is down: call `tester.cluster(\"{name}\").broker_up()`"
            ),
        }
    }
}

impl fmt::Display for OpenRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}[{}]{} offset {} of group `{}` is not settled",
            self.topic,
            self.partition,
            on(self.cluster),
            self.offset,
            self.group
        )
    }
}
