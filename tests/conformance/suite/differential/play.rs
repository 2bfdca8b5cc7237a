//! Plays a schedule on a cluster, and writes down after each step what can be seen.

use super::schedule::{MEMBERS, PARTITIONS, Step};
use crate::cluster::Cluster;
use crate::fixture::{MembersFixture, TOPIC};
use crate::sim::{Assignments, Wanted};
use conformance::{Answer, Ask, Fetched, Protocol};
use std::fmt::Write;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
/// A group is at rest when nobody hears anything for so many turns.
const QUIET: usize = 10;

/// What was seen after a step.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    pub(crate) text: String,
    /// Every time that the group settled.
    pub(crate) settled: Vec<Assignments>,
}

pub(crate) struct Play<'c> {
    fixture: MembersFixture<'c>,
    /// The offsets of the records that can be seen, and where the log ends: what a reader must get,
    /// known without asking anybody.
    logs: Vec<(Vec<i64>, i64)>,
    /// Who paused a partition, and how often it had begun with it: the next time it is not paused.
    paused: Vec<Option<(usize, usize)>>,
    pub(crate) sights: Vec<Sight>,
    settled: Vec<Assignments>,
    /// What the group settled to elsewhere: the first is still to come.
    wanted: Wanted,
}

impl<'c> Play<'c> {
    pub(crate) fn new(cluster: &'c mut dyn Cluster, protocol: Protocol, wanted: Wanted) -> Self {
        let mut fixture = MembersFixture::new(cluster, protocol, PATIENCE);
        fixture.topic(number(PARTITIONS.0));
        Self {
            fixture,
            logs: vec![(Vec::new(), 0); PARTITIONS.0],
            paused: vec![None; PARTITIONS.1],
            sights: Vec::new(),
            settled: Vec::new(),
            wanted,
        }
    }

    pub(crate) fn step(&mut self, step: Step) {
        let mut text = self.take(step);
        self.look(&mut text);
        let settled = std::mem::take(&mut self.settled);
        self.sights.push(Sight { text, settled });
    }

    fn here(&self) -> Vec<usize> {
        let all = 0..self.fixture.members.len();
        all.filter(|m| !self.fixture.members[*m].away).collect()
    }

    fn assignments(&self) -> Assignments {
        let members = self.fixture.members.iter();
        members
            .map(|m| match m.away {
                true => Vec::new(),
                false => m.assigned.keys().copied().collect(),
            })
            .collect()
    }

    fn partition(&self, at: usize) -> i32 {
        number(at % self.logs.len())
    }

    fn owner(&self, partition: i32) -> Option<usize> {
        let owns = |m: &usize| self.fixture.members[*m].assigned.contains_key(&partition);
        self.here().into_iter().find(owns)
    }

    fn starts(&self, member: usize, partition: i32) -> usize {
        let starts = self.fixture.members[member].starts.iter();
        starts.filter(|(p, _)| *p == partition).count()
    }

    fn log(&self, partition: i32) -> &(Vec<i64>, i64) {
        &self.logs[index(partition)]
    }

    /// Where a reader stands: at the next record it can see. Whether it has passed a gap is its own
    /// business.
    fn position(&mut self, member: usize, partition: i32) -> Option<i64> {
        let position = self.fixture.position(member, partition)?;
        let (visible, end) = self.log(partition);
        Some(
            visible
                .iter()
                .copied()
                .find(|o| *o >= position)
                .unwrap_or(*end),
        )
    }

    /// Whether every partition is with one member that is here, evenly, and nobody owes an answer.
    fn settled(fixture: &MembersFixture<'_>, partitions: usize) -> bool {
        let here: Vec<_> = fixture.members.iter().filter(|m| !m.away).collect();
        let mut all: Vec<_> = here
            .iter()
            .flat_map(|m| m.assigned.keys().copied())
            .collect();
        all.sort_unstable();
        let sizes = here.iter().map(|m| m.assigned.len());
        let even = sizes.clone().max().unwrap_or(0) <= sizes.min().unwrap_or(0) + 1;
        here.is_empty()
            || (even
                && all.into_iter().eq(0..number(partitions))
                && here.iter().all(|m| m.owed.is_none()))
    }

