//! Values of settings that are neither numbers nor text.

use super::Text;
use super::limits::{self, quoted};
use super::value::{Value, words};
use std::time::{Duration, SystemTime};

/// The offset at which a group without a committed offset begins.
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

/// What follows when the log of a partition is not the one that was read: it was cut below the position and
/// has grown again, or its topic was deleted and made anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTruncation {
    /// The partition stops and health reports it; others go on. The default.
    #[default]
    Stop,
    /// The partition goes on where the log was cut, and in a topic that was made anew at the beginning:
    /// every record that is new is handled. Where it was cut must be known, or it stops.
    Reset,
}

/// The protocol of the group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupProtocol {
    /// The classic protocol: the members' clients assign partitions. The default.
    #[default]
    Classic,
    /// KIP-848: the broker assigns partitions. Needs a broker that has it switched on.
    Consumer,
}

/// The fate of a record that used up its attempts or was rejected, where there is no dead-letter topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// Its partition stops and health reports it; others go on. The default.
    #[default]
    Stop,
    /// The record is skipped, with a log line.
    Skip,
    /// The app drains and ends with status 1.
    Exit,
}

/// The consequence of a failed background task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// The app drains and ends with status 1. The default.
    #[default]
    Never,
    /// The task is started again after a pause that grows with each failure. A task that returns without
    /// an error has ended and is not started again.
    OnFailure,
}

/// The number of attempts that a record has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempts {
    /// The maximum number of attempts, including the first.
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
    /// The records of a partition are handled one after another. The default.
    #[default]
    Partition,
    /// The records of a key are handled one after another, keys side by side. A record without a key has no
    /// order.
    Key,
    /// In no order: side by side.
    Unordered,
}

/// FastKafka's word for an [`Order`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Executor {
    /// One, in the order of the partition.
    Sequential,
    /// Many, in order by key unless `order` says otherwise.
    Dynamic,
}

/// The consumer group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupId {
    /// The one of this name.
    Named(Text),
    /// None: every process reads all partitions, from where `auto_offset_reset` says, and commits nothing.
    None,
}

impl From<&'static str> for GroupId {
    fn from(id: &'static str) -> Self {
        Self::Named(id.into())
    }
}

impl From<String> for GroupId {
    fn from(id: String) -> Self {
        Self::Named(id.into())
    }
}

impl From<Text> for GroupId {
    fn from(id: Text) -> Self {
        Self::Named(id)
    }
}

/// In text a group cannot be called `none`.
impl Value for GroupId {
    fn read(text: &str) -> Result<Self, String> {
        Ok(match text {
            "none" => Self::None,
            id => id.to_owned().into(),
        })
    }

    fn show(&self) -> String {
        match self {
            Self::Named(id) => id.to_string(),
            Self::None => "none".to_owned(),
        }
    }

    fn wrong(&self, key: &str) -> Option<String> {
        match self {
            Self::Named(id) => limits::text(key, id),
            Self::None => None,
        }
    }
}

/// The records of transactions that a consumer gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IsolationLevel {
    /// Only records of committed transactions. The default.
    #[default]
    ReadCommitted,
    /// Also those of aborted ones.
    ReadUncommitted,
}

/// The replicas that must have a record before it counts as delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acks {
    /// All replicas in sync. The default.
    #[default]
    All,
    /// The leader of the partition: a record is lost when the leader is.
    Leader,
    /// Nobody: nothing is known of what became of a record. Not inside a handler or a delivery scope.
    None,
}

/// The compression of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CompressionType {
    /// Not. The default.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// Snappy.
    Snappy,
    /// LZ4.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// A partitioner of one's own: the key, if there is one, and the number of partitions; returns a
/// partition below that number. Anything else fails the record. It is called on librdkafka's threads
/// and must not wait.
pub type PartitionFn = fn(key: Option<&[u8]>, partitions: i32) -> i32;

/// To which partition a record goes that names none.
#[derive(Clone, Copy, Debug, Default)]
pub enum Partitioner {
    /// By the key as Java's clients and aiokafka do, without a key at random. The default.
    #[default]
    Murmur2Random,
    /// By the key as Java's clients do; records without a key go to the partition of an empty one.
    Murmur2,
    /// At random, whatever the key.
    Random,
    /// By CRC32 of the key; records without a key go to one partition.
    Consistent,
    /// By CRC32 of the key, without a key at random: librdkafka's own default.
    ConsistentRandom,
    /// By FNV-1a of the key; records without a key go to one partition.
    Fnv1a,
    /// By FNV-1a of the key, without a key at random.
    Fnv1aRandom,
    /// As a function says.
    Function(PartitionFn),
}

