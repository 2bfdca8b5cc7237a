//! Clusters in memory, as a platform that an app runs on.

pub(crate) mod cluster;
pub(crate) mod clusters;
mod consumer;
mod exchange;
pub(crate) mod faults;
mod member;
pub(crate) mod open;
pub(crate) mod platform;
mod positions;
pub(crate) mod producers;
pub(crate) mod state;
pub(crate) mod stored;
