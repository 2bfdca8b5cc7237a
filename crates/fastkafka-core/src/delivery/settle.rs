//! Reports of settled records.

use crate::delivery::failure::Failure;

/// Which run of which partition a scope belongs to: the engine's numbers, opaque here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunTag {
    /// The partition.
    pub part: u32,
    /// The run.
    pub run: u64,
}

/// What became of a run's records.
#[derive(Debug)]
pub struct Closed {
    /// How many records from the first on are settled.
    pub settled: usize,
    /// Why the record at index `settled` is not: an output, an `Ack` or a spawned task failed.
    pub broken: Option<Failure>,
}

/// Told once per run, by whichever thread closed its last record.
pub trait Settle: Send + Sync {
    /// No record of the run is open any more.
    fn closed(&self, tag: RunTag, end: Closed);
}

/// Where a delivered record ended up.
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
    /// A report as the client gives it.
    pub fn new(topic: impl Into<String>, partition: i32, offset: i64) -> Self {
        Self {
            topic: topic.into(),
            partition,
            offset,
        }
    }
}
