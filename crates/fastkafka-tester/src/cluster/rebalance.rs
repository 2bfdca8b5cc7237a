//! Rebalances on demand: a temporary member takes all partitions of a group and gives them back.

use super::Cluster;
use crate::memory::cluster::MemoryCluster;
use crate::memory::stored::Stored;
use crate::tester::Tester;
use crate::unsettled::Unsettled;
use fastkafka_sim::{Assignor, Client, GroupId, Notice, PartitionSet};
use std::collections::BTreeSet;

impl Tester {
    /// Takes every partition of every group away and gives it back: another member joins, gets them
    /// all, and leaves again without having read any. On all clusters, one after the other; see
    /// [`Cluster::rebalance`].
    ///
    /// # Errors
    /// When the partitions are not given back: names the record in hand.
    pub async fn rebalance(&self) -> Result<(), Unsettled> {
        for &cluster in self.topology().clusters() {
            self.cluster(cluster).rebalance().await?;
        }
        Ok(())
    }
}

impl Cluster<'_> {
    /// [`Tester::rebalance`] of the groups on this cluster.
    ///
    /// # Errors
    /// When the partitions are not given back: names the record in hand.
    pub async fn rebalance(&self) -> Result<(), Unsettled> {
        let _held = self.tester.steps().hold();
        let cluster = self.memory().clone();
        let groups: BTreeSet<GroupId> = {
            let state = cluster.state();
            state
                .members
                .iter()
                .map(|member| member.client.group())
                .collect()
        };
        for group in groups {
            rebalance(self.tester, &cluster, group).await?;
        }
        Ok(())
    }
}

async fn rebalance(
    tester: &Tester,
    cluster: &MemoryCluster,
    group: GroupId,
) -> Result<(), Unsettled> {
    let (mut guest, all, assignor) = {
        let mut state = cluster.state();
        let mut topics: Vec<_> = state
            .members
            .iter()
            .filter(|member| member.client.group() == group)
            .flat_map(|member| member.topics.clone())
            .collect();
        topics.sort_unstable();
        topics.dedup();
        let all = state.sim.all_partitions(&topics);
        let assignor = state.sim.group(group).assignor();
        // The group's own assignor would share the partitions out at once.
        state.sim.set_assignor(group, Assignor::Explicit);
        (Client::new(group, topics), all, assignor)
    };
    let taken = take_all(tester, cluster, &mut guest, &all).await;
    cluster.state().sim.set_assignor(group, assignor);
    guest.leave();
    let left = tester.until(|| {
        exchange(cluster, &mut guest);
        guest.closed()
    });
    left.await?;
    taken?;
    // Until the other members have everything again.
    let returned = tester.until(|| {
        let state = cluster.state();
        let assigned = state
            .members
            .iter()
            .filter(|member| member.client.group() == group)
            .map(|member| member.client.assignment())
            .fold(PartitionSet::new(), |sum, more| sum.union(&more));
        assigned == all
    });
    returned.await
}

/// Lets the guest join and get everything.
async fn take_all(
    tester: &Tester,
    cluster: &MemoryCluster,
    guest: &mut Client<Stored>,
    all: &PartitionSet,
) -> Result<(), Unsettled> {
    let joined = tester.until(|| {
        exchange(cluster, guest);
        guest.member().is_some()
    });
    joined.await?;
    {
        let mut state = cluster.state();
        let group = guest.group();
        let me = guest.member().expect("it has joined");
        let members: Vec<_> = state.sim.group(group).members().collect();
        let others = members.into_iter().filter(|member| *member != me);
        let targets: Vec<_> = others
            .map(|member| (member, PartitionSet::new()))
            .chain([(me, all.clone())])
            .collect();
        let reassigned = state.sim.reassign(group, targets);
        reassigned.expect("every member was just listed");
        state.wake_all();
    }
    let assigned = tester.until(|| {
        exchange(cluster, guest);
        guest.assignment() == *all
    });
    assigned.await
}

/// Does whatever is due between the guest and the group. The guest reads and stores nothing.
fn exchange(cluster: &MemoryCluster, guest: &mut Client<Stored>) {
    let mut state = cluster.state();
    while guest.may_exchange(&state.sim) {
        let Some(notice) = guest.exchange(&mut state.sim) else {
            continue;
        };
        match notice {
            Notice::Assign(partitions) => {
                let starts: Vec<_> = partitions.iter().map(|partition| (partition, 0)).collect();
                guest.assign(&starts).expect("it was just told");
            }
            Notice::Revoke { .. } => guest.unassign().expect("it was just told"),
        }
    }
    state.wake_group(guest.group());
}
