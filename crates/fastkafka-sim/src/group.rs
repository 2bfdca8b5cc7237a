//! A consumer group as its coordinator sees it: members, generations, committed offsets.

use crate::assignor::Assignor;
use crate::ids::{MemberId, PartitionId, PartitionSet, TopicId};
use crate::topics::Topics;
use std::sync::Arc;

/// How a group moves partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Classic, eager: everybody gives everything back before anybody gets anything.
    Eager,
    /// Classic, cooperative (KIP-429): members keep what stays theirs. What moves is given back after
    /// one rebalance and handed on by the next.
    Cooperative,
    /// KIP-848: the coordinator leads each member to its target by itself, and hands a partition on
    /// once its member has acknowledged that it gave it back.
    Consumer,
}

/// The errors that a coordinator answers, by Kafka's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupError {
    /// The group has no such member (any more).
    UnknownMember,
    /// Classic: the group is in another generation.
    IllegalGeneration,
    /// Classic: join again.
    RebalanceInProgress,
    /// KIP-848, heartbeat: the member is in another epoch and must join anew.
    FencedMemberEpoch,
    /// KIP-848, commit: the member is in another epoch.
    StaleMemberEpoch,
    /// A partition does not exist. Those of the same commit that do exist are committed.
    UnknownPartition,
}

impl std::fmt::Display for GroupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::UnknownMember => "unknown member",
            Self::IllegalGeneration => "illegal generation",
            Self::RebalanceInProgress => "rebalance in progress",
            Self::FencedMemberEpoch => "fenced member epoch",
            Self::StaleMemberEpoch => "stale member epoch",
            Self::UnknownPartition => "unknown topic or partition",
        })
    }
}

impl std::error::Error for GroupError {}

/// A committed offset.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Committed {
    /// The next offset to read.
    pub offset: i64,
    /// The committer's note.
    pub metadata: Option<Arc<str>>,
}

impl From<i64> for Committed {
    fn from(offset: i64) -> Self {
        Self {
            offset,
            metadata: None,
        }
    }
}

/// A request to commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Commit {
    /// The member; `None` for an admin client, accepted only while the group is empty.
    pub member: Option<MemberId>,
    /// The generation, or epoch, that the member believes in.
    pub generation: u32,
    /// Each the next offset to read.
    pub offsets: Vec<(PartitionId, Committed)>,
}

/// The coordinator's knowledge of a member.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Member {
    pub(crate) id: MemberId,
    pub(crate) topics: Arc<[TopicId]>,
    /// KIP-848: the member's epoch. Classic members share that of the group.
    pub(crate) epoch: u32,
    /// The partitions that it should have in the end.
    pub(crate) target: PartitionSet,
    /// The partitions that it has been given. Classic: in this generation.
    pub(crate) assigned: PartitionSet,
    /// KIP-848: what it was asked to give back and has not given back.
    pub(crate) revoking: PartitionSet,
    /// Classic: what it said it had when it joined.
    pub(crate) owned: PartitionSet,
    /// Classic: it has joined and waits for the others.
    pub(crate) waiting: bool,
}

/// The phase of a classic group. The others are always stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Waits until every member has joined again. Commits of the old generation are still good.
    PreparingRebalance,
    /// In a new generation, whose assignment the leader has not brought yet.
    CompletingRebalance,
    /// Nothing to do.
    Stable,
}

/// A consumer group. What it has committed outlives its members.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    pub(crate) protocol: Protocol,
    pub(crate) assignor: Assignor,
    pub(crate) phase: Phase,
    /// Classic: the generation. KIP-848: the epoch of the group.
    pub(crate) generation: u32,
    /// In the order of their ids, which is that in which they came.
    pub(crate) members: Vec<Member>,
    pub(crate) next_member: u32,
    committed: Vec<Option<Committed>>,
}

impl Group {
    pub(crate) fn new(protocol: Protocol, assignor: Assignor) -> Self {
        Self {
            protocol,
            assignor,
            phase: Phase::Stable,
            generation: 0,
            members: Vec::new(),
            next_member: 0,
            committed: Vec::new(),
        }
    }

