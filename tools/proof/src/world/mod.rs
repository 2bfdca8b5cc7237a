//! Members that run the engine that ships, over a cluster in memory. Whatever may happen is an
//! [`Action`]; a state holds no history.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "places in a scope: a handful of members, partitions and records"
)]

mod actions;
mod apply;
mod enabled;
mod groups;
mod lanes;
mod model;
mod names;
mod perform;
mod state;
#[cfg(test)]
mod tests;

pub use actions::Action;
pub use model::WorldMutant;
pub(crate) use state::Job;
pub use state::{Member, World};

use fastkafka_engine::{Failure, Limits, OnFailure, Order, Policy};
use fastkafka_sim::Protocol;
use std::time::Duration;

/// The most a scope can have.
pub(crate) const MEMBERS: usize = 2;
pub(crate) const PARTS: usize = 2;
pub(crate) const RECORDS: usize = 5;

/// Records of a partition by their place in the scope's log.
pub(crate) type Set = u8;

pub(crate) fn ones(mut set: Set) -> impl Iterator<Item = usize> + Clone {
    std::iter::from_fn(move || {
        let first = (set != 0).then(|| set.trailing_zeros() as usize)?;
        set &= set - 1;
        Some(first)
    })
}

pub(crate) fn below(i: usize) -> Set {
    (1 << i) - 1
}

/// Things that go wrong, or that nobody has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Fault {
    /// A process dies and comes back.
    Crash,
    /// Partitions move.
    Rebalance,
    /// The group drops a member that does not know yet.
    Kick,
    /// A handler fails: an error, a panic or a timeout.
    Handler,
    /// An output, an `Ack` or a spawned task fails.
    Output,
    /// A dead letter cannot be written.
    Letter,
    /// A commit is lost, or its answer is.
    Commit,
    /// A member leaves.
    Shutdown,
    /// The producer has no room for a while.
    Room,
    /// The clock jumps.
    Jump,
    /// Retention deletes what was not read.
    Retention,
    /// The log loses its end.
    Truncation,
    /// The user pauses, seeks or restarts a partition.
    User,
    /// A log is read again from an earlier offset.
    Reread,
}

impl Fault {
    pub(crate) const ALL: [Fault; 14] = [
        Fault::Crash,
        Fault::Rebalance,
        Fault::Kick,
        Fault::Handler,
        Fault::Output,
        Fault::Letter,
        Fault::Commit,
        Fault::Shutdown,
        Fault::Room,
        Fault::Jump,
        Fault::Retention,
        Fault::Truncation,
        Fault::User,
        Fault::Reread,
    ];
}

/// How often each fault may still happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget([u8; Fault::ALL.len()]);

impl Budget {
    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.0[fault as usize] > 0
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.0[fault as usize] += 1;
    }

    pub(crate) fn spend(&mut self, fault: Fault) {
        self.0[fault as usize] -= 1;
    }
}

/// A small world: what there is, what may go wrong, and what the user wants.
#[derive(Clone, Debug)]
pub struct Scope {
    pub(crate) name: String,
    pub(crate) policy: Policy,
    /// By key, and no record has one.
    pub(crate) unordered: bool,
    pub(crate) limits: Limits,
    pub(crate) members: usize,
    pub(crate) protocol: Protocol,
    /// Offset and key of each record.
    pub(crate) logs: [Vec<(i64, u8)>; PARTS],
    /// The ends of the logs: behind the last records there may be offsets without one.
    pub(crate) ends: [i64; PARTS],
    /// Clients tell that they have read to the end, and what is no record comes with the records before it.
    pub(crate) tells_end: bool,
    /// How many of a partition's records are there from the beginning.
    pub(crate) early: [usize; PARTS],
    /// A group without a commit starts at the end.
    pub(crate) latest: bool,
    /// The second partition is added later.
    pub(crate) grows: bool,
    /// Longest fetch.
    pub(crate) fetch: usize,
    pub(crate) budget: Budget,
    /// Records that no attempt handles, and records whose output is never acknowledged.
    pub(crate) poison: [Set; PARTS],
    pub(crate) unsendable: [Set; PARTS],
    /// How handlers and outputs fail.
    pub(crate) failures: &'static [Failure],
    /// Of work that counts for nothing any more only the end is an event.
    pub(crate) short_stale: bool,
    pub(crate) mutant: Option<WorldMutant>,
}

pub(crate) const RETRY: Failure = Failure::Retry { after: None };

impl Scope {
    /// `logs` by keys: `01` is two records of two keys, `0-1` has a gap between them, `0-` one at its end.
    pub(crate) fn new(order: &'static str, logs: [&str; PARTS]) -> Self {
        let keyed = Order::Key { concurrency: 3 };
        let ends = logs.map(|keys| keys.len() as i64);
        let logs = logs.map(|keys| {
            let all = keys.bytes().enumerate().filter(|(_, key)| *key != b'-');
            all.map(|(i, key)| (i as i64, key - b'0'))
                .collect::<Vec<_>>()
        });
        Scope {
            name: String::new(),
            policy: Policy {
                order: if order == "partition" {
                    Order::Partition
                } else {
                    keyed
                },
                attempts: Some(2),
                backoff: Duration::from_secs(1),
                backoff_max: Duration::from_secs(1),
                on_failure: OnFailure::DeadLetter,
                batch: false,
            },
            unordered: order == "unordered",
            limits: Limits {
                held_records: 2,
                held_bytes: 1000,
                max_uncommitted: 100,
                ahead: 4,
                outstanding: 4,
            },
            members: 2,
            protocol: Protocol::Cooperative,
            early: [logs[0].len(), logs[1].len()],
            ends,
            tells_end: false,
            logs,
            latest: false,
            grows: false,
            fetch: 2,
            budget: Budget::default(),
            poison: [0; PARTS],
            unsendable: [0; PARTS],
            failures: &[RETRY],
            short_stale: true,
            mutant: None,
        }
    }

    pub(crate) fn is_keyed(&self) -> bool {
        self.policy.order != Order::Partition
    }

    pub(crate) fn order(&self) -> usize {
        usize::from(self.is_keyed()) + usize::from(self.unordered)
    }

    pub(crate) fn offset(&self, p: usize, i: usize) -> i64 {
        self.logs[p][i].0
    }

    pub(crate) fn index(&self, p: usize, offset: i64) -> usize {
        self.logs[p].partition_point(|(at, _)| *at < offset)
    }

    pub(crate) fn span(&self, p: usize, from: i64, to: i64) -> Set {
        below(self.index(p, to)) & !below(self.index(p, from))
    }

    /// The records of the same order unit.
    pub(crate) fn unit(&self, p: usize, i: usize) -> Set {
        let all = below(self.logs[p].len());
        match self.policy.order {
            Order::Partition => all,
            Order::Key { .. } if self.unordered => 1 << i,
            Order::Key { .. } => {
                let key = self.logs[p][i].1;
                let same = |&j: &usize| self.logs[p][j].1 == key;
                ones(all).filter(same).fold(0, |set, j| set | 1 << j)
            }
        }
    }

    pub(crate) fn is(&self, mutant: WorldMutant) -> bool {
        self.mutant == Some(mutant)
    }
}
