//! Runs an app on tokio.
//!
//! [`Runtime::join`] makes one consumer per group, each with an owner thread that alone touches it
//! (`thread`, `driver`, `rebalance`), and a lane per partition on tokio that calls the handlers
//! (`lane`). What happens to a record is decided by the engine; this crate tells it what has come and
//! does what it says. The clients come from a [`platform`]: `fastkafka-kafka` is the one on Kafka.
#![forbid(unsafe_code)]

mod background;
mod benchmarks;
mod control;
mod driver;
mod handling;
mod health;
mod mail;
mod mailbox;
mod options;
#[doc(hidden)]
pub mod platform;
mod runtime;
mod shared;
#[cfg(test)]
mod tests;
mod transport;

pub use control::{ControlError, Handle, Position, Seek, Target};
pub use handling::spawned::spawn;
pub use health::{GroupHealth, Health, StoppedPartition, TaskHealth, WaitingFor, WaitingRecord};
pub use options::Options;
pub use runtime::Runtime;
