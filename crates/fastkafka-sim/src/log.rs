//! The log of one partition.

use std::collections::BTreeMap;

/// A record in a log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry<R> {
    /// Its offset.
    pub offset: i64,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// Its content.
    pub record: R,
}

/// The result of a fetch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Batch<T> {
    /// The records, in offset order.
    pub records: T,
    /// The offset to fetch next: behind the last record, and behind the gap that follows it when the log
    /// ends there.
    pub next: i64,
}

/// The reason why a partition cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FetchError {
    /// The offset is not in the log: retention has passed it, or the log was truncated.
    OutOfRange {
        /// The log's first offset.
        low: i64,
        /// The offset after its last.
        high: i64,
    },
    /// The topic does not exist, or not with this partition.
    UnknownPartition,
}

impl std::fmt::Display for FetchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OutOfRange { low, high } => {
                write!(f, "offset out of range: the log has {low} up to {high}")
            }
            Self::UnknownPartition => f.write_str("unknown topic or partition"),
        }
    }
}

impl std::error::Error for FetchError {}

/// The records that are left of everything that was written to a partition. Offsets may have gaps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Log<R> {
    entries: Vec<Entry<R>>,
    low: i64,
    high: i64,
}

impl<R> Default for Log<R> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            low: 0,
            high: 0,
        }
    }
}

impl<R> Log<R> {
    /// The records that are left, in offset order.
    pub fn entries(&self) -> &[Entry<R>] {
        &self.entries
    }

    /// The first offset that can be fetched (log start offset).
    pub fn low(&self) -> i64 {
        self.low
    }

    /// The offset of the next record (high watermark).
    pub fn high(&self) -> i64 {
        self.high
    }

    pub(crate) fn append(&mut self, record: R, timestamp: i64) -> i64 {
        let offset = self.high;
        self.entries.push(Entry {
            offset,
            timestamp,
            record,
        });
        self.high += 1;
        offset
    }

    pub(crate) fn append_marker(&mut self) -> i64 {
        self.high += 1;
        self.high - 1
    }

    pub(crate) fn fetch(&self, from: i64, max: usize) -> Result<Batch<&[Entry<R>]>, FetchError> {
        if !(self.low..=self.high).contains(&from) {
            let (low, high) = (self.low, self.high);
            return Err(FetchError::OutOfRange { low, high });
        }
        let start = self.entries.partition_point(|e| e.offset < from);
        let end = self.entries.len().min(start.saturating_add(max));
        let records = &self.entries[start..end];
        let next = match records.last() {
            _ if end == self.entries.len() => self.high,
            Some(last) => last.offset + 1,
            None => from,
        };
        Ok(Batch { records, next })
    }

    pub(crate) fn offset_for_time(&self, timestamp: i64) -> Option<i64> {
        let mut entries = self.entries.iter();
        entries.find(|e| e.timestamp >= timestamp).map(|e| e.offset)
    }

    /// Raises the log start: never lowers it, never past the end.
    pub(crate) fn delete_before(&mut self, offset: i64) {
        self.low = offset.clamp(self.low, self.high);
        let low = self.low;
        self.entries.retain(|e| e.offset >= low);
    }

    /// Retention by time deletes from the front only: an old record behind a young one stays.
    pub(crate) fn delete_older(&mut self, timestamp: i64) {
        let young = self.entries.iter().find(|e| e.timestamp >= timestamp);
        self.delete_before(young.map_or(self.high, |e| e.offset));
    }

    pub(crate) fn remove(&mut self, offset: i64) {
        self.entries.retain(|e| e.offset != offset);
    }

    pub(crate) fn truncate(&mut self, high: i64) {
        self.high = high.clamp(0, self.high);
        self.low = self.low.min(self.high);
        self.entries.retain(|e| e.offset < high);
    }

    /// Keeps the last record of each key, and every record without one.
    pub(crate) fn compact<K: Ord>(&mut self, key: impl Fn(&R) -> Option<K>) {
        let keyed = self.entries.iter();
        let keyed = keyed.filter_map(|e| Some((key(&e.record)?, e.offset)));
        let last: BTreeMap<K, i64> = keyed.collect();
        self.entries.retain(|e| match key(&e.record) {
            Some(key) => last.get(&key) == Some(&e.offset),
            None => true,
        });
    }
}