impl PartialEq for Partitioner {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Function(a), Self::Function(b)) => std::ptr::fn_addr_eq(*a, *b),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

words! {
    GroupProtocol { "classic" = Classic, "consumer" = Consumer }
    OnFailure { "stop" = Stop, "skip" = Skip, "exit" = Exit }
    OnTruncation { "stop" = Stop, "reset" = Reset }
    Restart { "never" = Never, "on_failure" = OnFailure }
    Order { "partition" = Partition, "key" = Key, "unordered" = Unordered }
    Executor { "sequential" = Sequential, "dynamic" = Dynamic }
    IsolationLevel { "read_committed" = ReadCommitted, "read_uncommitted" = ReadUncommitted }
    Acks { "all" = All, "1" = Leader, "0" = None }
    CompressionType { "none" = None, "gzip" = Gzip, "snappy" = Snappy, "lz4" = Lz4, "zstd" = Zstd }
}

impl Partitioner {
    const NAMES: [(&str, Self); 7] = [
        ("murmur2_random", Self::Murmur2Random),
        ("murmur2", Self::Murmur2),
        ("random", Self::Random),
        ("consistent", Self::Consistent),
        ("consistent_random", Self::ConsistentRandom),
        ("fnv1a", Self::Fnv1a),
        ("fnv1a_random", Self::Fnv1aRandom),
    ];

    /// librdkafka's name of it; a function has none.
    pub fn name(&self) -> Option<&'static str> {
        Self::NAMES
            .iter()
            .find(|(_, known)| known == self)
            .map(|(name, _)| *name)
    }
}

impl Value for Partitioner {
    fn read(text: &str) -> Result<Self, String> {
        let known = Self::NAMES.iter().find(|(name, _)| *name == text);
        known.map(|(_, known)| *known).ok_or_else(|| {
            let names: Vec<_> = Self::NAMES
                .iter()
                .map(|(name, _)| format!("`{name}`"))
                .collect();
            format!("{}; not {}", names.join(", "), quoted(text))
        })
    }

    fn show(&self) -> String {
        self.name().unwrap_or("a function").to_owned()
    }
}

impl Value for Attempts {
    fn read(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("forever", _) => Ok(Self::Forever),
            (_, Ok(times)) => Ok(Self::Times(times)),
            _ => Err(format!("a number or `forever`, not {}", quoted(text))),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Times(times) => times.to_string(),
            Self::Forever => "forever".to_owned(),
        }
    }
}

impl Value for OffsetReset {
    fn read(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("latest", _) => Ok(Self::Latest),
            ("earliest", _) => Ok(Self::Earliest),
            ("none", _) => Ok(Self::None),
            (_, Ok(millis)) => Ok(Self::Timestamp(
                SystemTime::UNIX_EPOCH + Duration::from_millis(millis),
            )),
            _ => Err(format!(
                "`latest`, `earliest`, `none` or a time in milliseconds since 1970; not {}",
                quoted(text)
            )),
        }
    }

    fn wrong(&self, key: &str) -> Option<String> {
        match self {
            Self::Timestamp(at) => limits::moment(key, *at),
            Self::Latest | Self::Earliest | Self::None => None,
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Latest => "latest".to_owned(),
            Self::Earliest => "earliest".to_owned(),
            Self::None => "none".to_owned(),
            Self::Timestamp(at) => {
                let since = at.duration_since(SystemTime::UNIX_EPOCH);
                since.unwrap_or_default().as_millis().to_string()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip<T: Value + std::fmt::Debug>(words: &[&str]) {
        for word in words {
            assert_eq!(T::read(word).unwrap().show(), *word);
        }
        assert!(T::read("x").unwrap_err().ends_with("not `x`"));
    }

    #[test]
    fn words_are_read_as_they_are_shown() {
        round_trip::<OffsetReset>(&["latest", "earliest", "none", "1700000000000"]);
        round_trip::<Acks>(&["all", "1", "0"]);
        round_trip::<Partitioner>(&["murmur2_random", "consistent", "fnv1a_random"]);
        round_trip::<CompressionType>(&["none", "gzip", "snappy", "lz4", "zstd"]);
        round_trip::<IsolationLevel>(&["read_committed", "read_uncommitted"]);
    }

    #[test]
    fn attempts_are_read_as_they_are_shown() {
        assert_eq!(Attempts::read("forever").unwrap().show(), "forever");
        assert_eq!(Attempts::read("3"), Ok(Attempts::Times(3)));
    }

    #[test]
    fn a_partitioner_of_ones_own_equals_itself() {
        let first: PartitionFn = |_, _| 0;
        assert_eq!(Partitioner::Function(first), Partitioner::Function(first));
        assert_ne!(Partitioner::Function(first), Partitioner::Random);
    }
}
