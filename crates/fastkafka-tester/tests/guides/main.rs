//! The examples of the guides and of the Tester of FastKafka for Python, as they are written here.
//!
//! The iris predictions of its tutorial are `examples/quickstart`. Its examples with several clusters
//! in one app stand in `two_functions.rs` on one cluster: what they show is how mirrors are told apart.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod batches;
mod employees;
mod greeting;
mod increment;
mod mocks;
mod stores;
mod two_functions;
