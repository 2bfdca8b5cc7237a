//! The settings of consumers and producers.
//!
//! One struct each: the attributes assign its fields from the user's expressions, so that the
//! compiler checks every type where it was written. A field that is `None` was not set and has the
//! default named in its documentation. `_ms` settings are whole milliseconds, under the name the
//! Python clients use; our own durations are [`Duration`]s.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

/// Where a group without a committed offset begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OffsetReset {
    /// At the end: records that arrive after the group's first start. The default.
    #[default]
    Latest,
    /// At the beginning.
    Earliest,
    /// Nowhere: the app does not start, and names the partitions.
    None,
    /// At the first record that is not older than this.
    Timestamp(SystemTime),
}

/// Which protocol the group speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupProtocol {
    /// The classic protocol: the members' clients assign partitions. The default.
    #[default]
    Classic,
    /// KIP-848: the broker assigns partitions. Needs a broker that has it switched on.
    Consumer,
}

/// What follows when a record used up its attempts or was rejected, and there is no dead-letter topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// Its partition stands still and health says so; others go on. The default.
    #[default]
    Stop,
    /// The record is left out, with a log line.
    Skip,
    /// The app drains and ends with status 1.
    Exit,
}

/// How often a record is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempts {
    /// So many times, the first included.
    Times(u32),
    /// Without limit.
    Forever,
}

impl Default for Attempts {
    fn default() -> Self {
        Self::Times(10)
    }
}

impl From<u32> for Attempts {
    fn from(times: u32) -> Self {
        Self::Times(times)
    }
}

/// In which order a handler's records are handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Those of a partition one after another. The default.
    #[default]
    Partition,
    /// Those of a key one after another, keys side by side. A record without a key has no order.
    Key,
    /// In no order: side by side.
    Unordered,
}

/// How many records of a partition are handled at a time: FastKafka's word for an [`Order`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Executor {
    /// One, in the order of the partition.
    Sequential,
    /// Many, in order by key unless `order` says otherwise.
    Dynamic,
}

/// Text of a setting: a literal or a string made at start.
pub type Text = Cow<'static, str>;

/// Everything `#[consumes(..)]` can set.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ConsumerSettings {
    /// The consumer group; default: the app's group id.
    pub group_id: Option<Text>,
    /// Where a new group begins; default [`OffsetReset::Latest`].
    pub auto_offset_reset: Option<OffsetReset>,
    /// Whether the handler's return settles its record; default true. With false it takes an `Ack`.
    pub enable_auto_commit: Option<bool>,
    /// How often settled offsets are committed; default 5,000.
    pub auto_commit_interval_ms: Option<u64>,
    /// Without a sign of life for so long a member is thrown out; default 45,000. Not with `group_protocol = "consumer"`.
    pub session_timeout_ms: Option<u64>,
    /// How often a member gives a sign of life; default 1,000. Not with `group_protocol = "consumer"`.
    pub heartbeat_interval_ms: Option<u64>,
    /// Longest time between two polls; default 300,000. Handlers do not count: polling goes on beside them.
    pub max_poll_interval_ms: Option<u64>,
    /// In which order records are handled; default [`Order::Partition`], [`Order::Key`] under
    /// [`Executor::Dynamic`].
    pub order: Option<Order>,
    /// How many calls of the handler run at once, over all its partitions; default 64. Only in order
    /// by key and without order.
    pub concurrency: Option<u32>,
    /// FastKafka's word for `order`; says nothing when absent.
    pub executor: Option<Executor>,
    /// Most records of one run or batch; default 1,024, in a batch 500. Not for handlers that take one
    /// record at a time in order by key or without order: they have no runs.
    pub max_poll_records: Option<u32>,
    /// How long a revoked partition may take to finish the record in hand; default 10,000.
    pub rebalance_timeout_ms: Option<u64>,
    /// Who assigns partitions in a classic group; default `cooperative-sticky`. Not with `group_protocol = "consumer"`.
    pub partition_assignment_strategy: Option<Text>,
    /// Classic or KIP-848; default classic.
    pub group_protocol: Option<GroupProtocol>,
    /// How often a record is tried; default 10.
    pub attempts: Option<Attempts>,
    /// The wait before the second attempt; doubles with each. Default 0.1 s.
    pub backoff: Option<Duration>,
    /// The longest wait; default 30 s.
    pub backoff_max: Option<Duration>,
    /// How long one call may take; default without limit. Not for sync handlers that are not `blocking`.
    pub handler_timeout: Option<Duration>,
    /// What follows when attempts are used up; default [`OnFailure::Stop`]. Not with `dead_letter`.
    pub on_failure: Option<OnFailure>,
    /// The topic for records that used up their attempts or were rejected.
    pub dead_letter: Option<Text>,
    /// How far reading may run ahead of the committed offset, in offsets; default 100,000.
    pub max_uncommitted: Option<u32>,
}

/// Everything `#[produces(..)]` can set.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ProducerSettings {
    /// How long a record waits for others to share a request; default 5.
    pub linger_ms: Option<u64>,
    /// How long a record may take from enqueue to acknowledgement; default 60,000.
    pub delivery_timeout_ms: Option<u64>,
    /// The largest record, in bytes; default 1,000,000.
    pub max_request_size: Option<u32>,
}
