//! The dead letters of a partition while it is read: which record has one for good.
//!
//! A letter may be written more than once, with what is handled again behind an output that was lost. It counts when
//! nothing will handle its record again.

use crate::lock::lock;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

#[derive(Debug, Default)]
pub(crate) struct Letters {
    /// There was one.
    any: AtomicBool,
    offsets: Mutex<Offsets>,
}

#[derive(Debug, Default)]
struct Offsets {
    /// Their records may be handled again.
    written: BTreeSet<i64>,
    /// What became of their records was counted when they were sent.
    lost: BTreeSet<i64>,
}

impl Letters {
    pub(crate) fn written(&self, at: i64) {
        self.any.store(true, Relaxed);
        lock(&self.offsets).written.insert(at);
    }

    pub(crate) fn lost(&self, at: i64) {
        self.any.store(true, Relaxed);
        lock(&self.offsets).lost.insert(at);
    }

    /// One of these was lost, which is told once.
    pub(crate) fn take_lost(&self, from: i64, to: i64) -> bool {
        if !self.any.load(Relaxed) {
            return false;
        }
        let lost = &mut lock(&self.offsets).lost;
        let found = lost.range(from..to).next().copied();
        found.is_some_and(|at| lost.remove(&at))
    }

    /// The record is done with: whether it has a letter.
    pub(crate) fn take(&self, at: i64) -> bool {
        self.any.load(Relaxed) && lock(&self.offsets).written.remove(&at)
    }

    /// All below is done with: how many have one.
    pub(crate) fn take_below(&self, watermark: i64) -> usize {
        if !self.any.load(Relaxed) {
            return 0;
        }
        let written = &mut lock(&self.offsets).written;
        let above = written.split_off(&watermark);
        std::mem::replace(written, above).len()
    }

    /// The partition is given back, or goes on elsewhere.
    pub(crate) fn forget(&self) {
        *lock(&self.offsets) = Offsets::default();
    }
}
