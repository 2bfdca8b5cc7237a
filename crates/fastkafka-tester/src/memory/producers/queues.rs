//! The queues of records that wait for a broker.

use crate::record::NewRecord;
use crate::topology::ClusterName;
use crate::watching::calls::RecordedCall;
use fastkafka_core::DeliveryToken;
use fastkafka_runtime::platform::Wake;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;
use tokio::time::Instant;

/// A queue for each cluster, and what waits for room in them.
#[derive(Default)]
pub(super) struct Queues {
    clusters: BTreeMap<ClusterName, ClusterQueue>,
    next_id: u64,
    /// The app has ended.
    pub(super) closed: bool,
    /// The records that are lost, which nobody has heard of yet.
    pub(super) lost: usize,
    pub(super) wakers: Vec<Waker>,
    pub(super) on_room: Vec<Wake>,
}

/// The records that wait for one cluster.
#[derive(Default)]
pub(super) struct ClusterQueue {
    pub(super) records: VecDeque<WaitingRecord>,
    /// A thread sends what waits. Until it is done, new records queue up behind it.
    pub(super) sending: bool,
}

pub(super) struct WaitingRecord {
    pub(super) id: u64,
    pub(super) record: NewRecord,
    pub(super) token: DeliveryToken,
    /// The call that waits for it, if one does.
    pub(super) call: Option<Arc<RecordedCall>>,
    /// How long it may wait.
    pub(super) timeout: Duration,
    /// `None`: it may wait for ever.
    pub(super) deadline: Option<Instant>,
}

impl WaitingRecord {
    pub(super) fn is_expired(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| deadline <= Instant::now())
    }
}

impl ClusterQueue {
    /// Nothing waits or is being sent.
    pub(super) fn is_idle(&self) -> bool {
        self.records.is_empty() && !self.sending
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<WaitingRecord> {
        let at = self.records.iter().position(|waiting| waiting.id == id)?;
        self.records.remove(at)
    }
}

impl Queues {
    pub(super) fn queue(&mut self, cluster: ClusterName) -> &mut ClusterQueue {
        self.clusters.entry(cluster).or_default()
    }

    pub(super) fn next_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Takes no record any more. Returns those that wait.
    pub(super) fn close(&mut self) -> Vec<WaitingRecord> {
        self.closed = true;
        let queues = self.clusters.values_mut();
        queues.flat_map(|queue| queue.records.drain(..)).collect()
    }

    /// The records that wait.
    pub(super) fn len(&self) -> usize {
        self.clusters
            .values()
            .map(|queue| queue.records.len())
            .sum()
    }

    /// The records that wait or are being sent.
    pub(super) fn unsent(&self) -> usize {
        let sending = self.clusters.values().filter(|queue| queue.sending);
        self.len() + sending.count()
    }

    /// The same, and those whose fate is not told.
    pub(super) fn in_flight(&self) -> usize {
        self.unsent() + self.lost
    }
}
