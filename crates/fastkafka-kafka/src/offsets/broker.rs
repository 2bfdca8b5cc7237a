//! The questions to a broker. Each waits for its answer, so only a thread that may wait asks them.

use fastkafka_runtime::platform::{ClientError, PartitionRef, StartError};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// An offset, and the epoch of the leader by which it is in the log: as far as that is known, the broker can
/// tell whether the log was cut below it since (KIP-320).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OffsetAndEpoch {
    pub(crate) offset: i64,
    pub(crate) epoch: Option<i32>,
}

impl OffsetAndEpoch {
    pub(crate) fn new(offset: i64, epoch: Option<i32>) -> Self {
        Self { offset, epoch }
    }
}

/// Of an epoch that is not known.
impl From<i64> for OffsetAndEpoch {
    fn from(offset: i64) -> Self {
        Self::new(offset, None)
    }
}

/// A position in a log that the broker turns into an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    Beginning,
    /// The last stable offset.
    End,
    /// The first record that is not older, in milliseconds since 1970.
    Time(i64),
}

impl Position {
    pub(crate) fn at(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        Self::Time(since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// The broker's answer about a [`Position`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Offset(OffsetAndEpoch),
    /// No record is that young, or the log has no end yet.
    End,
}

/// An offset as a group has committed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Committed {
    pub(crate) at: OffsetAndEpoch,
    pub(crate) metadata: String,
}

/// An offset that is to be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) place: PartitionRef,
    pub(crate) at: OffsetAndEpoch,
    /// `None` writes none.
    pub(crate) metadata: Option<Arc<str>>,
}

/// A commit that the broker refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommitRefused {
    /// The group has members, and the client is none of them.
    pub(crate) group_is_active: bool,
    pub(crate) error: ClientError,
}

/// The answer about one of the partitions that were asked about.
pub(crate) type Of<T> = Result<T, StartError>;

/// A broker that is asked in the name of one group. Topics go by the cluster's names. An error of a call
/// speaks for all that it was asked about; one inside of the answer for its partition alone.
pub(crate) trait Broker {
    /// There is no time for a question that has not begun.
    fn is_over(&self) -> bool {
        false
    }

    /// The leader of each partition of a topic; `None` where it has none.
    fn leaders(&self, topic: &str) -> Result<Vec<Option<i32>>, StartError>;

    /// The first offset of a log, and the one after its last record. Waits no longer than `within`.
    fn range(&self, place: PartitionRef, within: Duration) -> Result<(i64, i64), StartError>;

    /// The commits of the group, in the order of the question.
    fn committed(
        &self,
        partitions: &[(&str, i32)],
    ) -> Result<Vec<Of<Option<Committed>>>, StartError>;

    /// The offsets of these positions. A partition may be missing in the answer.
    fn offsets_of(
        &self,
        asked: &[(PartitionRef, Position)],
    ) -> Result<Vec<(PartitionRef, Of<Found>)>, StartError>;

    /// Commits at once, ahead or back. `Ok` speaks for one partition at least: see
    /// [`Broker::committed`] for each.
    fn commit(&self, offsets: &[Commit]) -> Result<(), CommitRefused>;
}
