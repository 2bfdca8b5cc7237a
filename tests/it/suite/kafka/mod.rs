//! Apps as processes on Apache Kafka. Input is written and output read by Kafka's own Java clients.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod bad_input;
mod chaos;
mod clusters;
mod control;
mod fixture;
mod flights;
mod latest;
mod liveness;
mod members;
mod process;
mod python;
mod security;
mod shutdown;
mod sources;
mod start;
