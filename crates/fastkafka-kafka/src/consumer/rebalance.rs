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
pub(crate) struct Rebalance(Option<Owed>);

impl Rebalance {
    pub(crate) fn begin(&mut self, owed: Owed) {
        self.0 = Some(owed);
    }

    /// The answer is given with this call.
    pub(crate) fn answer(&mut self) -> Option<Owed> {
        self.0.take()
    }

    /// No rebalance waits.
    pub(crate) fn is_answered(&self) -> bool {
        self.0.is_none()
    }
}
