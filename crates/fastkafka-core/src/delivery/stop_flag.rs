//! The flag that halts the work on a partition.

use super::sync::{AtomicBool, Ordering::*};

/// Halts a lane at the next record, and voids the results that it leaves behind.
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
