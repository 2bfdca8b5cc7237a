//! The records of a partition in order by key that may have to be handled again.
//!
//! A block is the client's memory, and is freed as a whole. A key that fails for long, or has a long
//! backlog, needs a few records of many blocks. Those are copied into memory of our own, so that one key
//! does not keep the records of all others in memory.

use super::copied::Copied;
use fastkafka_core::Fetched;
use fastkafka_engine::{Key, Read};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// The bytes that blocks may hold in vain before anything is copied. Without failures a block is
/// freed soon, and a copy would be wasted.
const SLACK: u64 = 1 << 20;
/// Blocks of which at most every fourth record is needed are copied.
const SPARSE: usize = 4;

#[derive(Debug, Default)]
pub(crate) struct KeyedRecords {
    blocks: VecDeque<Block>,
    /// Bytes of all blocks, and of the records that are needed.
    held: u64,
    needed: u64,
}

#[derive(Debug)]
struct Block {
    records: Arc<dyn Fetched>,
    /// Index of the first note's record.
    first: usize,
    notes: Vec<Note>,
    /// The offset after its last record.
    next: i64,
    /// The number of its records that are needed.
    open: usize,
    bytes: u64,
}

/// A note about one record of a block.
#[derive(Debug)]
struct Note {
    key: Option<Key>,
    bytes: u64,
    needed: bool,
}

/// Everything that can be freed with a record that is needed no more.
#[derive(Debug)]
pub(crate) struct Freed {
    pub(crate) key: Option<Key>,
    /// Blocks of which nothing is needed.
    pub(crate) blocks: Vec<Arc<dyn Fetched>>,
}

impl KeyedRecords {
    /// Keeps what the engine is about to be told of: `reads` says what lies at `first` and after it.
    pub(crate) fn keep(&mut self, block: &Arc<dyn Fetched>, first: usize, reads: &[Read]) {
        let Some(last) = reads.last() else { return };
        let notes: Vec<_> = reads
            .iter()
            .map(|read| Note {
                key: read.key,
                bytes: read.bytes,
                needed: true,
            })
            .collect();
        let bytes = notes.iter().map(|note| note.bytes).sum();
        self.held += bytes;
        self.needed += bytes;
        self.blocks.push_back(Block {
            records: block.clone(),
            first,
            open: notes.len(),
            notes,
            next: last.offset + 1,
            bytes,
        });
    }

    /// The log was read again: what is held of the old one from `offset` on is forgotten. Returns the
    /// keys of those records.
    pub(crate) fn forget_from(&mut self, offset: i64) -> Vec<Key> {
        let mut keys = Vec::new();
        while let Some(block) = self.blocks.back_mut().filter(|block| block.next > offset) {
            let from = block.index(offset) - block.first;
            for note in block.notes.drain(from..).filter(|note| note.needed) {
                block.open -= 1;
                self.needed -= note.bytes;
                keys.extend(note.key);
            }
            block.next = offset;
            // A part of it lies before the offset and is still needed.
            if block.open > 0 {
                break;
            }
            self.held -= block.bytes;
            self.blocks.pop_back();
        }
        keys
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) -> Vec<Key> {
        self.forget_from(i64::MIN)
    }

    /// The records of `[first, next)`, which were kept together.
    pub(crate) fn find(&self, first: i64, next: i64) -> Option<(Arc<dyn Fetched>, Range<usize>)> {
        let block = &self.blocks[self.block(first)?];
        let range = block.index(first)..block.index(next);
        (!range.is_empty()).then(|| (block.records.clone(), range))
    }

    /// The key of the record at `at`.
    pub(crate) fn key(&self, at: i64) -> Option<Key> {
        let block = &self.blocks[self.block(at)?];
        block.notes[block.index(at) - block.first].key
    }

    /// The record at `at` is needed no more.
    pub(crate) fn free(&mut self, at: i64) -> Option<Freed> {
        let number = self.block(at)?;
        let block = &mut self.blocks[number];
        let index = block.index(at) - block.first;
        let note = block.notes.get_mut(index).filter(|note| note.needed)?;
        note.needed = false;
        self.needed -= note.bytes;
        block.open -= 1;
        let mut freed = Freed {
            key: note.key,
            blocks: Vec::new(),
        };
        if block.open == 0 {
            let block = self.blocks.remove(number).expect("just found");
            self.held -= block.bytes;
            freed.blocks.push(block.records);
        }
        self.shrink(&mut freed.blocks);
        Some(freed)
    }

