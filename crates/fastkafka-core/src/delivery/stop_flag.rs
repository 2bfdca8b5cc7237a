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
    /// A flag for tasks that nothing cuts: each begins all its records, also when an output is lost or the
    /// partition is revoked.
    pub fn whole() -> Self {
        Self {
            whole: true,
            ..Self::default()
        }
    }

    /// No further record of the lane begins.
    pub fn stop(&self) {
        self.stop.store(true, Release);
    }

    /// True once [`StopFlag::stop`] was called.
    #[inline]
    pub fn stopping(&self) -> bool {
        !self.whole && self.stop.load(Acquire)
    }

    /// The partition was revoked: results under this flag no longer count.
    pub fn release(&self) {
        self.stop();
        self.released.store(true, Release);
    }

    /// True once [`StopFlag::release`] was called.
    pub fn released(&self) -> bool {
        self.released.load(Acquire)
    }
}
