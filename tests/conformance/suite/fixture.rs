//! Members of one group that read one topic, driven as an owner drives its consumer.

use crate::cluster::{Cluster, Commit, MemberId, New};
use conformance::{Answer, Ask, Fetched, Protocol, Seen};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

pub(crate) const TOPIC: &str = "topic";
pub(crate) const GROUP: &str = "group";

/// A member as it sees itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    pub(crate) id: MemberId,
    /// What it was given, and where each began.
    pub(crate) assigned: BTreeMap<i32, i64>,
    /// All starts it ever made, in order.
    pub(crate) starts: Vec<(i32, i64)>,
    /// A revoke that it has not answered.
    pub(crate) owed: Option<Vec<i32>>,
    /// It answers revokes only when told.
    pub(crate) drains: bool,
    /// It reads whenever it can.
    pub(crate) reads: bool,
    /// The offsets it took, per partition, in order.
    pub(crate) records: BTreeMap<i32, Vec<i64>>,
    pub(crate) out_of_range: BTreeSet<i32>,
    /// The revokes it heard of.
    pub(crate) revokes: Vec<Vec<i32>>,
    /// What it lost without being asked.
    pub(crate) lost: BTreeSet<i32>,
    /// Frozen, killed or gone.
    pub(crate) away: bool,
}

impl View {
    pub(crate) fn has(&self, partitions: impl IntoIterator<Item = i32>) -> bool {
        self.assigned.keys().copied().eq(partitions)
    }

    pub(crate) fn took(&self, partition: i32) -> &[i64] {
        self.records.get(&partition).map_or(&[], Vec::as_slice)
    }
}

pub(crate) struct MembersFixture<'c> {
    pub(crate) cluster: &'c mut dyn Cluster,
    pub(crate) protocol: Protocol,
    pub(crate) members: Vec<View>,
    patience: Duration,
}

impl<'c> MembersFixture<'c> {
    pub(crate) fn new(
        cluster: &'c mut dyn Cluster,
        protocol: Protocol,
        patience: Duration,
    ) -> Self {
        Self {
            cluster,
            protocol,
            members: Vec::new(),
            patience,
        }
    }

    pub(crate) fn topic(&mut self, partitions: i32) {
        self.cluster.create_topic(TOPIC, partitions);
    }

    /// Writes to one partition.
    pub(crate) fn append(&mut self, partition: i32, records: usize) {
        let record = New {
            partition: Some(partition),
            ..New::default()
        };
        for _ in 0..records {
            self.cluster.append(TOPIC, &record);
        }
    }

    /// Joins, reading whatever comes.
    pub(crate) fn join(&mut self) -> usize {
        let id = self.cluster.join(GROUP, TOPIC, self.protocol);
        self.members.push(View {
            id,
            reads: true,
            ..View::default()
        });
        self.members.len() - 1
    }

    /// Joins, and waits until the group has settled with these assignments in total.
    pub(crate) fn join_and_settle(&mut self) -> usize {
        let member = self.join();
        self.until("the new member has partitions", |fixture| {
            !fixture.members[member].assigned.is_empty()
        });
        member
    }

    pub(crate) fn committed(&mut self, partition: i32) -> Option<i64> {
        Some(self.commit_of(partition)?.0)
    }

    pub(crate) fn commit_of(&mut self, partition: i32) -> Option<Commit> {
        self.cluster.committed(GROUP, TOPIC, partition)
    }

    pub(crate) fn done(&mut self, member: usize, ask: &Ask) -> Result<(), String> {
        match self.cluster.ask(self.members[member].id, ask) {
            Answer::Done(done) => done,
            other => panic!("{ask:?} is answered by {other:?}"),
        }
    }

    /// As [`done`](Self::done), and it must work.
    pub(crate) fn ask(&mut self, member: usize, ask: &Ask) {
        if let Err(e) = self.done(member, ask) {
            panic!("{ask:?} by member {member}: {e}");
        }
    }

    pub(crate) fn position(&mut self, member: usize, partition: i32) -> Option<i64> {
        match self
            .cluster
            .ask(self.members[member].id, &Ask::Position(partition))
        {
            Answer::Position(position) => position,
            other => panic!("a position is {other:?}"),
        }
    }

