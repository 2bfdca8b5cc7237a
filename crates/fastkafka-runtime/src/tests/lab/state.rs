//! The state that handlers share with their test.

use super::super::cluster::{Locked, lock};
use fastkafka_core::{Ack, EventMetadata};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::time::Duration;
use tokio::time::Instant;

/// A call of a handler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// Since the start of the test.
    pub(crate) at: Duration,
}

/// The state that handlers share with their test.
#[derive(Clone)]
pub(crate) struct HandlerState {
    pub(super) origin: Instant,
    calls: Locked<Vec<Call>>,
    /// The calls under way, and the most that ever were.
    busy: Locked<(usize, usize)>,
    pub(crate) acks: Locked<Vec<(i64, Ack)>>,
    /// First offset and length of each batch.
    pub(crate) batches: Locked<Vec<(i64, usize)>>,
    /// Handlers that look at it fail, or wait, while it is set.
    pub(crate) failing: Arc<AtomicBool>,
    /// Order units with a call under way.
    pub(crate) acting: Locked<BTreeSet<i64>>,
    /// The seed of [`HandlerState::roll`].
    pub(crate) dice: Locked<u64>,
    /// For handlers that wait until the test lets them go on.
    pub(crate) gate: Arc<tokio::sync::Semaphore>,
}

/// Ends a call when it is dropped.
pub(crate) struct Busy(Locked<(usize, usize)>);

impl Drop for Busy {
    fn drop(&mut self) {
        lock(&self.0).0 -= 1;
    }
}

impl HandlerState {
    pub(super) fn new() -> Self {
        Self {
            origin: Instant::now(),
            calls: Locked::default(),
            busy: Locked::default(),
            acks: Locked::default(),
            batches: Locked::default(),
            failing: Arc::default(),
            acting: Locked::default(),
            dice: Locked::default(),
            gate: Arc::new(tokio::sync::Semaphore::new(0)),
        }
    }

    /// Notes a call; it lasts until the guard is dropped.
    pub(crate) fn call(&self, meta: EventMetadata) -> Busy {
        lock(&self.calls).push(Call {
            partition: meta.partition(),
            offset: meta.offset(),
            at: self.origin.elapsed(),
        });
        let mut busy = lock(&self.busy);
        busy.0 += 1;
        busy.1 = busy.1.max(busy.0);
        Busy(self.busy.clone())
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        lock(&self.calls).clone()
    }

    /// Offsets in the order of the calls.
    pub(crate) fn offsets(&self, partition: i32) -> Vec<i64> {
        let calls = lock(&self.calls);
        let mine = calls.iter().filter(|call| call.partition == partition);
        mine.map(|call| call.offset).collect()
    }

    /// When a record was tried.
    pub(crate) fn times(&self, offset: i64) -> Vec<Duration> {
        let calls = lock(&self.calls);
        let mine = calls.iter().filter(|call| call.offset == offset);
        mine.map(|call| call.at).collect()
    }

    pub(crate) fn most_at_once(&self) -> usize {
        lock(&self.busy).1
    }

    pub(crate) fn at_work(&self) -> usize {
        lock(&self.busy).0
    }

    pub(crate) fn is_failing(&self) -> bool {
        self.failing.load(Relaxed)
    }

    pub(crate) fn set_failing(&self, failing: bool) {
        self.failing.store(failing, Relaxed);
    }

    /// A number below `n`.
    pub(crate) fn roll(&self, n: u64) -> u64 {
        let mut state = lock(&self.dice);
        // SplitMix64.
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    pub(crate) fn now(&self) -> Duration {
        self.origin.elapsed()
    }
}

/// Ends the failing, also when the test panics: a thread may wait for that.
pub(crate) struct StopFailing(pub(crate) HandlerState);

impl Drop for StopFailing {
    fn drop(&mut self) {
        self.0.set_failing(false);
    }
}
