//! The clock of a test: virtual time, which stands still while anything can happen, or real time.

use std::time::{SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// A clock that counts from the start of a tester.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
    /// Milliseconds since 1970 at the origin.
    epoch: i64,
}

/// 2020-01-01, in milliseconds.
const FIXED: i64 = 1_577_836_800_000;

impl Clock {
    /// A clock that begins at a fixed date: equal runs have equal timestamps.
    pub(crate) fn fixed() -> Self {
        Self {
            origin: Instant::now(),
            epoch: FIXED,
        }
    }

    pub(crate) fn new() -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let epoch = epoch.map_or(0, |time| time.as_millis());
        Self {
            origin: Instant::now(),
            epoch: i64::try_from(epoch).unwrap_or(i64::MAX),
        }
    }

    /// Milliseconds since 1970.
    pub(crate) fn millis(self) -> i64 {
        let passed = self.origin.elapsed().as_millis();
        self.epoch
            .saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }
}

/// True under `start_paused = true`. Tokio does not say so, but then its clock stands still while the
/// machine's goes on.
pub(crate) fn is_virtual() -> bool {
    let before = Instant::now();
    let real = std::time::Instant::now();
    while std::time::Instant::now() == real {
        std::hint::spin_loop();
    }
    Instant::now() == before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_paused_clock_is_seen() {
        assert!(is_virtual());
        tokio::time::resume();
        assert!(!is_virtual());
    }

    #[tokio::test(start_paused = true)]
    async fn timestamps_follow_virtual_time() {
        let clock = Clock::new();
        let before = clock.millis();
        tokio::time::advance(std::time::Duration::from_secs(3_600)).await;
        assert_eq!(clock.millis(), before + 3_600_000);
    }
}
