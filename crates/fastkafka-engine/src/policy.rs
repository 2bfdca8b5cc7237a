//! The user's settings for order and failures, and the bounds of the work under way.

use std::time::Duration;

/// The order in which records are handled, and the end of a record that its handler does not accept.
/// One per handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The records that wait for each other.
    pub order: Order,
    /// The maximum number of attempts, including the first; `None` is no maximum.
    pub attempts: Option<u32>,
    /// The wait before the second attempt. It doubles with every further one.
    pub backoff: Duration,
    /// The longest wait between two attempts.
    pub backoff_max: Duration,
    /// The end of a record without attempts left.
    pub on_failure: OnFailure,
    /// The handler takes batches: a batch that used up its attempts is run record by record once,
    /// so that `on_failure` is applied to the bad records only.
    pub batch: bool,
}

impl Default for Policy {
    /// Partition order, ten attempts, 0.1 s doubling to 30 s, then the partition stops.
    fn default() -> Self {
        Policy {
            order: Order::Partition,
            attempts: Some(10),
            backoff: Duration::from_millis(100),
            backoff_max: Duration::from_secs(30),
            on_failure: OnFailure::Stop,
            batch: false,
        }
    }
}

/// The records that are handled one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The records of a partition.
    Partition,
    /// The records of a key. Those without a key have no order; where none has one, nothing has.
    Key {
        /// The number of tasks of the handler that run at once, dead letters being written included,
        /// over all its partitions.
        concurrency: u32,
    },
}

/// The end of a record that cannot be handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Its partition stays assigned and stands still.
    Stop,
    /// Go on without it.
    Skip,
    /// End the app with an error.
    Exit,
    /// Write it to the dead-letter topic, then go on.
    DeadLetter,
}

/// Bounds of the work under way. Reaching one is never an error: reading or starting waits.
///
/// Each is checked before work is taken in, so the last run may exceed it: a run bigger than a
/// bound could otherwise never start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Records that one partition holds from its watermark on before it is held back.
    pub held_records: u64,
    /// The same in bytes.
    pub held_bytes: u64,
    /// Offsets that one partition may have been read beyond its lowest open record.
    pub max_uncommitted: i64,
    /// Records of one partition in runs that are started and not closed. Keeps a slow partition
    /// from taking the whole of `outstanding`.
    pub ahead: u64,
    /// Records of all runs that are started and not closed, those of former assignments included.
    pub outstanding: u64,
}

impl Default for Limits {
    /// 16,384 records and 8 MiB held, 100,000 offsets uncommitted, 16,384 records ahead per
    /// partition and 131,072 in all.
    fn default() -> Self {
        Limits {
            held_records: 16_384,
            held_bytes: 8 << 20,
            max_uncommitted: 100_000,
            ahead: 16_384,
            outstanding: 131_072,
        }
    }
}
