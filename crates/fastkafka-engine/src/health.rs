//! The engine's report to health: records that have stopped or wait, and paused partitions. It is
//! computed from the records themselves, never from flags.

use crate::assigned::Assigned;
use crate::engine::Engine;
use crate::event::{PartIndex, Time};

/// A partition, or by key one key of it, that stands still because of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The partition.
    pub part: PartIndex,
    /// Offset of the record.
    pub at: i64,
    /// Attempts that were made.
    pub attempts: u32,
}

/// A record that failed and is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The partition.
    pub part: PartIndex,
    /// Offset of the record, or of the first record of a batch.
    pub at: i64,
    /// The time of the first failure of this kind in a row. A new attempt does not change it.
    pub since: Time,
    /// The reason.
    pub wait: Wait,
    /// Failed attempts so far; transient failures are none.
    pub attempts: u32,
    /// When the next attempt, or the next try of its dead letter, may begin; `None` while one is under way.
    pub due: Option<Time>,
}

/// Where an assigned partition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Everything below is terminal: the offset that is, or would be, committed.
    pub watermark: i64,
    /// Everything below was read.
    pub position: i64,
    /// The lowest record that is held and not terminal.
    pub first_open: Option<i64>,
    /// The records that are held and not terminal.
    pub open: u64,
    /// The keys and payloads of all that is held.
    pub bytes: u64,
    /// Offsets from the lowest open record to the end of what was read.
    pub span: i64,
}

/// The reason why a record waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// A further attempt, or the end its policy has for it.
    Retry,
    /// A transient failure to pass.
    Transient,
    /// Its dead letter, which could not be written.
    DeadLetter,
}

impl Engine {
    /// The records at which something stands still: a partition, or by key one key of it.
    pub fn stopped(&self) -> impl Iterator<Item = Stopped> + '_ {
        self.assignments().flat_map(|(part, assigned)| {
            assigned.stopped().map(move |failed| Stopped {
                part,
                at: failed.at,
                attempts: failed.attempts,
            })
        })
    }

    /// The records that failed and are neither done nor the reason of a stop.
    pub fn waiting(&self) -> impl Iterator<Item = Waiting> + '_ {
        self.assignments().flat_map(|(part, assigned)| {
            assigned.waiting().filter_map(move |failed| {
                let (wait, since) = failed.wait?;
                Some(Waiting {
                    part,
                    at: failed.at,
                    since,
                    wait,
                    attempts: failed.attempts,
                    due: failed.due,
                })
            })
        })
    }

    /// Where a partition stands; `None` while it is not assigned.
    pub fn figures(&self, part: PartIndex) -> Option<Figures> {
        let assigned = self.assignment(part)?;
        let load = assigned.load();
        let (first_open, open) = assigned.open();
        Some(Figures {
            watermark: assigned.watermark,
            position: assigned.seen(),
            first_open,
            open,
            bytes: load.bytes,
            span: load.span,
        })
    }

    /// The partitions that the user has paused.
    pub fn paused(&self) -> impl Iterator<Item = PartIndex> + '_ {
        let paused = |(part, assigned): (PartIndex, &Assigned)| assigned.paused.then_some(part);
        self.assignments().filter_map(paused)
    }

    /// The partitions that were read as far beyond their lowest open record as they may be.
    pub fn span_reached(&self) -> impl Iterator<Item = PartIndex> + '_ {
        self.assignments().filter_map(|(part, assigned)| {
            (assigned.load().span >= self.limits.max_uncommitted).then_some(part)
        })
    }
}
