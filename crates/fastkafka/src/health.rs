//! The health of a running app: what its groups and tasks do, and where they wait or have stopped.
//!
//! [`App::health`](crate::App::health) returns a [`Health`]. You need the other types to look into it: which
//! partition stands still, at which record, and why. The guide's chapter [Health](crate::guide::health)
//! walks through it.

#[doc(inline)]
pub use fastkafka_runtime::{
    GroupHealth, Health, Problem, ProblemCode, ProducerHealth, StalledAt, StalledRecord,
    StoppedPartition, TaskHealth, WaitingFor, WaitingRecord,
};
