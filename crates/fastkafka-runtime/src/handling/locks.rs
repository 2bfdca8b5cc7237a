//! The order units of a group, for all its consumers in this process: a partition may move from one to
//! another while its handlers are still at work, and nothing of it is handled twice at once. [S5]
//!
//! One assignment at a time holds the lock of a partition: through its lane, or through its gate. In
//! order by key the lock is given back with the partition, and a task that is still at work then, a
//! *straggler*, keeps only its key locked. A record without a key has no order, and so no lock here: the
//! next owner may begin it while the former one is still at it, as it may in another process.

use crate::handling::keyed::key_ids::KeyId;
use crate::lock::lock;
use crate::tasks;
use crate::transport::PartitionRef;
use fastkafka_core::{AppContext, AppTask, StopFlag};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex};
use tokio::sync::{OnceCell, OwnedMutexGuard, watch};
use tokio::task::JoinHandle;

/// The lock of a partition, held by one assignment at a time.
pub(crate) type OrderLock = Arc<tokio::sync::Mutex<()>>;

/// A partition, by its address, and the bytes of a key.
type PlacedKey = (usize, Arc<[u8]>);

/// The locks of a group in this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct OrderLocks(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    places: Mutex<HashMap<usize, OrderLock>>,
    /// The number of stragglers: without one nobody looks further.
    late: AtomicUsize,
    /// Each closes its channel when it has ended.
    stragglers: Mutex<HashMap<PlacedKey, Vec<watch::Receiver<()>>>>,
}

fn number(place: PartitionRef) -> usize {
    std::ptr::from_ref(place).addr()
}

impl OrderLocks {
    pub(crate) fn lock(&self, place: PartitionRef) -> OrderLock {
        let mut locks = lock(&self.0.places);
        locks.entry(number(place)).or_default().clone()
    }

    /// The partition is given back while tasks of this key, or what its records spawned, go on: nobody
    /// begins with the key before they have ended.
    pub(crate) fn leave(
        &self,
        place: PartitionRef,
        key: Arc<KeyId>,
        at_work: Vec<JoinHandle<()>>,
        app: &AppContext,
        tokio: &tokio::runtime::Handle,
    ) {
        let placed = (number(place), key.bytes.clone());
        let (ended, ends) = watch::channel(());
        lock(&self.0.stragglers)
            .entry(placed.clone())
            .or_default()
            .push(ends);
        self.0.late.fetch_add(1, Release);
        let inner = self.0.clone();
        tasks::spawn(app, tokio, AppTask::Straggler(place), async move {
            key.spawned.end_all().await;
            for task in at_work {
                // Well or not, it has ended.
                let _ = task.await;
            }
            // The tasks may have spawned more until they ended.
            key.spawned.end_all().await;
            drop(ended);
            let mut stragglers = lock(&inner.stragglers);
            if let Some(of_key) = stragglers.get_mut(&placed) {
                of_key.retain(|ends| ends.has_changed().is_ok());
                if of_key.is_empty() {
                    stragglers.remove(&placed);
                }
            }
            inner.late.fetch_sub(1, Release);
        });
    }

    /// Waits for the stragglers of a key. A task whose own partition is given back waits for nobody, as
    /// it does not begin.
    pub(crate) async fn wait(&self, place: PartitionRef, key: &Arc<[u8]>, stop: &StopFlag) {
        if self.0.late.load(Acquire) == 0 {
            return;
        }
        let waiting = {
            let stragglers = lock(&self.0.stragglers);
            // Under the lock: the flag is set before a task that waits here becomes a straggler. So no
            // task waits for itself, nor two for each other.
            if stop.released() {
                return;
            }
            stragglers.get(&(number(place), key.clone())).cloned()
        };
        for mut ends in waiting.into_iter().flatten() {
            while ends.changed().await.is_ok() {}
        }
    }
}

/// Holds a partition's lock for one assignment, from its first task on.
#[derive(Debug)]
pub(crate) struct Gate {
    lock: OrderLock,
    guard: OnceCell<OwnedMutexGuard<()>>,
    /// The assignment has ended.
    closed: watch::Sender<bool>,
}

impl Gate {
    pub(crate) fn new(lock: OrderLock) -> Arc<Self> {
        Arc::new(Self {
            lock,
            guard: OnceCell::new(),
            closed: watch::Sender::new(false),
        })
    }

    /// Waits until the partition's former owner has given it back, but no longer than the assignment
    /// lasts: that owner may itself wait for the tasks of this one.
    pub(crate) async fn pass(&self) {
        if self.guard.initialized() {
            return;
        }
        let mut closed = self.closed.subscribe();
        tokio::select! {
            biased;
            _ = closed.wait_for(|closed| *closed) => {}
            _ = self.guard.get_or_init(|| self.lock.clone().lock_owned()) => {}
        }
    }

    /// Lets all tasks through: the assignment has ended, and their stop flag says so.
    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }
}
