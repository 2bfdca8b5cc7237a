//! The clusters in memory, as a platform that an app runs on.

pub(crate) mod cluster;
pub(crate) mod clusters;
pub(crate) mod consumer;
pub(crate) mod platform;
mod positions;
pub(crate) mod producers;
pub(crate) mod stored;
