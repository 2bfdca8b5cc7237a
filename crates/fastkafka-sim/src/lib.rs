//! A Kafka cluster and its consumers as a pure, deterministic model.
//!
//! [`Cluster`] has the logs and the groups, a [`Client`] is one consumer with what librdkafka keeps
//! for it. There is no clock, no thread, no randomness: whatever may happen is a call, whatever may
//! come of it an argument.
#![forbid(unsafe_code)]
mod assignor;
mod classic;
mod client;
mod cluster;
mod commits;
mod group;
mod ids;
mod log;
mod reader;
mod reconcile;
mod renumber;
#[cfg(test)]
mod tests;
mod topics;

pub use assignor::Assignor;
pub use client::{Client, NotAssigned, Notice};
pub use cluster::{Cluster, Outcome, ProduceError};
pub use commits::{Answer, CommitError};
pub use group::{Commit, Committed, Group, GroupError, Phase, Protocol};
pub use ids::{GroupId, MemberId, PartitionId, PartitionSet, TopicId};
pub use log::{Batch, Entry, FetchError, Log};
