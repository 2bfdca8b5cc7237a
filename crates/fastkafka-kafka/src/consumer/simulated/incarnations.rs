//! The logs of a simulated cluster as incarnations: who wrote them, where they were cut, what cannot be read.

use crate::consumer::looks::Look;
use crate::offsets::broker::OffsetAndEpoch;
use crate::offsets::topic_id::TopicId;
use std::collections::BTreeMap;

/// What tells one incarnation of a log from another. A cluster that does not tell has neither epochs nor
/// ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Incarnations {
    pub(super) are_told: bool,
    /// The leaders that wrote the logs, each with its epoch and the offset where it began. One that is not
    /// here was written by the leader of epoch 0.
    pub(super) leaders: BTreeMap<i32, Vec<(i32, i64)>>,
    /// Logs that were cut below the position, which is here with the place of the cut.
    pub(super) cut: BTreeMap<i32, (OffsetAndEpoch, i64)>,
    /// Batches that cannot be read, by their first offsets; after one the client goes on behind it, or stays.
    pub(crate) unreadable: BTreeMap<i32, (i64, bool)>,
    /// Reading begins, and can be sought, only after this: the fetchers before have to end.
    pub(crate) begin_late: bool,
    /// Every look, with its topics.
    pub(crate) looks: Vec<(Look, Vec<String>)>,
    /// The answer to a look; `None` leaves it open.
    pub(crate) ids: Option<BTreeMap<String, TopicId>>,
}

impl Incarnations {
    /// The leader's answer to an epoch, the offset where the log of that ends, next to the position. `high`
    /// is the end of the log.
    pub(super) fn compare(&mut self, partition: i32, position: OffsetAndEpoch, high: i64) {
        // What was asked before is not waited for.
        self.cut.remove(&partition);
        let Some(epoch) = position.epoch else { return };
        let mut ends = self.leaders.get(&partition).into_iter().flatten();
        let end = ends.find(|(leader, _)| *leader > epoch);
        let end = end.map_or(high, |(_, first)| *first);
        if end < position.offset {
            self.cut.insert(partition, (position, end));
        }
    }

    /// The epoch of the leader that wrote the record at this offset, and the end of what is read with it.
    pub(super) fn leader_at(&self, partition: i32, offset: i64, high: i64) -> (Option<i32>, i64) {
        let leaders = self.leaders.get(&partition);
        let leaders = leaders.map_or(&[(0, 0)][..], Vec::as_slice);
        let at = leaders.partition_point(|(_, first)| *first <= offset) - 1;
        let next = leaders.get(at + 1).map(|(_, first)| *first);
        let mut end = next.unwrap_or(high);
        if let Some((bad, _)) = self.unreadable.get(&partition)
            && *bad > offset
        {
            end = end.min(*bad);
        }
        (self.are_told.then_some(leaders[at].0), end)
    }
}

#[cfg(test)]
impl Incarnations {
    /// The leader answers that the log was cut below this position, of whichever epoch.
    pub(crate) fn cut_at(&mut self, partition: i32, position: i64, end: i64) {
        self.cut.insert(partition, (position.into(), end));
    }
}
