//! The answer that a rebalance waits for.

use fastkafka_runtime::platform::PartitionRef;

/// The answer to a rebalance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owed {
    Assign,
    Revoke(Vec<PartitionRef>),
}

/// The answer that a rebalance waits for, if one does. The client has one rebalance at a time, and takes
/// every assign and unassign for its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rebalance {
    owed: Option<Owed>,
    /// The client may have taken other calls of ours for the answer to a rebalance that we have not heard
    /// of.
    may_be_answered: bool,
}

impl Rebalance {
    /// Returns true when it may be answered already. A revoke that is answered is a loss: its partitions may
    /// be another member's.
    pub(crate) fn begin(&mut self, owed: Owed) -> bool {
        self.owed = Some(owed);
        self.may_be_answered
    }

    /// The answer is given with this call.
    pub(crate) fn answer(&mut self) -> Option<Owed> {
        self.owed.take()
    }

    /// A revoke waits.
    pub(crate) fn is_revoking(&self) -> bool {
        matches!(self.owed, Some(Owed::Revoke(_)))
    }

    /// No rebalance waits.
    pub(crate) fn is_answered(&self) -> bool {
        self.owed.is_none()
    }

    /// An event has come while calls were made that would answer a rebalance: it may be one.
    pub(crate) fn may_be_answered(&mut self) {
        self.may_be_answered = true;
    }

    /// True while a call of ours may have given partitions up that we think to have.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.may_be_answered
    }

    /// All events so far are heard.
    pub(crate) fn heard(&mut self) {
        self.may_be_answered = false;
    }
}
