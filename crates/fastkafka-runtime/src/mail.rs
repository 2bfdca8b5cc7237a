//! The mail of a driver: from lanes, tasks and delivery reports. `mailbox` carries it.

use fastkafka_core::{Closed, Failure, RunTag};
use fastkafka_engine::{DeadLetterOutcome, PartIndex, RunId};

/// A message from a lane, a task or a delivery report to a driver.
#[derive(Debug)]
pub(crate) enum Mail {
    /// The user wants something: `Shared` has it.
    Command,
    /// No record of the run is open any more.
    Closed { tag: RunTag, end: Closed },
    /// By key: the task has accepted all of its run.
    Handled { part: PartIndex, run: RunId },
    /// The record or batch `[at, next)` was not accepted; the lane has halted, or the task has ended.
    Failed {
        part: PartIndex,
        run: RunId,
        at: i64,
        next: i64,
        failure: Failure,
    },
    /// The answer to a dead letter.
    DeadLetterDone {
        part: PartIndex,
        run: RunId,
        at: i64,
        outcome: DeadLetterOutcome,
        /// Why it is not written.
        why: Option<String>,
    },
    /// The answer to a cut.
    Ended {
        part: PartIndex,
        cut: u32,
        at: Option<i64>,
    },
    /// By key: a task has ended without other mail.
    Panicked { part: PartIndex },
}

impl Mail {
    /// The task or lane that has come to an end with it.
    pub(crate) fn ended(&self) -> Option<(PartIndex, RunId)> {
        match *self {
            Self::Handled { part, run }
            | Self::Failed { part, run, .. }
            | Self::DeadLetterDone { part, run, .. } => Some((part, run)),
            _ => None,
        }
    }
}
