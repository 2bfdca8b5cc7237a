//! Apps as processes: their command line, and with the feature `kafka` their work on Apache Kafka.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod check;
#[cfg(feature = "kafka")]
mod kafka;
