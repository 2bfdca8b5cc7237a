//! What is said about settled records, and how work on a partition is halted.

use crate::delivery::failure::Failure;
use crate::delivery::sync::{AtomicBool, Ordering::*};

/// Which run of which partition a scope belongs to: the engine's numbers, opaque here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunTag {
    /// The partition.
    pub part: u32,
    /// The run.
    pub run: u64,
}

/// What became of a run's records.
#[derive(Debug)]
pub struct Closed {
    /// How many records from the first on are settled.
    pub settled: usize,
    /// Why the record at index `settled` is not: an output, an `Ack` or a spawned task failed.
    pub broken: Option<Failure>,
}

/// Told once per run, by whichever thread closed its last record.
pub trait Settle: Send + Sync {
    /// No record of the run is open any more.
    fn closed(&self, tag: RunTag, end: Closed);
}

/// How the owner of a partition halts its lane and voids what it left behind.
#[derive(Debug, Default)]
pub struct StopFlag {
    stop: AtomicBool,
    released: AtomicBool,
    whole: bool,
}

impl StopFlag {
    /// Of tasks that nothing cuts: each begins all it was given, also when an output of it is lost or
    /// its partition is given away.
    pub fn whole() -> Self {
        Self {
            whole: true,
            ..Self::default()
        }
    }

    /// No further record of this round begins.
    pub fn stop(&self) {
        self.stop.store(true, Release);
    }

    /// True once [`StopFlag::stop`] was called.
    #[inline]
    pub fn stopping(&self) -> bool {
        !self.whole && self.stop.load(Acquire)
    }

    /// The partition was given away: results of this round no longer count.
    pub fn release(&self) {
        self.stop();
        self.released.store(true, Release);
    }

    /// True once [`StopFlag::release`] was called.
    pub fn released(&self) -> bool {
        self.released.load(Acquire)
    }
}

/// Where a delivered record ended up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset in it.
    pub offset: i64,
}

impl Delivery {
    /// A report as the client gives it.
    pub fn new(topic: impl Into<String>, partition: i32, offset: i64) -> Self {
        Self {
            topic: topic.into(),
            partition,
            offset,
        }
    }
}
