//! Fetched records, as a client holds them.

use super::Timestamp;
use std::fmt;

/// One fetched record, borrowed from the client's buffer.
#[derive(Clone, Copy, Debug)]
pub struct Record<'r> {
    /// `None` for a tombstone.
    pub payload: Option<&'r [u8]>,
    /// The key, if it has one.
    pub key: Option<&'r [u8]>,
    /// Its offset.
    pub offset: i64,
    /// Its time.
    pub timestamp: Timestamp,
}

/// One header: a name and a value that may be null.
pub type Header<'r> = (&'r str, Option<&'r [u8]>);

/// Fetched records of one partition, as a client holds them.
///
/// A client parses headers only on demand, so they are not part of [`Record`].
pub trait Fetched: Send + Sync + fmt::Debug {
    /// The number of records, at least one.
    fn len(&self) -> usize;
    /// Always false: fetched records are at least one.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The offset of a record.
    fn offset(&self, at: usize) -> i64;
    /// Appends the records of `range` in offset order.
    fn records<'r>(&'r self, range: std::ops::Range<usize>, into: &mut Vec<Record<'r>>);
    /// Keys and payloads of `range` together.
    fn bytes(&self, range: std::ops::Range<usize>) -> u64 {
        let mut records = Vec::with_capacity(range.len());
        self.records(range, &mut records);
        let len = |bytes: Option<&[u8]>| bytes.map_or(0, |bytes| bytes.len() as u64);
        records
            .iter()
            .map(|record| len(record.key) + len(record.payload))
            .sum()
    }
    /// The headers of a record, in their order.
    fn headers(&self, at: usize) -> Vec<Header<'_>>;
}
