//! Runs an app on tokio.
//!
//! [`Runtime::join`] makes one consumer per group. A driver, which alone touches it, takes turns: it reads
//! records, steps the engine, and does what the engine says (`driver`). Each partition has a lane on
//! tokio, or a task per record, that calls the handlers (`handling`). What happens to a record is
//! decided by the engine. The clients come from a [`platform`]: `fastkafka-kafka` is the one on Kafka.
#![forbid(unsafe_code)]

mod asked_ends;
mod background;
mod benchmarks;
mod client_error;
mod control;
mod driver;
mod handling;
mod health;
mod lock;
mod mail;
mod mailbox;
mod measures;
mod options;
#[doc(hidden)]
pub mod platform;
#[cfg(feature = "proof")]
#[doc(hidden)]
pub mod proof {
    //! For the search of `proof`.
    pub use crate::driver::proof::{Asking, Kit, Searched};
}
mod runtime;
mod shared;
mod side_by_side;
mod state;
mod tasks;
#[cfg(test)]
mod tests;
mod tokio_runtime;
mod transport;

pub use control::{ControlError, Handle, Position, Seek, Target};
pub use handling::spawned::spawn;
pub use health::{
    GroupHealth, Health, Problem, ProblemCode, ProducerHealth, StalledAt, StalledRecord,
    StoppedPartition, TaskHealth, WaitingFor, WaitingRecord,
};
#[doc(hidden)]
pub use measures::list as metrics_list;
pub use options::Options;
pub use runtime::Runtime;
pub use state::{AppPhase, AppState, GroupState, MemberState, OutputState, PartitionState};
