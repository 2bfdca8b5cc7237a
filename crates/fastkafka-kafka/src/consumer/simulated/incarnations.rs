//! The logs of a simulated cluster as incarnations: who wrote them, where they were cut, what cannot be read.

#[cfg(test)]
use super::TOPIC;
use super::{Simulated, place};
use crate::offsets::broker::OffsetAndEpoch;
use crate::offsets::start_offsets::StartOffset;
use crate::offsets::topic_id::TopicId;
use std::collections::BTreeMap;

pub(crate) fn start(partition: i32, at: OffsetAndEpoch, topic: Option<TopicId>) -> StartOffset {
    StartOffset {
        place: place(partition),
        at,
        topic,
    }
}

/// What tells one incarnation of a log from another. A cluster that does not tell has neither epochs nor
/// ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Incarnations {
    pub(super) are_told: bool,
    /// The leaders that wrote the logs, each with its epoch and the offset where it began. One that is not
    /// here was written by the leader of epoch 0.
    leaders: BTreeMap<i32, Vec<(i32, i64)>>,
    /// Logs that were cut below the position, and where.
    pub(super) cut: BTreeMap<i32, i64>,
    /// Batches that cannot be read, by their first offsets; after one the client goes on behind it, or stays.
    pub(crate) unreadable: BTreeMap<i32, (i64, bool)>,
    /// Reading begins, and can be sought, only after this: the fetchers before have to end.
    pub(crate) begin_late: bool,
    /// The topics of every look.
    pub(crate) looks: Vec<Vec<String>>,
    /// The answer to a look; `None` leaves it open.
    pub(crate) ids: Option<BTreeMap<String, TopicId>>,
}

#[cfg(test)]
impl Simulated {
    /// The cluster tells epochs and ids.
    pub(crate) fn tell_incarnations(&mut self) {
        self.incarnations.are_told = true;
        self.incarnations.ids = Some(BTreeMap::new());
    }

    /// The topic has this id now, or the broker does not say.
    pub(crate) fn set_id(&mut self, id: Option<TopicId>) {
        let ids = id.map(|id| (TOPIC.to_owned(), id));
        self.incarnations.ids = Some(ids.into_iter().collect());
    }

    /// A replica that had the log up to `at` becomes its leader, and writes it up to `high`. The client
    /// compares its position, if it knows the epoch of that.
    pub(crate) fn cut(&mut self, partition: i32, at: i64, high: i64) {
        let leaders = self.incarnations.leaders.entry(partition);
        let leaders = leaders.or_insert_with(|| vec![(0, 0)]);
        let epoch = leaders.last().map_or(0, |(epoch, _)| epoch + 1);
        leaders.retain(|(_, first)| *first < at);
        leaders.push((epoch, at));
        let low = self.logs[&partition].0;
        self.logs.insert(partition, (low, high));
        if let Some(reading) = self.reading.get(&partition) {
            self.compare(
                partition,
                OffsetAndEpoch::new(reading.position, reading.epoch),
            );
        }
    }

    /// The topic is deleted and made anew, with so many records of a first leader.
    pub(crate) fn make_anew(&mut self, partition: i32, high: i64) {
        self.incarnations.leaders.remove(&partition);
        self.logs.insert(partition, (0, high));
    }
}

impl Simulated {
    /// The leader's answer to an epoch: the offset where the log of that ends.
    pub(super) fn compare(&mut self, partition: i32, position: OffsetAndEpoch) {
        let Some(epoch) = position.epoch else { return };
        let mut ends = self
            .incarnations
            .leaders
            .get(&partition)
            .into_iter()
            .flatten();
        let end = ends.find(|(leader, _)| *leader > epoch);
        let end = end.map_or(self.logs[&partition].1, |(_, first)| *first);
        if end < position.offset {
            self.incarnations.cut.insert(partition, end);
        }
    }

    /// The epoch of the leader that wrote the record at this offset, and the end of what is read with it.
    pub(super) fn leader_at(&self, partition: i32, offset: i64) -> (Option<i32>, i64) {
        let leaders = self.incarnations.leaders.get(&partition);
        let leaders = leaders.map_or(&[(0, 0)][..], Vec::as_slice);
        let at = leaders.partition_point(|(_, first)| *first <= offset) - 1;
        let next = leaders.get(at + 1).map(|(_, first)| *first);
        let mut end = next.unwrap_or(self.logs[&partition].1);
        if let Some((bad, _)) = self.incarnations.unreadable.get(&partition)
            && *bad > offset
        {
            end = end.min(*bad);
        }
        (self.incarnations.are_told.then_some(leaders[at].0), end)
    }
}
