//! Offsets asked of a broker: where partitions start and go on, and a group that begins anew.

pub(crate) mod look_up;
pub(crate) mod reset;
pub(crate) mod start_offsets;
