//! A partition as broker and oracle see it, and what group and user have begun.

use fastkafka_runtime::proof::Asking;
use std::collections::BTreeSet;

/// Who has a partition, as the broker sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    Nobody,
    Us,
    Other,
}

/// A rebalance that is not answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Pending {
    Give,
    Take(Vec<i32>),
}

/// A partition, as broker and oracle see it.
#[derive(Clone, Debug, Hash)]
pub(super) struct Part {
    pub(super) owner: Owner,
    pub(super) high: i64,
    pub(super) committed: Option<i64>,
    /// The records that are terminal.
    pub(super) done: BTreeSet<i64>,
    /// The next record that may begin; `None` while none may.
    pub(super) next: Option<i64>,
    /// How often it was given to us.
    pub(super) epoch: u32,
    /// The group has gone on without us.
    pub(super) lost: bool,
    /// Its leader is away.
    pub(super) leaderless: bool,
    /// A batch of it cannot be read.
    pub(super) unreadable: bool,
    /// Its handler never returns.
    pub(super) hung: bool,
    /// The user has paused it.
    pub(super) paused: bool,
    /// A record was not accepted, and the user has not resumed it.
    pub(super) failed: bool,
    /// The assignment in which an `Ack` was kept.
    pub(super) kept_in: Option<u32>,
}

impl Part {
    pub(super) fn new(records: i64) -> Self {
        Self {
            owner: Owner::Nobody,
            high: records,
            committed: None,
            done: BTreeSet::new(),
            next: None,
            epoch: 0,
            lost: false,
            leaderless: false,
            unreadable: false,
            hung: false,
            paused: false,
            failed: false,
            kept_in: None,
        }
    }

    /// Everything below this is terminal.
    pub(super) fn terminal(&self) -> i64 {
        (0..self.high)
            .find(|offset| !self.done.contains(offset))
            .unwrap_or(self.high)
    }
}

/// A seek of the user.
#[derive(Debug)]
pub(super) struct Sought {
    pub(super) partition: i32,
    pub(super) to: i64,
    /// That of the partition when it was asked for.
    pub(super) epoch: u32,
    pub(super) asking: Asking,
}
