//! A scope: the world's settings, and a budget for each thing that may go wrong.

use super::handler::{Calls, on_order};
use crate::search::report::Row;
use fastkafka_core::States;
use fastkafka_runtime::proof::Kit;
use std::sync::Arc;

/// What may go wrong, or need not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// No broker is reached, until one is.
    Away,
    /// Where a partition starts cannot be looked up, and nothing of it comes, until its leader is back.
    Leaderless,
    /// A batch of a partition cannot be read, until it can.
    Unreadable,
    /// The topic may not be read, until it may.
    Refused,
    /// The broker refuses commits for a while.
    Commit,
    /// A commit has no answer, and is sent again later.
    Unanswered,
    /// The group takes a partition, gives it to another member, and gives it back.
    Rebalance,
    /// The group goes on without the member, which joins again.
    Kick,
    /// The same, and it does not find its coordinator, until it does.
    Astray,
    /// The same, and its client knows no broker any more.
    Alone,
    /// A handler does not accept a record.
    Handler,
    /// A handler never returns.
    Hang,
    /// A handler keeps its `Ack`, for ever or for a while.
    Keep,
    /// The user pauses a partition, and resumes it.
    Pause,
    /// The user moves a partition.
    Seek,
    /// The user ends the app.
    Shutdown,
    /// The client can do nothing any more.
    Fatal,
    /// A call that resumes a partition fails.
    Resume,
    /// An error of a position that a partition has left comes late.
    Late,
    /// Time passes while something could happen.
    Slow,
}

impl Fault {
    /// All of them, in their order.
    pub const ALL: [Self; 20] = [
        Self::Away,
        Self::Leaderless,
        Self::Unreadable,
        Self::Refused,
        Self::Commit,
        Self::Unanswered,
        Self::Rebalance,
        Self::Kick,
        Self::Astray,
        Self::Alone,
        Self::Handler,
        Self::Hang,
        Self::Keep,
        Self::Pause,
        Self::Seek,
        Self::Shutdown,
        Self::Fatal,
        Self::Resume,
        Self::Late,
        Self::Slow,
    ];
}

/// How often each fault may still happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Budget([u8; Fault::ALL.len()]);

impl Budget {
    /// One more.
    pub(super) fn add(&mut self, fault: Fault) {
        self.0[fault as usize] += 1;
    }

    pub(super) fn has(&self, fault: Fault) -> bool {
        self.0[fault as usize] > 0
    }

    pub(super) fn take(&mut self, fault: Fault) {
        self.0[fault as usize] -= 1;
    }
}

/// A world and its faults.
#[derive(Clone, Debug)]
pub struct Scope {
    pub(super) name: String,
    /// The group moves single partitions.
    pub(super) cooperative: bool,
    /// The records of each partition.
    pub(super) records: [i64; 2],
    pub(super) budget: Budget,
    /// A rebalance comes inside calls of the client, and not before a turn or behind its poll.
    pub(super) within_calls: bool,
    /// The invariants that today's code breaks here, and the fault of each.
    pub(super) known: Vec<(&'static str, &'static str)>,
    pub(super) kit: Arc<Kit>,
}

impl Scope {
    /// A world in which nothing goes wrong.
    pub fn new(cooperative: bool, records: [i64; 2], faults: &[Fault]) -> Self {
        let mut states = States::default();
        states.insert(Calls::default());
        let mut budget = Budget::default();
        for fault in faults {
            budget.add(*fault);
        }
        let protocol = if cooperative { "cooperative" } else { "eager" };
        let faults: Vec<_> = faults
            .iter()
            .map(|fault| format!("{fault:?}").to_lowercase())
            .collect();
        let faults = match &faults[..] {
            [] => "nothing".to_owned(),
            faults => faults.join("+"),
        };
        let mut kit = Kit::new::<on_order>(&states);
        // A partition of two open records is full.
        kit.limits.held_records = 2;
        Self {
            name: format!("shell {}+{}r {protocol} {faults}", records[0], records[1]),
            cooperative,
            records,
            budget,
            within_calls: false,
            known: Vec::new(),
            kit: Arc::new(kit),
        }
    }

    /// Rebalances come inside the calls of the client that give up partitions or take them.
    #[must_use]
    pub fn within_calls(mut self) -> Self {
        self.within_calls = true;
        self.name += ", inside calls";
        self
    }

    /// What the search of the scope has shown.
    ///
    /// # Errors
    /// Something that is not known is broken, or the search was cut.
    pub fn verdict(&self, row: &Row) -> Result<(), String> {
        let Some(failure) = &row.failure else {
            return Ok(());
        };
        let is_known =
            |(invariant, _): &(&str, &str)| failure.contains(&format!("    {invariant}: "));
        match self.known.iter().any(is_known) {
            true => Ok(()),
            false => Err(failure.clone()),
        }
    }

    /// What the search of the scope has shown, in a line, where it is known to be broken.
    #[must_use]
    pub fn told_of_known(&self, row: &Row) -> Option<String> {
        let (invariants, faults): (Vec<_>, Vec<_>) = self.known.iter().copied().unzip();
        let (by, faults) = (invariants.join(" or "), faults.join("; "));
        let name = &self.name;
        match (row.failure.is_some(), self.known.is_empty()) {
            (_, true) => None,
            (true, _) => Some(format!("known, {name}: {by}, {faults}")),
            (false, _) => Some(format!("NOT RED ANY MORE, {name}: {by}, {faults}")),
        }
    }

    /// Today's code breaks this invariant here.
    #[must_use]
    pub fn known(mut self, invariant: &'static str, fault: &'static str) -> Self {
        self.known.push((invariant, fault));
        self
    }
}
