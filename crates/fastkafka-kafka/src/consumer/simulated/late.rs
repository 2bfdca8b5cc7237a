//! Errors of positions that the client has left: librdkafka gives them no version, so no move drops them.

use crate::consumer::raw::FetchError;
use crate::offsets::broker::OffsetAndEpoch;
use std::collections::{BTreeMap, VecDeque};

/// What is wrong with a position that was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    OutOfRange,
    /// The log was cut there.
    Truncated(i64),
}

/// The positions that were left last, and errors that wait in the client's queue.
#[derive(Clone, Debug, Default)]
pub(crate) struct Late {
    left: BTreeMap<i32, OffsetAndEpoch>,
    errors: BTreeMap<i32, VecDeque<FetchError>>,
}

impl Late {
    pub(super) fn leave(&mut self, partition: i32, (offset, epoch): (i64, Option<i32>)) {
        self.left
            .insert(partition, OffsetAndEpoch::new(offset, epoch));
    }

    /// The position that was left last, if there is one.
    #[cfg(feature = "proof")]
    pub(super) fn left(&self, partition: i32) -> Option<OffsetAndEpoch> {
        self.left.get(&partition).copied()
    }

    /// Its error comes now.
    pub(super) fn tell(&mut self, partition: i32, wrong: Wrong) {
        let left = self.left[&partition];
        let error = match wrong {
            Wrong::OutOfRange => FetchError::OutOfRange {
                position: Some(left.offset),
            },
            Wrong::Truncated(end) => FetchError::Truncated {
                position: Some(left),
                end: Some(end),
            },
        };
        self.errors.entry(partition).or_default().push_back(error);
    }

    pub(super) fn take(&mut self, partition: i32) -> Option<FetchError> {
        self.errors.get_mut(&partition)?.pop_front()
    }
}
