//! A cluster in memory: logs, what the group has committed, and the records that clients hold.

use crate::transport::PartitionRef;
use fastkafka_core::{Bytes, Fetched, Header, Record, Timestamp, TimestampType, TopicPartition};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

/// A payload that no task can read: it panics where no panic is caught.
pub(super) const TRAP: &str = "trap";

/// A record in a log.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entry {
    pub(super) key: Option<Bytes>,
    pub(super) payload: Option<Bytes>,
    pub(super) headers: Vec<(String, Option<Bytes>)>,
    pub(super) timestamp: Option<i64>,
}

#[derive(Debug, Default)]
pub(super) struct Log {
    /// The records that retention and compaction left, with their offsets.
    pub(super) entries: Vec<(i64, Entry)>,
    pub(super) low: i64,
    pub(super) high: i64,
}

/// The cluster that the members of the group share.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    pub(super) logs: HashMap<PartitionRef, Log>,
    pub(super) committed: HashMap<PartitionRef, i64>,
    pub(super) refuse_commits: Option<String>,
    /// Most records of one block.
    pub(super) block: Option<usize>,
}

/// A value that a test and its parts share.
pub(super) type Locked<T> = Arc<Mutex<T>>;

pub(super) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap()
}

pub(super) fn place(partition: i32) -> PartitionRef {
    TopicPartition::intern("in", partition)
}

impl Cluster {
    pub(super) fn log(&mut self, partition: i32) -> &mut Log {
        self.logs.entry(place(partition)).or_default()
    }

    pub(super) fn publish(&mut self, partition: i32, entry: Entry) {
        let log = self.log(partition);
        log.entries.push((log.high, entry));
        log.high += 1;
    }

    /// A record that ends the task that reads it.
    pub(super) fn trap(&mut self, partition: i32) {
        let entry = Entry {
            payload: Some(TRAP.into()),
            ..Entry::default()
        };
        self.publish(partition, entry);
        self.committed.insert(place(partition), 0);
    }

    /// `n` records; each carries its offset as JSON.
    pub(super) fn fill(&mut self, partition: i32, n: i64) {
        for _ in 0..n {
            let payload = self.log(partition).high.to_string();
            self.publish(
                partition,
                Entry {
                    payload: Some(payload.into()),
                    ..Entry::default()
                },
            );
        }
    }
}

/// Records that the client gave at once. While one is held the client cannot be closed.
#[derive(Debug)]
pub(super) struct Block(
    pub(super) Vec<(i64, Entry)>,
    #[expect(dead_code)] pub(super) Arc<()>,
);

impl Fetched for Block {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn offset(&self, at: usize) -> i64 {
        self.0[at].0
    }
    fn records<'r>(&'r self, range: Range<usize>, into: &mut Vec<Record<'r>>) {
        let is_trap = |(_, entry): &(i64, Entry)| entry.payload.as_deref() == Some(TRAP.as_bytes());
        let by_task = tokio::task::try_id().is_some();
        assert!(!(by_task && self.0[range.clone()].iter().any(is_trap)));
        into.extend(self.0[range].iter().map(|(offset, entry)| Record {
            payload: entry.payload.as_deref(),
            key: entry.key.as_deref(),
            offset: *offset,
            timestamp: entry.timestamp.map_or(Timestamp::NONE, |millis| {
                Timestamp::new(millis, TimestampType::CreateTime)
            }),
        }));
    }
    fn headers(&self, at: usize) -> Vec<Header<'_>> {
        let headers = self.0[at].1.headers.iter();
        headers
            .map(|(name, value)| (&**name, value.as_deref()))
            .collect()
    }
}