    /// Copies what is needed of sparse blocks while they hold too much in vain.
    fn shrink(&mut self, freed: &mut Vec<Arc<dyn Fetched>>) {
        while self.held > SLACK + self.needed.saturating_mul(SPARSE as u64) {
            let sparse = |block: &&mut Block| block.open * SPARSE <= block.notes.len();
            let Some(block) = self.blocks.iter_mut().find(sparse) else {
                return;
            };
            self.held -= block.bytes;
            freed.push(block.copy());
            self.held += block.bytes;
        }
    }

    /// The number of the block that holds the record at `offset`.
    fn block(&self, offset: i64) -> Option<usize> {
        let at = self.blocks.partition_point(|block| block.next <= offset);
        let block = self.blocks.get(at)?;
        (block.records.offset(block.first) <= offset).then_some(at)
    }

    #[cfg(test)]
    pub(crate) fn held(&self) -> u64 {
        self.held
    }
}

impl Block {
    /// Index of the first record at or after `offset`.
    fn index(&self, offset: i64) -> usize {
        let (mut low, mut high) = (self.first, self.first + self.notes.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.records.offset(middle) < offset {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Keeps what is needed in memory of our own, and returns the rest.
    fn copy(&mut self) -> Arc<dyn Fetched> {
        let needed = (self.first..)
            .zip(&self.notes)
            .filter(|(_, note)| note.needed)
            .map(|(at, _)| at);
        let copied = Copied::new(&*self.records, needed);
        self.notes.retain(|note| note.needed);
        self.bytes = self.notes.iter().map(|note| note.bytes).sum();
        self.first = 0;
        std::mem::replace(&mut self.records, Arc::new(copied))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::{Record, Timestamp, TimestampType};

    fn block(first: i64, records: i64, size: usize) -> Arc<dyn Fetched> {
        Arc::new(Copied::made((first..first + records).map(|offset| {
            (
                offset,
                Timestamp::new(offset, TimestampType::CreateTime),
                vec![b'x'; size],
            )
        })))
    }

    fn keep(kept: &mut KeyedRecords, first: i64, records: i64, size: usize) {
        let reads: Vec<_> = (first..first + records)
            .map(|offset| Read {
                offset,
                key: Some(Key(offset.unsigned_abs() % 10)),
                bytes: size as u64,
            })
            .collect();
        kept.keep(&block(first, records, size), 0, &reads);
    }

    #[test]
    fn a_block_goes_with_its_last_record_wherever_it_lies() {
        let mut kept = KeyedRecords::default();
        keep(&mut kept, 0, 3, 10);
        keep(&mut kept, 3, 2, 10);
        assert!(kept.free(3).unwrap().blocks.is_empty());
        assert_eq!(kept.free(4).unwrap().blocks.len(), 1);
        assert_eq!((kept.held(), kept.find(4, 5).is_none()), (30, true));
        assert!(kept.free(4).is_none(), "once");
        assert_eq!(kept.find(1, 3).unwrap().1, 1..3);
        assert_eq!(kept.clear(), [Key(0), Key(1), Key(2)]);
        assert_eq!((kept.held(), kept.needed), (0, 0));
    }

    #[test]
    fn one_key_holds_its_own_records_and_not_those_of_others() {
        let mut kept = KeyedRecords::default();
        for first in (0..90_000).step_by(1_000) {
            keep(&mut kept, first, 1_000, 1_000);
        }
        for offset in (0..90_000).filter(|offset| offset % 90 != 7) {
            kept.free(offset);
        }
        // 1,000 records of 90,000 are left: as many bytes as they have, and the slack.
        assert!(kept.held() <= 4 * 1_000_000 + SLACK, "{}", kept.held());
        for offset in (0..90_000).filter(|offset| offset % 90 == 7) {
            let (fetched, range) = kept.find(offset, offset + 1).unwrap();
            let mut records: Vec<Record<'_>> = Vec::new();
            fetched.records(range, &mut records);
            let record = records[0];
            assert_eq!(
                (record.offset, record.payload.unwrap().len()),
                (offset, 1_000)
            );
            assert_eq!(record.timestamp.millis(), Some(offset));
            assert_eq!(kept.key(offset), Some(Key(offset.unsigned_abs() % 10)));
            kept.free(offset);
        }
        assert_eq!((kept.held(), kept.needed), (0, 0));
    }

    #[test]
    fn a_log_that_is_read_again_replaces_what_is_held() {
        let mut kept = KeyedRecords::default();
        keep(&mut kept, 0, 5, 10);
        keep(&mut kept, 5, 5, 10);
        assert_eq!(kept.forget_from(3).len(), 7);
        keep(&mut kept, 3, 4, 10);
        assert_eq!(kept.find(2, 3).unwrap().1, 2..3);
        assert_eq!(kept.find(3, 5).unwrap().1, 0..2);
    }
}
