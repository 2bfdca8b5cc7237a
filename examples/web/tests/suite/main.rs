//! The service in memory and over HTTP, and its contract.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod contract;
#[cfg(unix)]
mod http;
mod service;
