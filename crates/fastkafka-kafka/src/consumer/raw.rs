//! The client of a consumer as its state machines see it: librdkafka's calls, without its types.
//!
//! No call waits. A question that takes a round trip is begun by [`RawClient::ask`] and answered by an
//! [`Event`] of a later [`RawClient::poll`].

use super::absence::Standing;
use super::epochs::{Epoch, Epochs};
use super::fetch_position::FetchPosition;
use super::looks::Look;
use super::silence::Heard;
use crate::offsets::broker::{Commit, OffsetAndEpoch};
use crate::offsets::start_offsets::Resolved;
use crate::offsets::topic_id::TopicId;
use fastkafka_core::{Fetched, OffsetReset};
use fastkafka_runtime::platform::{ClientError, PartitionRef};
use fastkafka_runtime::{ControlError, Seek};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Partitions with an offset each.
pub(crate) type Offsets = [(PartitionRef, OffsetAndEpoch)];

/// An event of the client.
#[derive(Debug)]
pub(crate) enum Event {
    /// The group gives these. The client waits for an assign.
    Assign(Vec<PartitionRef>),
    /// The group wants these back. The client waits for an unassign.
    Revoke(Vec<PartitionRef>),
    /// A commit was answered: for each partition its offset, and why that is refused if it is.
    Committed(Vec<(PartitionRef, i64, Result<(), ClientError>)>),
    /// A seek that has waited could not be made.
    NotMoved(PartitionRef, i64, ClientError),
    /// The answer to [`RawClient::look`]: the ids of topics that the broker knows, by their names.
    TopicIds(Look, BTreeMap<String, TopicId>),
    /// An error that belongs to no request.
    Error(ClientError),
    /// The pattern matches no topic, so there is no group yet.
    NoTopic,
    /// What the client thinks of its group, every few seconds. Without a group there is no such event.
    Seen(Standing),
    /// The client knows no broker any more that it could ask anything, and does not begin again by itself. Told
    /// every few seconds while it lasts.
    KnowsNoBroker,
    /// The answer to a request.
    Answer(Answer),
}

/// A question that waits for the broker. [`Questions`](super::questions::Questions) has the order in which they
/// are answered.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    /// The starts of these partitions of a group, as far as they are known within this time; committed
    /// only where they are still ours. [`Answer::Resolved`].
    Resolve(Vec<(PartitionRef, OffsetReset, Epoch)>, Duration),
    /// The starts of these partitions without a group. [`Answer::Resolved`].
    Choose(Vec<(PartitionRef, OffsetReset)>, Duration),
    /// The partitions of these topics, by the cluster's names.
    List(Vec<String>),
    /// The offset where the user wants to go on, if the partition is still ours. [`Answer::Found`].
    Find {
        place: PartitionRef,
        to: Seek,
        epoch: Epoch,
    },
    /// Commits this offset, be it ahead or back, if the partition is still ours. [`Answer::Moved`].
    Commit { commit: Commit, epoch: Epoch },
    /// The range of the log of a partition whose position is not in it. Without an answer there is no
    /// event.
    Range(FetchPosition),
    /// Whether these topics, by the cluster's names, and the group are refused. [`Answer::Checked`].
    Check {
        topics: Vec<String>,
        /// There is a group to be asked for.
        group: bool,
    },
    /// Whether these partitions can be read, and anything comes from here on before their logs end.
    /// [`Answer::Ends`].
    Ends(Vec<FetchPosition>),
    /// The ends of the logs of these partitions, which stand at these positions, by their leaders.
    /// [`Answer::Leaders`].
    Leaders(Vec<(PartitionRef, i64)>),
    /// A sign of life of any broker. Without an answer there is no event.
    IsReached,
}

/// A partition that could be read, from a position on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) from: FetchPosition,
    /// The end of its log, if nothing comes before that.
    pub(crate) end: Option<i64>,
}

/// The answer to a [`Request`].
#[derive(Debug)]
pub(crate) enum Answer {
    Resolved(Resolved),
    Listed(Vec<PartitionRef>),
    Found(PartitionRef, Result<OffsetAndEpoch, ControlError>),
    Moved(PartitionRef, Result<(), ClientError>),
    /// What was found of partitions, as far as they could be read.
    Ends(Vec<Ended>),
    /// The ends, with the positions of the question.
    Leaders(Heard),
    Checked {
        /// By the app's names.
        topics: Vec<(String, Result<(), ClientError>)>,
        group: Result<(), ClientError>,
    },
    Range {
        /// That of the request.
        at: FetchPosition,
        low: i64,
        high: i64,
    },
    /// A broker answered.
    Connected,
}

/// A part of a fetched batch: consecutive records of one partition, or one error.
#[derive(Debug)]
pub(crate) struct Piece<'a> {
    /// The cluster's name of the topic; empty when an error belongs to none.
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    /// Of the leader that wrote the records.
    pub(crate) leader_epoch: Option<i32>,
    pub(crate) content: Result<Arc<dyn Fetched>, FetchError>,
}

