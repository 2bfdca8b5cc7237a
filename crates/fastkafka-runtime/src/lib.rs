//! Runs an app on tokio and librdkafka.
#![deny(unsafe_code)]

mod kafka;
mod transport;

