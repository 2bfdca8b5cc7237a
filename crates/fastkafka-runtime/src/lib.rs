//! Runs an app on tokio and librdkafka.
#![deny(unsafe_code)]

mod dead_letter;
mod handler;
mod health;
mod held;
mod kafka;
mod lane;
mod mailbox;
mod owner;
mod rebalance;
mod tasks;
mod thread;
mod transport;
