//! The leader epochs of the records that were read of a partition.

use crate::offsets::broker::OffsetAndEpoch;
use std::collections::VecDeque;

/// Records of one leader, one behind the other.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct Span {
    epoch: Option<i32>,
    /// The offset behind the last of them.
    next: i64,
}

/// The leader epochs of what was read of a partition, as far as it is not committed.
///
/// An offset is committed with the epoch of the record before it, which was handled last (KIP-320): the log
/// of that epoch reaches as far as the offset, unless it was cut.
#[derive(Clone, Debug, Default, Hash, PartialEq, Eq)]
pub(crate) struct LeaderEpochs(VecDeque<Span>);

impl LeaderEpochs {
    /// Reading begins here.
    pub(crate) fn starting_at(start: OffsetAndEpoch) -> Self {
        let start = Span {
            epoch: start.epoch,
            next: start.offset,
        };
        Self(VecDeque::from([start]))
    }

    /// Records up to this offset were read; they come in the order of the log. False when their leader is
    /// older than the one before: no log is so.
    pub(crate) fn read(&mut self, next: i64, epoch: Option<i32>) -> bool {
        match self.0.back_mut() {
            Some(last) if last.epoch == epoch => {
                last.next = next;
                true
            }
            last => {
                let rises = last.is_none_or(|last| last.epoch < epoch);
                self.0.push_back(Span { epoch, next });
                rises
            }
        }
    }

    /// The epoch to commit an offset with. `None` beyond what was read, and where the broker gives none.
    ///
    /// In a gap between two leaders it is that of the second: the log of the first may end before the gap.
    pub(crate) fn at(&self, offset: i64) -> Option<i32> {
        let span = self.0.partition_point(|span| span.next < offset);
        self.0.get(span)?.epoch
    }

    /// Nothing below this offset is asked for any more.
    pub(crate) fn forget_below(&mut self, offset: i64) {
        let at = self.0.partition_point(|span| span.next < offset);
        self.0.drain(..at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_has_the_epoch_of_the_record_before_it() {
        let mut epochs = LeaderEpochs::starting_at(OffsetAndEpoch::new(5, Some(1)));
        assert_eq!(epochs.at(5), Some(1), "the start");
        assert_eq!(epochs.at(6), None, "not read yet");
        assert!(epochs.read(8, Some(1)));
        // Control records at 8 and 9.
        assert!(epochs.read(12, Some(3)) && epochs.read(14, Some(3)));
        let expected = [(5, 1), (6, 1), (8, 1), (9, 3), (10, 3), (11, 3), (14, 3)];
        for (offset, epoch) in expected {
            assert_eq!(epochs.at(offset), Some(epoch), "{offset}");
        }
        assert_eq!(epochs.at(15), None);
        assert!(!epochs.clone().read(15, Some(2)));
        epochs.forget_below(8);
        assert_eq!(epochs.at(8), Some(1));
        epochs.forget_below(9);
        assert_eq!(epochs.0.len(), 1);
        assert_eq!(epochs.at(14), Some(3));
    }

    #[test]
    fn a_broker_without_epochs_leaves_them_unknown() {
        let mut epochs = LeaderEpochs::starting_at(5.into());
        assert!(epochs.read(8, None));
        assert_eq!((epochs.at(5), epochs.at(7)), (None, None));
        assert_eq!(epochs.0.len(), 1);
    }
}
