//! The health of a running app: what its groups and tasks do, and where they wait or have stopped.
//!
//! [`App::health`](crate::App::health) returns a [`Health`], [`App::snapshot`](crate::App::snapshot) an
//! [`AppState`] with each partition. You need the other types to look into it: which
//! partition stands still, at which record, and why. The guide's chapter [Health](crate::guide::health)
//! walks through it.

#[doc(inline)]
pub use fastkafka_runtime::{
    AppPhase, AppState, GroupHealth, GroupState, Health, MemberState, PartitionState, Problem,
    ProblemCode, ProducerHealth, StalledAt, StalledRecord, StoppedPartition, TaskHealth,
    WaitingFor, WaitingRecord,
};
