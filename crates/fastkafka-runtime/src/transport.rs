//! A group's consumer as its driver needs it: the seam between the runtime and a client.
//!
//! No call waits. A question that takes a round trip (where a partition starts, whether an offset is in
//! range) is asked by one call, and answered by a [`Notice`] of a later one.

use crate::client_error::ClientError;
use crate::control::command::Seek;
use crate::control::error::ControlError;
use fastkafka_core::{Fetched, OffsetReset, TopicPartition};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// A partition, interned.
pub type PartitionRef = &'static TopicPartition;

/// Offsets by topic, as the app knows it, and partition.
pub type Offsets = BTreeMap<(String, i32), i64>;

/// Something that the client tells its driver.
#[derive(Debug)]
pub enum Notice {
    /// The group gives us these. The client waits for [`GroupConsumer::assign`].
    Assign(Vec<PartitionRef>),
    /// The group wants these back. The client waits for [`GroupConsumer::unassign`].
    Revoke {
        /// The partitions.
        places: Vec<PartitionRef>,
        /// They already belong to somebody else: nothing may be stored.
        lost: bool,
    },
    /// The answer to [`GroupConsumer::resolve`].
    Resolved(Starts),
    /// No topic matches the consumer's pattern. It is in no group until one does; then an assign follows.
    NoTopic,
    /// The consumer is a member of its group and was given no partition. When it is, an assign follows.
    NoPartition,
    /// The position of a partition is not in its log any more.
    OutOfRange {
        /// The partition.
        place: PartitionRef,
        /// The offset that it was going to read.
        position: i64,
        /// The log's first offset.
        low: i64,
        /// The offset after the log's last record.
        high: i64,
    },
    /// The log of a partition was cut below the position, which it may have again meanwhile: what stands
    /// there was not written behind what was read. The partition stands still until it is moved.
    Truncated {
        /// The partition.
        place: PartitionRef,
        /// The offset that it was going to read.
        position: i64,
        /// Where the log was cut, if the broker knows: from there on its records are new.
        end: Option<i64>,
    },
    /// The topic was deleted, and there is another of its name: the position belongs to neither record nor
    /// end of that. The partition stands still until it is moved.
    MadeAnew {
        /// The partition.
        place: PartitionRef,
        /// The offset that it was going to read.
        position: i64,
    },
    /// What [`Notice::MadeAnew`] has told holds: later looks at the topic agree.
    StillAnew {
        /// The partition.
        place: PartitionRef,
        /// The offset that it was going to read.
        position: i64,
    },
    /// The topic is the one that the position belongs to, after [`Notice::MadeAnew`] was told: the broker that
    /// said so was behind. What came meanwhile was dropped, so the partition stands still until it is moved there.
    SameAgain {
        /// The partition.
        place: PartitionRef,
        /// The offset that it is going to read.
        position: i64,
    },
    /// A batch of a partition cannot be read. Nothing behind it is read either; the client tries it again,
    /// and tells of it each time.
    Unreadable {
        /// The partition.
        place: PartitionRef,
        /// The offset of the batch's first record that was not read.
        position: i64,
        /// In librdkafka's words.
        why: String,
    },
    /// The answer to [`GroupConsumer::find`]: the offset, which is in the log.
    Found(PartitionRef, Result<i64, ControlError>),
    /// The answer to [`GroupConsumer::commit`].
    Moved(PartitionRef, Result<(), ClientError>),
    /// A [`GroupConsumer::seek`] that was taken could not be made. Nothing is read of the partition until
    /// another one is.
    NotMoved {
        /// The partition.
        place: PartitionRef,
        /// The offset where it was to go on.
        offset: i64,
        /// The client's reason.
        error: ClientError,
    },
    /// A commit of stored offsets was answered: for each partition the offset, or why it is refused.
    Committed(Vec<(PartitionRef, Result<i64, ClientError>)>),
    /// The partition, of which an error was told before, is read again.
    Reads(PartitionRef),
    /// The client has looked at partitions of which nothing comes: each is well, or that lasts.
    Silence(Vec<(PartitionRef, Result<(), Silent>)>),
    /// The client has looked at its group, of which it is no member for a while: that lasts, or it is one again.
    Membership(Result<(), Absent>),
    /// Everything of the partition below this offset was fetched before: it is the end of its log. Told before
    /// anything that moves the partition.
    AtEnd(PartitionRef, i64),
    /// The broker could not be reached or refused something.
    Error(ClientError),
    /// A broker answered: the client is connected.
    Connected,
    /// The client has looked, after a refusal, what is still refused.
    Checked {
        /// The topics of the subscription, by the app's names; patterns are not among them.
        topics: Vec<(String, Result<(), ClientError>)>,
        /// The group.
        group: Result<(), ClientError>,
    },
}

/// Nothing comes of a partition, and not because its log ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Silent {
    /// For how long.
    pub lasts: Duration,
    /// Its leader is away, or does not hand out what it has.
    pub why: String,
}

