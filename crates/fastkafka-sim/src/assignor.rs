//! Kafka's assignors, deterministic.

use crate::group::Member;
use crate::ids::{PartitionId, PartitionSet};
use crate::topics::Topics;

/// How the target of a group is chosen when its members, or the partitions of its topics, change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Assignor {
    /// Topic by topic, neighbouring partitions to neighbouring members.
    Range,
    /// Balanced over all topics, and everybody keeps as much as that allows: cooperative-sticky of the
    /// classic protocols, uniform of KIP-848.
    Sticky,
    /// Nobody gets or loses anything but by [`Cluster::reassign`](crate::Cluster::reassign).
    Explicit,
}

impl Assignor {
    /// Sets the target of every member. `kept` says what each has so far.
    pub(crate) fn assign(
        self,
        members: &mut [Member],
        topics: &Topics,
        kept: impl Fn(&Member) -> PartitionSet,
    ) {
        match self {
            Self::Range => range(members, topics),
            Self::Sticky => sticky(members, topics, kept),
            Self::Explicit => {
                for member in members {
                    let wanted = topics.all(&member.topics);
                    member.target = member.target.intersection(&wanted);
                }
            }
        }
    }
}

fn range(members: &mut [Member], topics: &Topics) {
    let subscribed = members.iter().flat_map(|m| m.topics.iter().copied());
    let mut subscribed: Vec<_> = subscribed.collect();
    subscribed.sort_unstable();
    subscribed.dedup();
    for member in &mut *members {
        member.target = PartitionSet::new();
    }
    for topic in subscribed {
        let partitions = topics.partitions(topic);
        let takers = members.iter_mut().filter(|m| m.topics.contains(&topic));
        let takers: Vec<_> = takers.collect();
        let (each, more) = (
            partitions.len() / takers.len(),
            partitions.len() % takers.len(),
        );
        let mut rest = partitions.iter();
        for (at, member) in takers.into_iter().enumerate() {
            let share = each + usize::from(at < more);
            rest.by_ref()
                .take(share)
                .for_each(|p| member.target.insert(*p));
        }
    }
}

fn sticky(members: &mut [Member], topics: &Topics, kept: impl Fn(&Member) -> PartitionSet) {
    let mut free = PartitionSet::new();
    for member in &*members {
        free = free.union(&topics.all(&member.topics));
    }
    for member in &mut *members {
        let wanted = topics.all(&member.topics).intersection(&free);
        member.target = kept(member).intersection(&wanted);
        free = free.minus(&member.target);
    }
    for partition in free.iter() {
        let takers = members.iter_mut();
        let takers = takers.filter(|m| subscribes(m, topics, partition));
        if let Some(least) = takers.min_by_key(|m| m.target.len()) {
            least.target.insert(partition);
        }
    }
    // Each move makes the sum of the squared loads smaller, so this ends.
    while let Some((from, to, partition)) = unfair(members, topics) {
        members[from].target.remove(partition);
        members[to].target.insert(partition);
    }
}

fn subscribes(member: &Member, topics: &Topics, partition: PartitionId) -> bool {
    member.topics.contains(&topics.place(partition).0)
}

/// A partition whose move would bring two members closer together.
fn unfair(members: &[Member], topics: &Topics) -> Option<(usize, usize, PartitionId)> {
    let pairs = (0..members.len()).flat_map(|a| (0..members.len()).map(move |b| (a, b)));
    pairs
        .filter(|&(from, to)| members[from].target.len() > members[to].target.len() + 1)
        .find_map(|(from, to)| {
            // The last one, so that everybody keeps a run of partitions from its first one on.
            let mine = members[from].target.iter();
            let last = mine.filter(|p| subscribes(&members[to], topics, *p)).last();
            last.map(|partition| (from, to, partition))
        })
}