    /// Takes at most `max` records; returns how many it were.
    pub(crate) fn fetch(&mut self, member: usize, max: usize) -> usize {
        let view = &mut self.members[member];
        let Answer::Records(fetched) = self.cluster.ask(
            view.id,
            &Ask::Fetch {
                partition: None,
                max,
            },
        ) else {
            panic!("a fetch is answered by records");
        };
        for fetched in &fetched {
            match *fetched {
                Fetched::Record { partition, offset } => {
                    view.records.entry(partition).or_default().push(offset);
                }
                Fetched::OutOfRange { partition } => {
                    view.out_of_range.insert(partition);
                }
            }
        }
        fetched.len()
    }

    pub(crate) fn answer_revoke(&mut self, member: usize) {
        let Some(partitions) = self.members[member].owed.take() else {
            return;
        };
        self.members[member]
            .assigned
            .retain(|p, _| !partitions.contains(p));
        self.ask(member, &Ask::Unassign(partitions));
    }

    fn hear(&mut self, member: usize, seen: Seen) {
        match seen {
            Seen::Assign(partitions) => {
                let starts: Vec<_> = partitions
                    .into_iter()
                    .map(|p| (p, self.committed(p).unwrap_or(0)))
                    .collect();
                self.ask(member, &Ask::Assign(starts.clone()));
                let view = &mut self.members[member];
                view.assigned.extend(starts.iter().copied());
                view.starts.extend(starts);
            }
            Seen::Revoke { partitions, lost } => {
                let view = &mut self.members[member];
                view.revokes.push(partitions.clone());
                if lost {
                    view.lost.extend(&partitions);
                }
                view.owed = Some(partitions);
                if lost || !self.members[member].drains {
                    self.answer_revoke(member);
                }
            }
        }
    }

    /// Every member does what there is to do. True if anything was.
    pub(crate) fn turn(&mut self) -> bool {
        let mut moved = false;
        for member in 0..self.members.len() {
            if self.members[member].away {
                continue;
            }
            let Answer::Seen(seen) = self.cluster.ask(self.members[member].id, &Ask::Poll) else {
                panic!("a poll is answered by what was seen");
            };
            moved |= !seen.is_empty();
            for seen in seen {
                self.hear(member, seen);
            }
            moved |= self.members[member].reads && self.fetch(member, 1_000) > 0;
        }
        moved
    }

    /// Turns until `done`.
    pub(crate) fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + self.patience;
        loop {
            if done(self) {
                return;
            }
            let more = self.turn() || self.cluster.pass();
            if !more && !done(self) {
                panic!("at rest without: {what}: {:#?}", self.members);
            }
            assert!(
                Instant::now() < deadline,
                "not in time: {what}: {:#?}",
                self.members
            );
        }
    }

    /// Turns for a while in which something must not happen.
    pub(crate) fn for_a_while(&mut self, mut holds: impl FnMut(&Self) -> bool, what: &str) {
        for _ in 0..30 {
            let _ = self.turn() || self.cluster.pass();
            assert!(holds(self), "{what}: {:#?}", self.members);
        }
    }

    /// Leaves in good order: the last revoke is answered, what is stored is committed.
    pub(crate) fn leave(&mut self, member: usize) {
        self.members[member].drains = false;
        self.members[member].reads = false;
        self.answer_revoke(member);
        if !self.members[member].assigned.is_empty() {
            self.ask(member, &Ask::Unsubscribe);
            self.until("the last revoke", |fixture| {
                fixture.members[member].assigned.is_empty()
            });
        }
        self.ask(member, &Ask::Close);
        self.members[member].away = true;
    }

    pub(crate) fn freeze(&mut self, member: usize) {
        self.cluster.freeze(self.members[member].id);
        self.members[member].away = true;
    }

    pub(crate) fn thaw(&mut self, member: usize) {
        self.cluster.thaw(self.members[member].id);
        self.members[member].away = false;
    }

    pub(crate) fn kill(&mut self, member: usize) {
        self.cluster.kill(self.members[member].id);
        self.members[member].away = true;
    }
}
