//! Runs an app on tokio and librdkafka.
//!
//! [`Runtime::join`] makes one consumer per group, each with an owner thread that alone touches it
//! (`thread`, `owner`, `rebalance`), a lane per partition on tokio that calls the handlers (`lane`),
//! and the producers (`kafka::producer`). What happens to a record is decided by the engine; this
//! crate tells it what has come and does what it says. `transport` is the seam to the client.
#![deny(unsafe_code)]

mod background;
mod call;
mod cluster;
mod control;
mod dead_letter;
mod driver;
mod handler;
mod health;
mod held;
mod job;
mod kafka;
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

pub use cluster::{Embedded, TopicSpec, create_topics};
pub use control::{ControlError, Handle, Position, Seek, Target};
pub use health::{GroupHealth, Health, StoppedPartition, TaskHealth, WaitingFor, WaitingRecord};
pub use kafka::check;
pub use options::Options;
pub use runtime::Runtime;
pub use tasks::spawn;
