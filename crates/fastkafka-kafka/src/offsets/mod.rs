//! Offsets asked of a broker: where partitions start and go on, and a group that begins anew.
//!
//! The questions are a trait, [`broker::Broker`]: what is made of the answers names no client.

pub(crate) mod broker;
pub(crate) mod client;
mod commits;
pub(crate) mod look_up;
pub(crate) mod metadata;
pub(crate) mod partition_count;
pub(crate) mod reset;
#[cfg(test)]
pub(crate) mod simulated;
pub(crate) mod start_offsets;
pub(crate) mod topic_id;

/// So many questions are asked of a broker at once.
pub(crate) const AT_ONCE: usize = 16;
