//! The choices: everything that can happen in a world.

use super::{Fault, Scope, Set};
use fastkafka_engine::{DeadLetterOutcome, Failure};
use fastkafka_sim::Answer;

/// One choice. `m` is a member, `p` a partition, `job` a place in the member's list of them.
#[allow(missing_docs)] // `names.rs` says each in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Give {
        m: u8,
        p: u8,
    },
    Resolve {
        m: u8,
    },
    Assign {
        m: u8,
    },
    Fetch {
        m: u8,
        p: u8,
        count: u8,
    },
    /// The end of the log is read, behind what is no record.
    ReadTo {
        m: u8,
        p: u8,
    },
    Handle {
        m: u8,
        job: u8,
    },
    Halt {
        m: u8,
        job: u8,
    },
    Ended {
        m: u8,
        p: u8,
    },
    Settle {
        m: u8,
        job: u8,
    },
    DeadLetterDone {
        m: u8,
        letter: u8,
        outcome: Outcome,
    },
    Commit {
        m: u8,
    },
    Answer {
        m: u8,
    },
    Notice {
        m: u8,
    },
    Room {
        m: u8,
        room: bool,
    },
    Unpause {
        m: u8,
        p: u8,
    },
    Write {
        p: u8,
    },
    Grow,
    Tick,
    /// Of a batch, `whole` of it fails, or record `i` alone.
    Fail {
        m: u8,
        job: u8,
        i: u8,
        whole: bool,
        failure: u8,
    },
    /// `early`: outputs before it are not acknowledged yet. Of a batch, the `whole` of it has lost an output, or
    /// a call that took record `i` alone.
    Lose {
        m: u8,
        job: u8,
        i: u8,
        early: bool,
        whole: bool,
        failure: u8,
    },
    LoseCommit {
        m: u8,
    },
    LoseAnswer {
        m: u8,
        applied: bool,
    },
    Crash {
        m: u8,
    },
    Kick {
        m: u8,
    },
    Rebalance {
        m: u8,
        set: Set,
    },
    Shutdown {
        m: u8,
    },
    Leave {
        m: u8,
    },
    Jump,
    Retention {
        p: u8,
    },
    Truncate {
        p: u8,
    },
    Pause {
        m: u8,
        p: u8,
    },
    Seek {
        m: u8,
        p: u8,
        i: u8,
    },
    Reread {
        m: u8,
        p: u8,
        i: u8,
    },
    Restart {
        m: u8,
        p: u8,
    },
}

/// The outcome of a dead letter.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Written,
    Transient,
    Permanent,
}

impl From<Outcome> for DeadLetterOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Written => DeadLetterOutcome::Written,
            Outcome::Transient => DeadLetterOutcome::Transient,
            Outcome::Permanent => DeadLetterOutcome::Permanent,
        }
    }
}

impl Action {
    /// The fault whose budget it uses up.
    pub(crate) fn fault(self) -> Option<Fault> {
        Some(match self {
            Action::Fail { .. } => Fault::Handler,
            Action::Lose { .. } => Fault::Output,
            Action::DeadLetterDone {
                outcome: Outcome::Transient | Outcome::Permanent,
                ..
            } => Fault::Letter,
            Action::LoseCommit { .. } | Action::LoseAnswer { .. } => Fault::Commit,
            Action::Crash { .. } => Fault::Crash,
            Action::Kick { .. } => Fault::Kick,
            Action::Rebalance { .. } => Fault::Rebalance,
            Action::Shutdown { .. } => Fault::Shutdown,
            Action::Room { room: false, .. } => Fault::Room,
            Action::Jump => Fault::Jump,
            Action::Retention { .. } => Fault::Retention,
            Action::Truncate { .. } => Fault::Truncation,
            Action::Pause { .. } | Action::Seek { .. } => Fault::User,
            Action::Restart { .. } => Fault::User,
            Action::Reread { .. } => Fault::Reread,
            _ => return None,
        })
        .filter(|_| !self.is_poison())
    }

    /// A failure that the scope says must come: no fault, and free.
    fn is_poison(self) -> bool {
        matches!(
            self,
            Action::Fail {
                failure: POISON,
                ..
            } | Action::Lose {
                failure: POISON,
                ..
            }
        )
    }

    pub(crate) fn failure(failure: u8, scope: &Scope) -> Failure {
        *scope
            .failures
            .get(usize::from(failure))
            .unwrap_or(&super::RETRY)
    }
}

/// Stands for the failure of a record that cannot succeed.
pub(super) const POISON: u8 = u8::MAX;

/// The outcome of a commit that is answered in time.
pub(crate) const ARRIVES: Answer = Answer::Arrives;
