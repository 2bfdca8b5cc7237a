//! What the suite and the process of a member say to each other: one line of JSON each.
//!
//! A member of a group on a real client is a process of its own, so that it can be stopped in its
//! tracks and go on, or be killed. It does nothing unless it is asked: the suite decides when it
//! polls, and answers each rebalance for it, as FastKafka's owner does.

use serde::{Deserialize, Serialize};

/// How the partitions of a group are given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Protocol {
    /// Everybody gives everything back before anybody gets anything (`range`).
    Eager,
    /// Only what moves is given back (`cooperative-sticky`).
    Cooperative,
    /// The broker reconciles the members one by one (KIP-848).
    Consumer,
}

/// What a member process is started with: the group it joins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Join {
    /// `host:port` of a broker.
    pub bootstrap: String,
    /// Its `client.id`.
    pub client_id: String,
    /// Its `group.id`.
    pub group: String,
    /// The one topic that it subscribes to.
    pub topic: String,
    /// How partitions are given out.
    pub protocol: Protocol,
    /// Its `session.timeout.ms` in a classic group; in the others it is the broker's.
    pub session_ms: u32,
}

/// A request to a member. Partitions are those of its topic.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Ask {
    /// Serves what the client has to say.
    Poll,
    /// Takes at most so many records.
    Fetch {
        /// Of this partition; `None`: of all.
        partition: Option<i32>,
        /// How many.
        max: usize,
    },
    /// Answers an assign: reading begins at these offsets, nothing is paused.
    Assign(Vec<(i32, i64)>),
    /// Answers a revoke.
    Unassign(Vec<i32>),
    /// Takes the next offset to read, to commit it later.
    Store(i32, i64),
    /// Commits what is stored, and waits for the answer.
    Commit,
    /// Commits an offset with metadata, and waits for the answer.
    CommitAt(i32, i64, String),
    /// Where a partition is read next: the offset after the last record that was taken.
    Position(i32),
    /// Stops or goes on reading.
    Pause(i32, bool),
    /// Reads from somewhere else.
    Seek(i32, i64),
    /// Begins to leave: the last revoke follows.
    Unsubscribe,
    /// Ends the client.
    Close,
}

/// The answer to an [`Ask`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// To [`Ask::Poll`].
    Seen(Vec<Seen>),
    /// To [`Ask::Fetch`].
    Records(Vec<Fetched>),
    /// To [`Ask::Position`].
    Position(Option<i64>),
    /// To everything else: the client's error, if it has one.
    Done(Result<(), String>),
}

/// What a member's client has to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seen {
    /// It gets these, and the group waits for [`Ask::Assign`].
    Assign(Vec<i32>),
    /// It is to give these back, and the group waits for [`Ask::Unassign`].
    Revoke {
        /// Which.
        partitions: Vec<i32>,
        /// Somebody else may have them already.
        lost: bool,
    },
}

/// What a member finds where it reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fetched {
    /// A record.
    Record {
        /// Its partition.
        partition: i32,
        /// Its offset.
        offset: i64,
    },
    /// The log has no such offset any more, or not yet.
    OutOfRange {
        /// Where.
        partition: i32,
    },
}