    /// How it moves partitions.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The assignor.
    pub fn assignor(&self) -> Assignor {
        self.assignor
    }

    /// The phase.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The generation, or the epoch, of the group.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The members of the group, whether alive or not.
    pub fn members(&self) -> impl Iterator<Item = MemberId> {
        self.members.iter().map(|member| member.id)
    }

    /// Whether this is a member.
    pub fn has(&self, member: MemberId) -> bool {
        self.members().any(|id| id == member)
    }

    /// The partitions that a member should have in the end.
    pub fn target(&self, member: MemberId) -> PartitionSet {
        self.find(member)
            .map_or_else(PartitionSet::new, |m| m.target.clone())
    }

    /// The partitions that a member has in the eyes of the group: given to it, and not known to be given back.
    pub fn assignment(&self, member: MemberId) -> PartitionSet {
        self.find(member)
            .map_or_else(PartitionSet::new, |m| m.assigned.union(&m.revoking))
    }

    /// The committed offset of a partition.
    pub fn committed(&self, partition: PartitionId) -> Option<&Committed> {
        self.committed.get(partition.index())?.as_ref()
    }

    pub(crate) fn find(&self, member: MemberId) -> Option<&Member> {
        self.members.iter().find(|m| m.id == member)
    }

    pub(crate) fn at(&self, member: MemberId) -> Result<usize, GroupError> {
        let at = self.members.iter().position(|m| m.id == member);
        at.ok_or(GroupError::UnknownMember)
    }

    pub(crate) fn add(&mut self, topics: Arc<[TopicId]>) -> usize {
        self.members.push(Member {
            id: MemberId(self.next_member),
            topics,
            epoch: 0,
            target: PartitionSet::new(),
            assigned: PartitionSet::new(),
            revoking: PartitionSet::new(),
            owned: PartitionSet::new(),
            waiting: false,
        });
        self.next_member += 1;
        self.members.len() - 1
    }

    /// A member leaves, or its session has expired.
    pub(crate) fn remove(&mut self, member: MemberId, topics: &Topics) -> Result<(), GroupError> {
        let at = self.at(member)?;
        self.members.remove(at);
        self.rebalance(topics);
        Ok(())
    }

    /// The members, or the partitions of their topics, have changed.
    pub(crate) fn rebalance(&mut self, topics: &Topics) {
        match self.protocol {
            Protocol::Consumer => self.next_epoch(topics),
            Protocol::Eager | Protocol::Cooperative => {
                self.phase = Phase::PreparingRebalance;
                self.complete_join(topics);
            }
        }
    }

    pub(crate) fn commit(&mut self, commit: &Commit, topics: &Topics) -> Result<(), GroupError> {
        self.may_commit(commit)?;
        let mut result = Ok(());
        for (partition, committed) in &commit.offsets {
            if !topics.exists(*partition) {
                result = Err(GroupError::UnknownPartition);
                continue;
            }
            if self.committed.len() <= partition.index() {
                self.committed.resize(partition.index() + 1, None);
            }
            self.committed[partition.index()] = Some(committed.clone());
        }
        result
    }

    /// Kafka's `validateOffsetCommit`.
    fn may_commit(&self, commit: &Commit) -> Result<(), GroupError> {
        let Some(id) = commit.member else {
            let empty = self.members.is_empty();
            return empty.then_some(()).ok_or(GroupError::UnknownMember);
        };
        let member = self.find(id).ok_or(GroupError::UnknownMember)?;
        match self.protocol {
            Protocol::Consumer if commit.generation != member.epoch => {
                Err(GroupError::StaleMemberEpoch)
            }
            Protocol::Consumer => Ok(()),
            _ if commit.generation != self.generation => Err(GroupError::IllegalGeneration),
            _ if self.phase == Phase::CompletingRebalance => Err(GroupError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    /// A partition that is deleted takes its commit with it.
    pub(crate) fn forget(&mut self, partitions: &[PartitionId]) {
        for partition in partitions {
            if let Some(committed) = self.committed.get_mut(partition.index()) {
                *committed = None;
            }
        }
        while self.committed.last() == Some(&None) {
            self.committed.pop();
        }
    }
}
