//! Where a partition stands, for the questions that are asked about that.
//!
//! A question takes its time, and meanwhile the partition may be moved, or given away and taken again. What is
//! answered then is of a log as it was before that, also where the partition has come back to the same offset.
//! So each move has a number, a question carries it, and an answer counts only while the partition stands where
//! it stood.

use fastkafka_runtime::platform::PartitionRef;
use std::fmt;

/// The number of a move. It says nothing beyond being another one.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Move(u64);

impl Move {
    pub(crate) fn next(&mut self) -> Self {
        self.0 += 1;
        *self
    }
}

impl fmt::Debug for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Move")
    }
}

/// A partition at an offset, since it was moved last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FetchPosition {
    pub(crate) place: PartitionRef,
    /// The next offset to read.
    pub(crate) next: i64,
    pub(crate) since: Move,
}
