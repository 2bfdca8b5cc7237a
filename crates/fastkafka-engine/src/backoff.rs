//! The wait before the next attempt.

use std::time::Duration;

use crate::event::PartIndex;
use crate::policy::Policy;

/// The wait after the `nth` failure in a row: doubling from `backoff` to `backoff_max`, then
/// shortened by up to a quarter.
///
/// The engine has no randomness, so the jitter comes from where the record stands: an outage that
/// fails the same offset of many partitions does not bring them all back in step.
pub(crate) fn delay(policy: &Policy, part: PartIndex, offset: i64, nth: u32) -> Duration {
    let place = mix(u64::from(part.0) << 32 | u64::from(nth)) ^ offset.cast_unsigned();
    growing(policy.backoff, policy.backoff_max, nth, place)
}

/// The wait after the `nth` failure in a row: doubling from `backoff` to `most`, then shortened by up to
/// a quarter; `place` decides by how much.
pub fn growing(backoff: Duration, most: Duration, nth: u32, place: u64) -> Duration {
    let doublings = nth.saturating_sub(1).min(31);
    let full = backoff.saturating_mul(1 << doublings).min(most);
    let jitter = u32::try_from(mix(place) % 256).expect("a remainder of 256 fits");
    full - full / 1024 * jitter
}

/// The finalizer of `SplitMix64`: neighbours come out unrelated.
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}
