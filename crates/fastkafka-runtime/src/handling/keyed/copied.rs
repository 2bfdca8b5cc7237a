//! Records in memory of our own.

use fastkafka_core::{Fetched, Header, Record, Timestamp};
use std::ops::Range;

/// Records that were copied out of the client's memory; offsets ascend.
#[derive(Debug)]
pub(crate) struct Copied(Box<[Owned]>);

type Bytes = Box<[u8]>;

#[derive(Debug)]
struct Owned {
    offset: i64,
    timestamp: Timestamp,
    key: Option<Bytes>,
    payload: Option<Bytes>,
    headers: Box<[(Box<str>, Option<Bytes>)]>,
}

impl Copied {
    /// Copies the records at these indices.
    pub(crate) fn new(block: &dyn Fetched, at: impl Iterator<Item = usize>) -> Self {
        let mut records = Vec::with_capacity(1);
        let copy = at.map(|at| {
            block.records(at..at + 1, &mut records);
            let record = records.pop().expect("one was asked for");
            let headers = block.headers(at).into_iter();
            Owned {
                offset: record.offset,
                timestamp: record.timestamp,
                key: record.key.map(Into::into),
                payload: record.payload.map(Into::into),
                headers: headers
                    .map(|(name, value)| (name.into(), value.map(Into::into)))
                    .collect(),
            }
        });
        Self(copy.collect())
    }

    #[cfg(test)]
    pub(crate) fn made(records: impl Iterator<Item = (i64, Timestamp, Vec<u8>)>) -> Self {
        let owned = records.map(|(offset, timestamp, payload)| Owned {
            offset,
            timestamp,
            key: None,
            payload: Some(payload.into()),
            headers: Box::default(),
        });
        Self(owned.collect())
    }
}

impl Fetched for Copied {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn offset(&self, at: usize) -> i64 {
        self.0[at].offset
    }

    fn records<'r>(&'r self, range: Range<usize>, into: &mut Vec<Record<'r>>) {
        into.extend(self.0[range].iter().map(|owned| Record {
            payload: owned.payload.as_deref(),
            key: owned.key.as_deref(),
            offset: owned.offset,
            timestamp: owned.timestamp,
        }));
    }

    fn headers(&self, at: usize) -> Vec<Header<'_>> {
        self.0[at]
            .headers
            .iter()
            .map(|(name, value)| (&**name, value.as_deref()))
            .collect()
    }
}
