//! The order units of a group, process-wide: whoever of several consumers owned a partition before,
//! nothing of it is handled twice at once. [S5]
//!
//! A partition has one owner at a time: its lane, or the gate of its assignment, holds its lock. In
//! order by key the lock is given back with the partition, and what is still at work then, a
//! *straggler*, keeps its key alone. A record without a key has no order, and so no lock here: the next
//! owner may begin it while the former one is still at it, as it may in another process.

use crate::handling::keyed::KeyId;
use crate::transport::PartitionRef;
use fastkafka_core::StopFlag;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OnceCell, OwnedMutexGuard, watch};
use tokio::task::JoinHandle;

/// One partition at a time.
pub(crate) type OrderLock = Arc<tokio::sync::Mutex<()>>;

type Key = (usize, Arc<[u8]>);

#[derive(Clone, Debug, Default)]
pub(crate) struct OrderLocks(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    places: Mutex<HashMap<usize, OrderLock>>,
    /// How many stragglers there are: without one nobody looks further.
    late: AtomicUsize,
    /// Each closes its channel when it has ended.
    stragglers: Mutex<HashMap<Key, Vec<watch::Receiver<()>>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn number(place: PartitionRef) -> usize {
    std::ptr::from_ref(place).addr()
}

impl OrderLocks {
    pub(crate) fn lock(&self, place: PartitionRef) -> OrderLock {
        let mut locks = lock(&self.0.places);
        locks.entry(number(place)).or_default().clone()
    }

    /// The tasks of this key have not ended, or what its records spawned has not: nobody begins with
    /// the key before that.
    pub(crate) fn leave(
        &self,
        place: PartitionRef,
        unit: Arc<KeyId>,
        tasks: Vec<JoinHandle<()>>,
        tokio: &tokio::runtime::Handle,
    ) {
        let key = (number(place), unit.bytes.clone());
        let (ended, ends) = watch::channel(());
        lock(&self.0.stragglers)
            .entry(key.clone())
            .or_default()
            .push(ends);
        self.0.late.fetch_add(1, Release);
        let inner = self.0.clone();
        tokio.spawn(async move {
            unit.spawned.end_all().await;
            for task in tasks {
                // However it ended: it has.
                let _ = task.await;
            }
            unit.spawned.end_all().await;
            drop(ended);
            let mut stragglers = lock(&inner.stragglers);
            if let Some(of_key) = stragglers.get_mut(&key) {
                of_key.retain(|ends| ends.has_changed().is_ok());
                if of_key.is_empty() {
                    stragglers.remove(&key);
                }
            }
            inner.late.fetch_sub(1, Release);
        });
    }

    /// Waits for the stragglers of a key. Who was given away itself waits for nobody: it does not begin.
    pub(crate) async fn wait(&self, place: PartitionRef, key: &Arc<[u8]>, halt: &StopFlag) {
        if self.0.late.load(Acquire) == 0 {
            return;
        }
        let waiting = {
            let stragglers = lock(&self.0.stragglers);
            // Under the lock, as the flag is set before who waits here becomes one of them: so nobody
            // waits for itself, nor two for each other.
            if halt.released() {
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
    /// The assignment was given away.
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

    /// Waits until the partition's former owner has given it away; no longer than the assignment lasts,
    /// as that owner may be one that waits for the tasks of this one.
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

    /// Lets through who waits: the assignment was given away, and its tasks know.
    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }
}