    fn settle(&mut self) {
        let partitions = self.logs.len();
        let mut quiet = 0;
        while quiet < QUIET {
            self.fixture
                .until("the group settles", |s| Self::settled(s, partitions));
            quiet = if self.fixture.turn() { 0 } else { quiet + 1 };
        }
        self.settled.push(self.assignments());
        self.wanted.borrow_mut().pop_front();
    }

    fn join(&mut self) -> usize {
        let member = self.fixture.join();
        self.fixture.members[member].reads = false;
        member
    }

    fn take(&mut self, step: Step) -> String {
        let here = self.here();
        let one = |at: usize| here[at % here.len()];
        match step {
            Step::Join | Step::JoinWhileBusy { .. } if here.len() == MEMBERS => return skipped(),
            Step::JoinWhileBusy { .. } | Step::Leave(_) | Step::Kill(_) if here.is_empty() => {
                return skipped();
            }
            Step::Expel(_) if here.len() < 2 => return skipped(),
            Step::Join => {
                self.join();
                self.settle();
            }
            Step::JoinWhileBusy {
                member,
                store,
                commit,
            } => return self.join_while_busy(one(member), store, commit),
            Step::Leave(member) => {
                self.fixture.leave(one(member));
                self.settle();
            }
            Step::Kill(member) => {
                self.fixture.kill(one(member));
                self.settle();
            }
            Step::Expel(member) => return self.expel(one(member)),
            Step::Grow => return self.grow(),
            Step::Append { partition, records } => {
                let partition = self.partition(partition);
                self.fixture.append(partition, records);
                let (visible, end) = &mut self.logs[index(partition)];
                visible.extend((*end..).take(records));
                *end += i64::try_from(records).unwrap();
            }
            Step::Abort { partition, records } => {
                let partition = self.partition(partition);
                let cluster = &mut self.fixture.cluster;
                cluster.append_aborted(TOPIC, partition, records);
                let (_, end) = &mut self.logs[index(partition)];
                *end += i64::try_from(records).unwrap() + 1;
            }
            Step::Fetch { partition, records } => return self.fetch(partition, records),
            Step::Store(partition) => {
                let partition = self.partition(partition);
                let Some(owner) = self.owner(partition) else {
                    return skipped();
                };
                return self.store(owner, partition);
            }
            Step::Commit(partition) => {
                return self.by_owner(partition, |_| Ask::Commit);
            }
            Step::CommitAt { partition, offset } => {
                return self.by_owner(partition, |(p, end)| {
                    Ask::CommitAt(p, below(offset, end), format!("{offset}"))
                });
            }
            Step::Pause { partition, pause } => {
                return self.by_owner(partition, |(p, _)| Ask::Pause(p, pause));
            }
            Step::Seek { partition, offset } => {
                // A client that gives a partition up to move it commits what is stored.
                self.by_owner(partition, |_| Ask::Commit);
                return self.by_owner(partition, |(p, end)| Ask::Seek(p, below(offset, end)));
            }
        }
        String::new()
    }

    /// Has the owner of a partition do something; it depends on the partition and its end.
    fn by_owner(&mut self, partition: usize, ask: impl Fn((i32, i64)) -> Ask) -> String {
        let partition = self.partition(partition);
        let Some(owner) = self.owner(partition) else {
            return skipped();
        };
        let ask = ask((partition, self.log(partition).1));
        if let Ask::Pause(_, pause) = ask {
            self.paused[index(partition)] = pause.then(|| (owner, self.starts(owner, partition)));
        }
        outcome(&self.fixture.done(owner, &ask))
    }

    fn store(&mut self, member: usize, partition: i32) -> String {
        match self.position(member, partition) {
            Some(at) => outcome(&self.fixture.done(member, &Ask::Store(partition, at))),
            None => skipped(),
        }
    }

