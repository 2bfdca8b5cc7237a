//! Partitioners that are functions of the user's.

use fastkafka_core::{PartitionFn, Partitioner};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A number that no topic's partition has: librdkafka fails the record.
const NOWHERE: i32 = i32::MAX;

/// Called on librdkafka's threads.
pub(crate) struct Function(PartitionFn);

impl Function {
    pub(crate) fn new(partitioner: Partitioner) -> Option<Self> {
        match partitioner {
            Partitioner::Function(function) => Some(Self(function)),
            _ => None,
        }
    }
}

impl rdkafka::producer::Partitioner for Function {
    fn partition(
        &self,
        topic: &str,
        key: Option<&[u8]>,
        partitions: i32,
        _is_available: impl Fn(i32) -> bool,
    ) -> i32 {
        // A panic must not reach librdkafka's code; a negative number means "later" to it.
        let chosen = catch_unwind(AssertUnwindSafe(|| (self.0)(key, partitions)));
        match chosen {
            Ok(partition @ 0..) => partition,
            Ok(_) => NOWHERE,
            Err(_) => {
                tracing::error!("the partitioner of topic `{topic}` panicked");
                NOWHERE
            }
        }
    }
}
