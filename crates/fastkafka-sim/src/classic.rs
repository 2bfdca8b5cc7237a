//! The classic protocols: join and sync.
//!
//! The member that syncs first is the leader: a follower that waits for another leader differs in nothing from
//! one whose turn has not come, and so no member is special.

use crate::group::{Group, GroupError, Phase, Protocol};
use crate::ids::{MemberId, PartitionSet, TopicId};
use crate::topics::Topics;
use std::sync::Arc;

impl Group {
    /// JoinGroup. The answer is had from [`Group::joined`] when everybody has joined.
    pub(crate) fn join(
        &mut self,
        member: Option<MemberId>,
        subscription: &Arc<[TopicId]>,
        owned: PartitionSet,
        topics: &Topics,
    ) -> Result<MemberId, GroupError> {
        let at = match member {
            Some(member) => self.at(member)?,
            None => self.add(subscription.clone()),
        };
        let member = &mut self.members[at];
        member.topics = subscription.clone();
        member.owned = owned;
        member.waiting = true;
        let id = member.id;
        self.rebalance(topics);
        Ok(id)
    }

    /// The answer to JoinGroup: the new generation, or none while others are missing.
    pub(crate) fn joined(&self, member: MemberId) -> Result<Option<u32>, GroupError> {
        let member = &self.members[self.at(member)?];
        Ok((!member.waiting).then_some(self.generation))
    }

    /// SyncGroup: the assignment of this generation.
    pub(crate) fn sync(
        &mut self,
        member: MemberId,
        generation: u32,
    ) -> Result<PartitionSet, GroupError> {
        let at = self.at(member)?;
        if generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        if self.phase == Phase::PreparingRebalance {
            return Err(GroupError::RebalanceInProgress);
        }
        self.phase = Phase::Stable;
        Ok(self.members[at].assigned.clone())
    }

    /// The next generation begins when the last member has joined.
    pub(crate) fn complete_join(&mut self, topics: &Topics) {
        if !self.members.iter().all(|member| member.waiting) {
            return;
        }
        self.generation += 1;
        if self.members.is_empty() {
            self.phase = Phase::Stable;
            return;
        }
        self.phase = Phase::CompletingRebalance;
        let cooperative = self.protocol == Protocol::Cooperative;
        self.assignor.assign(&mut self.members, topics, |member| {
            if cooperative {
                member.owned.clone()
            } else {
                member.assigned.clone()
            }
        });
        for at in 0..self.members.len() {
            // What another one still has is given back first, and moves with the next generation.
            let mut assigned = self.members[at].target.clone();
            for (_, other) in self.members.iter().enumerate().filter(|(i, _)| *i != at) {
                assigned = assigned.minus(&other.owned);
            }
            let member = &mut self.members[at];
            member.assigned = assigned;
            member.waiting = false;
        }
        for member in &mut self.members {
            member.owned = PartitionSet::new();
        }
    }
}
