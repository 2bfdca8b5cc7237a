//! Reports of settled records.

use crate::delivery::failure::Failure;

/// The partition and the run of a scope: the engine's numbers, opaque here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunTag {
    /// The partition.
    pub part: u32,
    /// The run.
    pub run: u64,
}

/// The partition that a handler reads. Outputs of its records may have an order among themselves; those of
/// other partitions have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderUnit {
    /// Who is told of the end of its runs.
    pub(super) reader: usize,
    pub(super) part: u32,
}

/// The end of a run: how many of its records are settled.
#[derive(Debug)]
pub struct Closed {
    /// The number of settled records, from the first on.
    pub settled: usize,
    /// Why the record at index `settled` is not: an output, an `Ack` or a spawned task failed.
    pub broken: Option<Failure>,
}

/// Receives the end of each run once, on the thread that closed its last record.
pub trait Settle: Send + Sync {
    /// No record of the run is open any more.
    fn closed(&self, tag: RunTag, end: Closed);
}

/// The place of a delivered record in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset in it.
    pub offset: i64,
}

impl Delivery {
    /// A report of the client's.
    pub fn new(topic: impl Into<String>, partition: i32, offset: i64) -> Self {
        Self {
            topic: topic.into(),
            partition,
            offset,
        }
    }
}
