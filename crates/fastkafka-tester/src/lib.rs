//! Runs a FastKafka app in a unit test: the production runtime on a cluster in memory.
#![forbid(unsafe_code)]

mod broker;
mod clock;
mod cluster;
mod journal;
mod medium;
mod member;
mod members;
mod outputs;
mod settle;
mod stored;
mod tester;
#[cfg(test)]
mod tests;

pub use broker::ProduceFault;
pub use journal::TopicRecord;
pub use settle::Unsettled;
pub use tester::{IntoApps, Tester, TesterBuilder};