/// The consumer is not in its group, or in none whose members all have their partitions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Absent {
    /// For how long.
    pub lasts: Duration,
    /// How far it comes.
    pub why: String,
}

/// Where partitions start, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Starts {
    /// Each of these is committed.
    pub known: Vec<(PartitionRef, i64)>,
    /// The others, and why. They may be asked for again.
    pub unknown: Vec<(PartitionRef, StartError)>,
}

impl Starts {
    /// Nothing is known of these.
    pub fn unknown(places: impl IntoIterator<Item = PartitionRef>, why: &StartError) -> Self {
        let unknown = places.into_iter().map(|place| (place, why.clone()));
        Self {
            known: Vec::new(),
            unknown: unknown.collect(),
        }
    }
}

/// Why it cannot be worked out where a partition starts.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq, Hash)]
pub enum StartError {
    /// `auto_offset_reset = "none"`, and there is no commit.
    #[error(
        "no committed offset for {0}, and `auto_offset_reset = \"none\"` forbids to choose one"
    )]
    NoCommit(String),
    /// The broker refuses the question: the group or the topic is not ours to read.
    #[error("may not work out where to start: {0}")]
    Refused(String),
    /// Try again later.
    #[error("cannot work out where to start: {0}")]
    Retry(String),
}

/// A consumer as its driver sees it. One thread at a time.
pub trait GroupConsumer {
    /// Serves the client until it has no notices left. Any call counts for `max.poll.interval.ms`.
    fn poll(&mut self, notices: &mut Vec<Notice>);

    /// After this time [`GroupConsumer::poll`] has something to do by itself; it is called each second anyhow.
    fn due(&self) -> Option<Duration> {
        None
    }

    /// Appends blocks: records that were read of one partition, in the client's memory. At most `max`
    /// records together. True when there may be more at once.
    fn fetch(&mut self, max: usize, blocks: &mut Vec<(PartitionRef, Arc<dyn Fetched>)>) -> bool;

    /// The offset after the last record of a partition, as far as the client knows from what it has fetched.
    fn end(&self, _place: PartitionRef) -> Option<i64> {
        None
    }

    /// Works out where these start, commits each start that had no commit, and answers
    /// [`Notice::Resolved`] with what is known within about this time: the committed offset, else by the
    /// handler's policy. What is wrong with one of them keeps no other.
    /// Several questions are answered in the order in which they were asked.
    fn resolve(&mut self, places: Vec<(PartitionRef, OffsetReset)>, within: Duration);

    /// Answers [`Notice::Assign`]: reading begins at these offsets, nothing is paused. Partitions that it
    /// leaves out are not read before [`GroupConsumer::add`].
    ///
    /// # Errors
    /// The client's.
    fn assign(&mut self, starts: &[(PartitionRef, i64)]) -> Result<(), ClientError>;

    /// Begins to read these as well, nothing being paused: they were given by an assign that is
    /// answered. Where that is not possible at once they are begun with as soon as it is.
    ///
    /// # Errors
    /// The client's.
    fn add(&mut self, starts: &[(PartitionRef, i64)]) -> Result<(), ClientError>;

    /// Answers [`Notice::Revoke`]. What is stored for them is committed.
    ///
    /// # Errors
    /// The client's.
    fn unassign(&mut self, places: &[PartitionRef]) -> Result<(), ClientError>;

    /// True when a revoke that is being answered has become a loss.
    fn lost(&self) -> bool;

    /// Takes offsets to commit: each the next one to read. Returns those that were not taken and why.
    fn store(&mut self, offsets: &[(PartitionRef, i64)]) -> Vec<(PartitionRef, String)>;

    /// Works out where the user wants to go on and answers [`Notice::Found`].
    fn find(&mut self, place: PartitionRef, to: Seek);

    /// Commits this offset, also when it lies below what is committed, and answers [`Notice::Moved`].
    fn commit(&mut self, place: PartitionRef, offset: i64);

    /// Moves a partition's position; what was read before is dropped. Where that is not possible at
    /// once nothing is read of the partition until it is.
    ///
    /// # Errors
    /// The client's.
    fn seek(&mut self, place: PartitionRef, offset: i64) -> Result<(), ClientError>;

    /// Stops or goes on reading a partition. Stopping throws away what was prefetched.
    ///
    /// # Errors
    /// The client's.
    fn pause(&mut self, place: PartitionRef, pause: bool) -> Result<(), ClientError>;

    /// Leaves the group: the last revoke follows.
    fn unsubscribe(&mut self);

    /// After the last revoke: ends the client, step by step, within this time. Ready when it is closed;
    /// call again until then. Messages that are still held keep it open.
    ///
    /// # Errors
    /// It is closed, and the group could not be told, or the last commit was not answered.
    fn close(&mut self, within: Duration) -> Poll<Result<(), String>>;
}
