//! Times in health: the bound of what may pass, and how times are written.

use serde::ser::{Error as _, Serializer};
use std::time::{Duration, SystemTime};

/// How long something that may pass by itself is no problem: a broker that is not reached, a transient
/// failure, a commit that is refused.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// A time in seconds.
pub(super) fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// A time in seconds, or null.
#[allow(clippy::ref_option, reason = "the signature is serde's")]
pub(super) fn some_seconds<S: Serializer>(
    time: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serde::Serialize::serialize(&time.map(|time| time.as_secs_f64()), serializer)
}

/// Seconds since 1970.
pub(super) fn unix_time<S: Serializer>(
    time: &SystemTime,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    serializer.serialize_f64(since.map_err(S::Error::custom)?.as_secs_f64())
}
