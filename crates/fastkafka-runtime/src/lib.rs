//! Runs an app on tokio.
//!
//! [`Runtime::join`] makes one consumer per group, each with an owner thread that alone touches it
//! (`thread`, `driver`, `rebalance`), and a lane per partition on tokio that calls the handlers
//! (`lane`). What happens to a record is decided by the engine; this crate tells it what has come and
//! does what it says. The clients come from a [`platform`]: `fastkafka-kafka` is the one on Kafka.
#![forbid(unsafe_code)]

mod background;
mod call;
mod control;
mod dead_letter;
mod driver;
mod handler;
mod health;
mod held;
mod job;
mod keyed;
mod lane;
mod locks;
mod mailbox;
mod options;
mod pauses;
#[doc(hidden)]
pub mod platform;
mod rebalance;
mod reports;
mod runtime;
mod tasks;
#[cfg(test)]
mod tests;
mod thread;
mod transport;

pub use control::{ControlError, Handle, Position, Seek, Target};
pub use health::{GroupHealth, Health, StoppedPartition, TaskHealth, WaitingFor, WaitingRecord};
pub use options::Options;
pub use runtime::Runtime;
pub use tasks::spawn;
