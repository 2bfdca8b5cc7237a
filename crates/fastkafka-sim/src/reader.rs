//! The reading side of a client: positions, prefetched records, pauses, stored offsets.

use crate::client::{Client, NotAssigned};
use crate::cluster::Cluster;
use crate::group::Committed;
use crate::ids::PartitionId;
use crate::log::{Batch, Entry, FetchError};

/// One assigned partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Reader<R> {
    pub(crate) partition: PartitionId,
    /// The next offset for the application.
    position: i64,
    /// Read ahead, and where reading ahead goes on.
    ahead: Option<Batch<Vec<Entry<R>>>>,
    pub(crate) stored: Option<Committed>,
    /// The offset that the client knows to be committed since it was assigned.
    pub(crate) committed: Option<i64>,
}

impl<R> Reader<R> {
    pub(crate) fn new(partition: PartitionId, position: i64) -> Self {
        Self {
            partition,
            position,
            ahead: None,
            stored: None,
            committed: None,
        }
    }

    pub(crate) fn drop_ahead(&mut self) {
        self.ahead = None;
    }
}

impl<R> Client<R> {
    pub(crate) fn reader(&self, partition: PartitionId) -> Option<&Reader<R>> {
        self.readers.iter().find(|r| r.partition == partition)
    }

    pub(crate) fn reader_mut(
        &mut self,
        partition: PartitionId,
    ) -> Result<&mut Reader<R>, NotAssigned> {
        let mut readers = self.readers.iter_mut();
        readers
            .find(|r| r.partition == partition)
            .ok_or(NotAssigned)
    }

    /// The next offset the application gets; none when the partition is not assigned.
    pub fn position(&self, partition: PartitionId) -> Option<i64> {
        Some(self.reader(partition)?.position)
    }

    /// The stored offset of a partition.
    pub fn stored(&self, partition: PartitionId) -> Option<&Committed> {
        self.reader(partition)?.stored.as_ref()
    }

    /// Whether the application has paused a partition, assigned or not.
    pub fn paused(&self, partition: PartitionId) -> bool {
        self.paused.contains(partition)
    }

    /// Whether the partition is read: assigned, not paused, and no notice waits for its answer.
    pub fn reads(&self, partition: PartitionId) -> bool {
        self.told().is_none() && !self.paused(partition) && self.reader(partition).is_some()
    }

    /// Stops reading a partition, or goes on. Stopping drops what was read ahead.
    ///
    /// # Errors
    /// The partition is not assigned.
    pub fn pause(&mut self, partition: PartitionId, pause: bool) -> Result<(), NotAssigned> {
        let reader = self.reader_mut(partition)?;
        if pause {
            reader.ahead = None;
            self.paused.insert(partition);
        } else {
            self.paused.remove(partition);
        }
        Ok(())
    }

    /// Goes on reading somewhere else; what was read ahead is dropped, what is stored stays.
    ///
    /// # Errors
    /// The partition is not assigned.
    pub fn seek(&mut self, partition: PartitionId, offset: i64) -> Result<(), NotAssigned> {
        let reader = self.reader_mut(partition)?;
        reader.ahead = None;
        reader.position = offset;
        Ok(())
    }

    /// Gives a partition up and takes it again at another offset, which is how FastKafka moves one:
    /// what is stored for it is sent as a commit, and is stored no more.
    ///
    /// # Errors
    /// The partition is not assigned.
    pub fn restart(&mut self, partition: PartitionId, offset: i64) -> Result<(), NotAssigned> {
        let reader = self.reader_mut(partition)?;
        let stored = reader.stored.take();
        *reader = Reader::new(partition, offset);
        if !self.lost() {
            self.send(stored.map(|s| (partition, s)).into_iter().collect(), false);
        }
        Ok(())
    }

    /// Takes an offset to commit: the next one to read, as it is. Replaces what was stored.
    ///
    /// # Errors
    /// The partition is not assigned (`_STATE`).
    pub fn store(
        &mut self,
        partition: PartitionId,
        offset: impl Into<Committed>,
    ) -> Result<(), NotAssigned> {
        self.reader_mut(partition)?.stored = Some(offset.into());
        Ok(())
    }
}

impl<R: Clone> Client<R> {
    /// Reads at most `max` records ahead, behind what is read ahead already. Without any effect when the
    /// partition is not read. Errors show when the application gets there.
    pub fn read_ahead(&mut self, cluster: &Cluster<R>, partition: PartitionId, max: usize) {
        if !self.reads(partition) {
            return;
        }
        let Ok(reader) = self.reader_mut(partition) else {
            return;
        };
        let ahead = reader.ahead.as_ref();
        let from = ahead.map_or(reader.position, |ahead| ahead.next);
        if let Ok(batch) = cluster.fetch(partition, from, max) {
            let ahead = reader.ahead.get_or_insert(Batch {
                records: Vec::new(),
                next: from,
            });
            ahead.records.extend_from_slice(batch.records);
            ahead.next = batch.next;
        }
    }

    /// Hands at most `max` records to the application: from what was read ahead, else from the log.
    ///
    /// # Errors
    /// The position is not in the log, or there is no such partition. The position stays: the
    /// application seeks, or is never given anything.
    pub fn fetch(
        &mut self,
        cluster: &Cluster<R>,
        partition: PartitionId,
        max: usize,
    ) -> Result<Vec<Entry<R>>, FetchError> {
        if !self.reads(partition) {
            return Ok(Vec::new());
        }
        let Ok(reader) = self.reader_mut(partition) else {
            return Ok(Vec::new());
        };
        let mut ahead = match reader.ahead.take() {
            Some(ahead) if !ahead.records.is_empty() => ahead,
            _ => {
                let batch = cluster.fetch(partition, reader.position, max)?;
                Batch {
                    records: batch.records.to_vec(),
                    next: batch.next,
                }
            }
        };
        let rest = ahead.records.split_off(max.min(ahead.records.len()));
        let records = std::mem::replace(&mut ahead.records, rest);
        match ahead.records.first() {
            Some(first) => {
                reader.position = first.offset;
                reader.ahead = Some(ahead);
            }
            None => reader.position = ahead.next,
        }
        Ok(records)
    }
}
