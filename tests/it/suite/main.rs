//! Apps as processes: their command line, their ways out, and with the feature `kafka` their work on Apache Kafka.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

#[cfg(feature = "clients")]
mod blocking_clients;
mod check;
#[cfg(unix)]
mod endings;
#[cfg(feature = "kafka")]
mod kafka;
