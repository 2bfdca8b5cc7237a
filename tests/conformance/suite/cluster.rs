//! What the suite needs from a cluster, and nothing else.

use conformance::{Answer, Ask, Protocol};

/// A member of a group, by the order of joining.
pub(crate) type MemberId = usize;

/// A record to write.
#[derive(Clone, Debug, Default)]
pub(crate) struct New {
    /// `None`: the producer chooses.
    pub(crate) partition: Option<i32>,
    pub(crate) key: Option<String>,
    /// Milliseconds since the Unix epoch; `None`: now.
    pub(crate) timestamp: Option<i64>,
}

/// A commit: the offset and its metadata.
pub(crate) type Commit = (i64, String);

/// A Kafka cluster with clients. What it cannot do panics.
///
/// The same names on one cluster mean the same topics and groups; each case has a cluster, or names,
/// of its own.
pub(crate) trait Cluster {
    fn create_topic(&mut self, topic: &str, partitions: i32);

    /// Gives a topic more partitions.
    fn grow(&mut self, topic: &str, total: i32);

    /// Writes a record; returns its partition and offset.
    fn append(&mut self, topic: &str, record: &New) -> (i32, i64);

    /// Writes records in a transaction that is aborted: they take offsets, as does its marker.
    fn append_aborted(&mut self, topic: &str, partition: i32, records: usize);

    /// Moves the start of the log, as retention does.
    fn delete_below(&mut self, topic: &str, partition: i32, offset: i64);

    /// The log's first offset, and the one after its last.
    fn bounds(&mut self, topic: &str, partition: i32) -> (i64, i64);

    /// The first record that is not older.
    fn offset_for_time(&mut self, topic: &str, partition: i32, at: i64) -> Option<i64>;

    /// What a group has committed.
    fn committed(&mut self, group: &str, topic: &str, partition: i32) -> Option<Commit>;

    fn join(&mut self, group: &str, topic: &str, protocol: Protocol) -> MemberId;

    /// Has a member do something.
    fn ask(&mut self, member: MemberId, ask: &Ask) -> Answer;

    /// Stops a member in its tracks, its heartbeats too.
    fn freeze(&mut self, member: MemberId);

    /// Lets a frozen member go on.
    fn thaw(&mut self, member: MemberId);

    /// Ends a member without a word.
    fn kill(&mut self, member: MemberId);

    /// Lets time go on while the members have nothing to do. False: nothing will happen by itself.
    fn pass(&mut self) -> bool;
}
