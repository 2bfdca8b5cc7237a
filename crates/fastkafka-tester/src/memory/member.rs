//! A consumer of an app as its cluster knows it.

use crate::memory::stored::Stored;
use crate::subscription::Subscription;
use fastkafka_runtime::platform::Notice;
use fastkafka_sim::{Client, GroupId, PartitionId, TopicId};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// A client of the simulator, and what the driver of the consumer has to be told.
pub(crate) struct Member {
    pub(super) id: u64,
    /// The process that it is in.
    pub(super) process: u32,
    pub(crate) client: Client<Stored>,
    /// It is in no group that anybody knows, and commits nothing: what it is told of commits is the
    /// simulator's way to remember where it is.
    pub(super) standalone: bool,
    pub(super) reads: Subscription,
    /// The topics of the subscription that exist.
    pub(crate) topics: Vec<TopicId>,
    /// Wakes the driver.
    pub(super) wake: Arc<Notify>,
    /// For the driver's next poll.
    pub(super) notices: Vec<Notice>,
    /// Positions that were reported as out of range.
    pub(super) out_of_range: HashMap<PartitionId, i64>,
    /// Starts that came late and wait until no rebalance does: they would be taken for its answer.
    pub(super) late: Vec<(PartitionId, i64)>,
    /// The driver knows that the broker is down.
    pub(super) knows_down: bool,
}

impl Member {
    pub(super) fn new(
        id: u64,
        process: u32,
        group: GroupId,
        standalone: bool,
        reads: Subscription,
        topics: Vec<TopicId>,
        wake: Arc<Notify>,
    ) -> Self {
        Self {
            id,
            process,
            client: Client::new(group, topics.iter().copied()),
            standalone,
            reads,
            topics,
            wake,
            notices: Vec::new(),
            out_of_range: HashMap::new(),
            late: Vec::new(),
            knows_down: false,
        }
    }

    /// Begins with the partitions whose starts have waited.
    pub(super) fn begin_late(&mut self) {
        if self.late.is_empty() || self.client.told().is_some() {
            return;
        }
        let starts = std::mem::take(&mut self.late);
        // One that was lost meanwhile is nobody's to read here.
        if self.client.assign(&starts).is_ok() {
            for (partition, _) in starts {
                let _ = self.client.pause(partition, false);
            }
        }
    }

    /// Queues a notice, and wakes the driver to fetch it.
    pub(super) fn tell(&mut self, notice: Notice) {
        self.notices.push(notice);
        self.wake.notify_one();
    }
}
