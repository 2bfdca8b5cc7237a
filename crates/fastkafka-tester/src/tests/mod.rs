//! The tester on apps of its own. Each file is an area; functions belong to the app of their file
//! (`app = ..`), those in `support` to the default app.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod apps;
mod benchmarks;
mod bugs;
mod chaos;
mod clusters;
mod clusters_on_brokers;
mod codecs;
mod exploring;
mod failures;
mod guides;
mod lifespans;
mod memory;
mod mirrors;
mod mocks;
mod on_a_broker;
mod parallel;
mod producers;
mod snapshots;
mod spies;
mod support;
mod tasks;
mod topics;
mod transcripts;
mod unsettled;
