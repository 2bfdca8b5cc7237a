//! KIP-848: the coordinator leads each member from what it has to its target.

use crate::group::{Group, GroupError};
use crate::ids::{MemberId, PartitionSet, TopicId};
use crate::topics::Topics;
use std::sync::Arc;

impl Group {
    /// A first heartbeat: the member joins in epoch 0.
    pub(crate) fn enter(&mut self, subscription: &Arc<[TopicId]>, topics: &Topics) -> MemberId {
        let at = self.add(subscription.clone());
        let id = self.members[at].id;
        self.next_epoch(topics);
        id
    }

    pub(crate) fn next_epoch(&mut self, topics: &Topics) {
        self.generation += 1;
        self.assignor
            .assign(&mut self.members, topics, |m| m.target.clone());
    }

    /// ConsumerGroupHeartbeat: what the member has by its own account, answered with its epoch and
    /// what it may have.
    pub(crate) fn reconcile(
        &mut self,
        member: MemberId,
        epoch: u32,
        owned: &PartitionSet,
    ) -> Result<(u32, PartitionSet), GroupError> {
        let at = self.at(member)?;
        if epoch != self.members[at].epoch {
            return Err(GroupError::FencedMemberEpoch);
        }
        let (epoch, assigned, revoking) = self.progress(at, owned);
        let member = &mut self.members[at];
        member.epoch = epoch;
        member.revoking = revoking;
        member.assigned.clone_from(&assigned);
        Ok((epoch, assigned))
    }

    /// The member after the next heartbeat with these partitions: epoch, assigned, revoking.
    /// Kafka's `CurrentAssignmentBuilder`.
    pub(crate) fn progress(
        &self,
        at: usize,
        owned: &PartitionSet,
    ) -> (u32, PartitionSet, PartitionSet) {
        let member = &self.members[at];
        let unacknowledged = member.revoking.intersection(owned);
        if !unacknowledged.is_empty() {
            return (
                member.epoch,
                member.assigned.clone(),
                member.revoking.clone(),
            );
        }
        let kept = member.assigned.intersection(&member.target);
        let revoking = member.assigned.minus(&kept);
        if !revoking.intersection(owned).is_empty() {
            // Its epoch stays, so that it can commit what it gives back.
            return (member.epoch, kept, revoking);
        }
        let others = self.members.iter().enumerate().filter(|(i, _)| *i != at);
        let held = others.fold(PartitionSet::new(), |held, (_, other)| {
            held.union(&other.assigned).union(&other.revoking)
        });
        let free = member.target.minus(&held);
        (self.generation, kept.union(&free), PartitionSet::new())
    }
}