    fn fetch(&mut self, partition: usize, records: usize) -> String {
        let partition = self.partition(partition);
        let Some(owner) = self.owner(partition) else {
            return skipped();
        };
        let from = self.position(owner, partition).expect("it is assigned");
        let (visible, _) = self.log(partition);
        let there = visible.iter().filter(|o| **o >= from).count();
        let pause = Some((owner, self.starts(owner, partition)));
        let expected = if self.paused[index(partition)] == pause {
            0
        } else {
            there.min(records)
        };
        let id = self.fixture.members[owner].id;
        let mut taken = Vec::new();
        let take = |fixture: &mut MembersFixture<'_>, taken: &mut Vec<i64>| {
            let ask = Ask::Fetch {
                partition: Some(partition),
                max: records - taken.len(),
            };
            let Answer::Records(fetched) = fixture.cluster.ask(id, &ask) else {
                panic!("a fetch is answered by records");
            };
            for fetched in fetched {
                match fetched {
                    Fetched::Record { offset, .. } => taken.push(offset),
                    Fetched::OutOfRange { .. } => taken.push(-1),
                }
            }
        };
        self.fixture.until("the records", |fixture| {
            if taken.len() < records {
                take(fixture, &mut taken);
            }
            taken.len() >= expected
        });
        if expected < records {
            // More than there is, or of a partition that is paused?
            self.fixture.turn();
            take(&mut self.fixture, &mut taken);
        }
        format!("{taken:?}")
    }

    fn join_while_busy(&mut self, member: usize, store: bool, commit: bool) -> String {
        self.fixture.members[member].drains = true;
        self.join();
        let partitions = self.logs.len();
        self.fixture.until("a revoke, or none", |s| {
            s.members[member].owed.is_some() || Self::settled(s, partitions)
        });
        let owed = self.fixture.members[member].owed.clone();
        let owed = owed.unwrap_or_default();
        let mut text = format!("gives back {owed:?}");
        for partition in owed.iter().filter(|_| store) {
            let stored = self.store(member, *partition);
            let _ = write!(text, ", store {stored}");
        }
        if let (Some(first), true) = (owed.first(), commit) {
            let at = self.position(member, *first).expect("not given back yet");
            let ask = Ask::CommitAt(*first, at, "busy".into());
            let _ = write!(
                text,
                ", commit {}",
                outcome(&self.fixture.done(member, &ask))
            );
        }
        self.fixture.members[member].drains = false;
        self.fixture.answer_revoke(member);
        self.settle();
        text
    }

    fn expel(&mut self, member: usize) -> String {
        let mut had = self.fixture.members[member].assigned.clone().into_keys();
        let first = had.next().expect("no more members than partitions");
        self.fixture.freeze(member);
        self.settle();
        self.fixture.thaw(member);
        // It does not know yet.
        let ask = Ask::CommitAt(first, 1, "from the dead".into());
        let text = outcome(&self.fixture.done(member, &ask));
        self.settle();
        text
    }

    fn grow(&mut self) -> String {
        // A client looks at topics now and then only while it is in a group.
        if self.logs.len() == PARTITIONS.1 || self.here().is_empty() {
            return skipped();
        }
        // When an eager group rejoins because its topic has grown, librdkafka's commit of what is given
        // back may come after the next generation has begun, and is refused: what was stored is
        // repeated. Whether it does is a matter of moments, so nothing is left to commit.
        if self.fixture.protocol == Protocol::Eager {
            for member in self.here() {
                self.fixture.ask(member, &Ask::Commit);
            }
        }
        self.logs.push((Vec::new(), 0));
        self.fixture.cluster.grow(TOPIC, number(self.logs.len()));
        self.settle();
        String::new()
    }

    fn look(&mut self, text: &mut String) {
        let committed: Vec<_> = (0..number(self.logs.len()))
            .map(|p| self.fixture.commit_of(p))
            .map(|c| c.map_or("-".into(), |(at, note)| format!("{at}{note:?}")))
            .collect();
        let _ = write!(
            text,
            " committed {}",
            committed.join(" ").replace("\"\"", "")
        );
        for member in self.here() {
            let _ = write!(text, " m{member}");
            for partition in self.fixture.members[member].assigned.clone().into_keys() {
                let at = self.position(member, partition);
                let at = at.map_or("?".into(), |at| at.to_string());
                let _ = write!(text, " {partition}@{at}");
            }
            let lost = &self.fixture.members[member].lost;
            if !lost.is_empty() {
                let _ = write!(text, " lost {lost:?}");
            }
        }
    }
}

fn number(n: usize) -> i32 {
    i32::try_from(n).unwrap()
}

fn index(partition: i32) -> usize {
    usize::try_from(partition).unwrap()
}

/// An offset of the log, its end included.
fn below(offset: usize, end: i64) -> i64 {
    i64::try_from(offset).unwrap() % (end + 1)
}

/// Clients have their own words for errors.
fn outcome(done: &Result<(), String>) -> String {
    if done.is_ok() { "ok" } else { "refused" }.into()
}

fn skipped() -> String {
    "skipped".into()
}
