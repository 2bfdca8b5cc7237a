//! Choices that a seed repeats.

use std::time::Duration;

use crate::Failure;

/// `SplitMix64`: every schedule is its seed.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((x ^ x >> 31) % n as u64).unwrap()
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(super) fn failure(&mut self) -> Failure {
        let after = self.one_in(4).then_some(Duration::from_millis(70));
        match self.below(8) {
            0 => Failure::Rejected,
            1 => Failure::Transient { after },
            _ => Failure::Retry { after },
        }
    }
}
