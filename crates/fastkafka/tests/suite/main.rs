//! Whole apps on the embedded broker: how they start, stop, run on several clusters and beside a server.
//! Functions belong to the app of their test (`app = ..`).
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

#[cfg(feature = "admin")]
mod admin;
mod allocations;
mod check;
mod clusters;
mod dropped;
mod ends;
mod late_outputs;
mod memory;
mod outcome;
mod start;
mod stops;
mod threads;
mod thrown;
#[cfg(feature = "axum")]
mod web;
