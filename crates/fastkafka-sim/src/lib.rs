//! A Kafka cluster and its consumers as a pure, deterministic model.
//!
//! A delivery guarantee is about what Kafka may do at the worst moment: a session expires just before
//! a commit, a partition comes straight back, an answer is lost although the commit was made. Here each
//! of these is a call, and what comes of it an argument. There is no clock, thread, I/O or randomness,
//! and nothing happens by itself.
//!
//! - [`Cluster`] has the brokers' side: logs with gaps and log starts, groups under the classic
//!   protocols and KIP-848, generations, fencing, committed offsets.
//! - [`Client`] is one consumer with what librdkafka keeps for it: what the application is told and
//!   answers, positions, pauses that outlive an assignment, stored offsets, commits on their way.
//!
//! Both are values, cheap to clone, compare and hash: logs and names are shared until they change. For
//! a search over states [`Cluster::renumber`] makes equal what differs only in how often something
//! happened.
//!
//! # Example
//!
//! Two members, a rebalance, and a commit that comes too late:
//!
//! ```
//! use fastkafka_sim::{Answer, Assignor, Client, Cluster, CommitError, GroupError, Notice, Protocol};
//!
//! let mut cluster: Cluster<&str> = Cluster::new();
//! let orders = cluster.create_topic("orders", 1);
//! let partition = cluster.partitions(orders)[0];
//! cluster.append(partition, "one", 0);
//! cluster.append(partition, "two", 0);
//! let group = cluster.create_group("billing", Protocol::Consumer, Assignor::Explicit);
//!
//! let (mut first, mut second) = (Client::new(group, [orders]), Client::new(group, [orders]));
//! for client in [&mut first, &mut second] {
//!     client.exchange(&mut cluster); // The first heartbeat joins; there is nothing to have yet.
//! }
//!
//! // The coordinator wants the partition with the first member, who reads a record of it.
//! let all = cluster.all_partitions(&[orders]);
//! cluster.reassign(group, [(first.member().unwrap(), all.clone())]).unwrap();
//! assert_eq!(first.exchange(&mut cluster), Some(Notice::Assign(all.clone())));
//! first.assign(&[(partition, 0)]).unwrap();
//! let records = first.fetch(&cluster, partition, 1).unwrap();
//! assert_eq!(records[0].record, "one");
//! first.store(partition, 1).unwrap();
//! first.send_commit();
//!
//! // Before the commit arrives the session expires, and the partition goes to the other one.
//! cluster.expire(group, first.member().unwrap()).unwrap();
//! cluster.reassign(group, [(second.member().unwrap(), all.clone())]).unwrap();
//! assert_eq!(second.exchange(&mut cluster), Some(Notice::Assign(all.clone())));
//! let answer = first.answer_commit(&mut cluster, Answer::Arrives);
//! assert_eq!(answer, Some(Err(CommitError::Refused(GroupError::UnknownMember))));
//! assert_eq!(cluster.committed(group, partition), None);
//!
//! // The next heartbeat tells the first member that it has lost the partition.
//! let lost = Notice::Revoke { partitions: all, lost: true };
//! assert_eq!(first.exchange(&mut cluster), Some(lost));
//! ```
//!
//! # What a call stands for
//!
//! | in life | here |
//! |---|---|
//! | heartbeat, join, sync, leave | [`Client::exchange`], whenever [`Client::may_exchange`] |
//! | the rebalance callback, answered later | [`Notice`], [`Client::assign`], [`Client::unassign`] |
//! | the periodic commit | [`Client::send_commit`], then [`Client::answer_commit`] with an [`Answer`] |
//! | a crash | the client is dropped; [`Cluster::expire`] when its session is over |
//! | a member is slow, or cut off | [`Cluster::expire`] while it lives on, or [`Client::session_timeout`] |
//! | partitions are added, the group notices | [`Cluster::create_topic`], [`Cluster::rebalance`] |
//! | any part of any member moves | [`Assignor::Explicit`] and [`Cluster::reassign`] |
//! | the broker is down | nobody calls |
//!
//! A commit that librdkafka sends again because the coordinator was away is one that is on its way for
//! longer. Rules and their order follow Kafka 4 (`GroupCoordinatorService`, KIP-429, KIP-848) and
//! librdkafka 2.12.
//!
//! # What is not modelled
//!
//! Transactions (a control marker is a gap in a log, nothing more), quotas, ACLs, replicas and leader
//! elections (but for what they lose: [`Cluster::truncate`]), static membership, subscriptions by
//! pattern, the delay of a group's first rebalance, requests that are cut into several answers, and the
//! loss of what a coordinator keeps. An exchange with the coordinator is not lost halfway; commits and
//! produced records are.
#![forbid(unsafe_code)]
mod assignor;
mod classic;
mod client;
mod cluster;
mod commits;
mod exchange;
mod group;
mod ids;
mod log;
mod partitioner;
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
pub use partitioner::partition_of;