/// An error in the place of records.
///
/// librdkafka drops what it has fetched before a move, and most errors with it. [`Self::OutOfRange`] and
/// [`Self::Truncated`] come all the same, however long ago the partition has left the position that they are about,
/// and even if it was given away since; and they may have stopped reading at the position where it is now
/// (`rd_kafka_offset_reset`: the error has no version, and is made by another thread than finds it).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FetchError {
    /// The position is not in the log. The partition stands still until it is assigned anew.
    OutOfRange {
        /// `None`: the one that was read next.
        position: Option<i64>,
    },
    /// The log was cut below the position and has grown again. The partition stands still until it is
    /// assigned anew.
    Truncated {
        /// `None`: the one that was read next.
        position: Option<OffsetAndEpoch>,
        /// Where it was cut, if the broker knows.
        end: Option<i64>,
    },
    /// A batch at the next position cannot be read: it is damaged, or compressed in a way that the client
    /// does not know.
    Unreadable { why: String },
    /// Anything else.
    Other(ClientError),
}

/// The client's answer to offsets that are to be committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The error of the call.
    pub(crate) failure: Option<String>,
    /// The error of each offset, in their order.
    pub(crate) refused: Vec<Option<String>>,
}

/// A consumer's client. Records come by the private queue only: a record outside of it is an error.
pub(crate) trait RawClient {
    /// The time since the client was made.
    fn now(&self) -> Duration;

    /// Serves the client until it has nothing more to say, and appends its events.
    fn poll(&mut self, events: &mut Vec<Event>);

    /// True when the client has events that no poll has served.
    fn has_events(&self) -> bool;

    /// Adds an event of our own behind those of the client, and wakes the driver.
    fn post(&self, event: Event);

    /// Wakes the driver: there is something to do.
    fn wake(&self);

    /// From here on these are ours: no request commits anything else.
    fn own(&mut self, ours: &Epochs);

    /// Tells the client the configured addresses once more, of those that it does not know.
    fn begin_again(&mut self);

    /// Begins a request.
    fn ask(&self, request: Request);

    /// Takes at most this many records and errors from the private queue. Returns how many there were.
    fn fetch(&mut self, max: usize, each: impl FnMut(Piece<'_>)) -> usize;

    /// The end of a log, as far as the client knows from what it has fetched.
    fn known_end(&self, place: PartitionRef) -> Option<i64>;

    /// Sends the records of these partitions to the private queue.
    fn forward(&mut self, places: &Offsets);

    /// True where the group moves single partitions, false where it moves all of them together.
    fn is_cooperative(&self) -> bool;

    /// Reads these and no others. Answers a rebalance. Those that were read before, these among them, stop behind
    /// the call, and each takes its forwarding with it.
    fn assign(&mut self, starts: &Offsets) -> Result<(), ClientError>;

    /// Reads these beside the others. Answers a rebalance, if one waits.
    fn assign_more(&mut self, starts: &Offsets) -> Result<(), ClientError>;

    /// Waits for another thread of the client, and for no broker, until all that a call has stopped has stopped.
    fn await_stops(&mut self);

    /// Reads nothing any more. Answers a rebalance.
    fn unassign(&mut self) -> Result<(), ClientError>;

    /// Stops reading these; refuses all if one is not read. Answers a rebalance.
    fn unassign_some(&mut self, places: &Offsets) -> Result<(), ClientError>;

    /// Begins to ask for the ids of these topics. [`Event::TopicIds`] is the answer, also when there is none.
    fn look(&mut self, look: Look, topics: &[&str]);

    /// Goes to these positions, and asks the leaders whether their logs still have them, by their epochs; what
    /// was fetched of them is dropped. [`FetchError::Truncated`] comes in the place of records where a log was
    /// cut. Returns those that it cannot move: reading has not begun, or stands still after an error.
    fn validate(&mut self, places: &Offsets) -> Vec<PartitionRef>;

    /// True when the partitions that are being revoked already belong to another member.
    fn is_lost(&self) -> bool;

    /// True from a fatal error on. The client has given up its partitions without a word then: it raises no
    /// rebalance, commits nothing, and does not say that it leaves.
    fn is_dead(&self) -> bool;

    /// Stops reading without giving up. The client keeps a pause when the partition is assigned anew.
    fn pause(&mut self, places: &Offsets) -> Result<(), ClientError>;

    /// Ends a pause.
    fn resume(&mut self, places: &Offsets) -> Result<(), ClientError>;

    /// Takes offsets for the next periodic commit.
    fn store(&mut self, offsets: &[Commit]) -> Stored;

    /// Leaves the group: the last revoke follows.
    fn unsubscribe(&mut self);

    /// Closes the membership without leaving the group: the last revoke follows.
    fn close_membership(&mut self) -> Result<(), ClientError>;

    /// True when [`RawClient::close_membership`] is done.
    fn is_membership_closed(&self) -> bool;

    /// True when the broker has taken the consumer into its group, also one that it assigns itself.
    fn is_joined(&self) -> bool;

    /// True from the join of a classic group until the leave is sent.
    fn is_member(&self) -> bool;

    /// Drains and destroys the private queue.
    fn drop_queue(&mut self);

    /// True while fetched records are alive.
    fn is_held(&self) -> bool;

    /// Begins to destroy the client. It would hang with a private queue, with records that are alive, or
    /// with a rebalance that is not answered.
    fn destroy(&mut self);

    /// True when the client is destroyed.
    fn is_destroyed(&self) -> bool;
}
