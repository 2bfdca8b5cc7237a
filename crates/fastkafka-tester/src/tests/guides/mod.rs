//! The examples of the guides and of the Tester of FastKafka for Python, as they are written here.
//!
//! The iris predictions of its tutorial are `examples/quickstart`. `two_functions.rs` has on one cluster
//! what it shows on two: how mirrors are told apart.

mod batches;
mod clusters;
mod employees;
mod greeting;
mod increment;
mod mocks;
mod stores;
mod two_functions;
