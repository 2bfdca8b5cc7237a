//! A client in memory, on one thread: it keeps what [`GroupConsumer`] promises, and the test causes its
//! faults.

use super::cluster::{Block, Cluster, Locked, lock, place};
use crate::client_error::{ClientError, Lasting, Scope};
use crate::control::{ControlError, Seek};
use crate::mailbox::Wake;
use crate::transport::{GroupConsumer, Notice, PartitionRef, StartError, Starts};
use fastkafka_core::{Fetched, OffsetReset};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::Instant;

/// Records that the client reads ahead, over all partitions.
const PREFETCH: usize = 4_000;

/// One client's side, also for the test.
#[derive(Default)]
pub(super) struct Member {
    notices: Vec<Notice>,
    readers: Vec<Reader>,
    queue: VecDeque<(PartitionRef, Arc<Block>)>,
    pub(super) stored: HashMap<PartitionRef, i64>,
    /// The offsets that this client committed last: its periodic commits never go back.
    committed: HashMap<PartitionRef, i64>,
    /// The commits of seeks, as partition and offset.
    pub(super) seeks: Vec<(i32, i64)>,
    /// The periodic commits are not due yet.
    pub(super) commits_wait: bool,
    pub(super) lost: bool,
    pub(super) refuse_assign: bool,
    pub(super) start_error: Option<StartError>,
    /// The starts of these partitions cannot be worked out until this is over.
    pub(super) starts_unknown: HashMap<i32, StartError>,
    /// The same of all.
    pub(super) start_refused: bool,
    /// A rebalance waits for its answer. As in librdkafka nothing is read meanwhile, of no partition.
    rebalances: usize,
    /// Answers that the test keeps back.
    pub(super) answers: Option<Vec<Notice>>,
    /// Polled when.
    pub(super) polls: Vec<Instant>,
    /// Records that the driver took.
    pub(super) fetched: usize,
    /// Records that pauses threw away.
    pub(super) thrown: usize,
    /// It subscribes no more: it sends no heartbeats, and does not join again.
    pub(super) left: bool,
    /// It gave back partitions as one that subscribes.
    pub(super) joins_again: bool,
    pub(super) closed: bool,
    /// The next seeks, pauses and resumes that fail.
    pub(super) refuse_calls: u32,
    /// Seeks are taken and fail after all.
    pub(super) seeks_fail_late: bool,
}

/// An error that may pass.
fn passing(message: impl Into<String>) -> ClientError {
    ClientError::new("_FAIL", Scope::Request, Lasting::Passing, message)
}

struct Reader {
    place: PartitionRef,
    position: i64,
    paused: bool,
    /// It could not be moved: nothing is read until it is.
    stuck: bool,
    /// The position that was last told to be out of range: it is told once.
    out_of_range: Option<i64>,
}

impl Member {
    pub(super) fn notify(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    fn refuse_call(&mut self) -> Result<(), ClientError> {
        let Some(left) = self.refuse_calls.checked_sub(1) else {
            return Ok(());
        };
        self.refuse_calls = left;
        Err(passing("erroneous state"))
    }

    fn answer(&mut self, notice: Notice) {
        match &mut self.answers {
            Some(kept) => kept.push(notice),
            None => self.notices.push(notice),
        }
    }

    pub(super) fn position(&self, partition: i32) -> Option<i64> {
        let mut readers = self.readers.iter();
        readers
            .find(|reader| reader.place == place(partition))
            .map(|reader| reader.position)
    }

    fn read(&mut self, starts: &[(PartitionRef, i64)]) {
        let readers = starts.iter().map(|&(place, position)| Reader {
            place,
            position,
            paused: false,
            stuck: false,
            out_of_range: None,
        });
        self.readers.extend(readers);
    }

    pub(super) fn seek(&mut self, place: PartitionRef, offset: i64) {
        self.throw_away(place);
        if let Ok(reader) = self.reader(place) {
            reader.position = offset;
            reader.stuck = false;
            reader.out_of_range = None;
        }
    }

    fn not_moved(&mut self, place: PartitionRef) {
        self.throw_away(place);
        if let Ok(reader) = self.reader(place) {
            reader.stuck = true;
        }
    }

    fn reader(&mut self, place: PartitionRef) -> Result<&mut Reader, ClientError> {
        let mut readers = self.readers.iter_mut();
        readers
            .find(|reader| reader.place == place)
            .ok_or_else(|| passing(format!("{place} is not assigned")))
    }

    /// Drops what was read ahead of a partition; the position goes back to it.
    fn throw_away(&mut self, place: PartitionRef) -> usize {
        let mine = |block: &&(PartitionRef, Arc<Block>)| block.0 == place;
        let first = self
            .queue
            .iter()
            .find(mine)
            .map(|(_, block)| block.offset(0));
        let thrown = self
            .queue
            .iter()
            .filter(mine)
            .map(|(_, block)| block.len())
            .sum();
        self.queue.retain(|block| block.0 != place);
        if let (Some(first), Ok(reader)) = (first, self.reader(place)) {
            reader.position = first;
        }
        thrown
    }
}

pub(super) struct Memory {
    pub(super) cluster: Locked<Cluster>,
    pub(super) member: Locked<Member>,
    pub(super) wake: Wake,
    pub(super) alive: Arc<()>,
}

impl Memory {
    fn read_ahead(&self) {
        let (mut cluster, mut member) = (lock(&self.cluster), lock(&self.member));
        let Member {
            readers,
            queue,
            notices,
            ..
        } = &mut *member;
        let block = cluster.block.unwrap_or(1_000);
        loop {
            let before = queue.len();
            for reader in readers
                .iter_mut()
                .filter(|reader| !reader.paused && !reader.stuck)
            {
                let log = cluster.logs.entry(reader.place).or_default();
                let Reader {
                    place, position, ..
                } = *reader;
                if !(log.low..=log.high).contains(&position) {
                    if reader.out_of_range.replace(position) != Some(position) {
                        let (low, high) = (log.low, log.high);
                        notices.push(Notice::OutOfRange {
                            place,
                            position,
                            low,
                            high,
                        });
                        (self.wake)();
                    }
                    continue;
                }
                let from = log
                    .entries
                    .partition_point(|(offset, _)| *offset < position);
                let to = log.entries.len().min(from + block);
                if from < to && queue.iter().map(|(_, block)| block.len()).sum::<usize>() < PREFETCH
                {
                    queue.push_back((
                        place,
                        Arc::new(Block(log.entries[from..to].to_vec(), self.alive.clone())),
                    ));
                    reader.position = log.entries[to - 1].0 + 1;
                }
            }
            if queue.len() == before {
                return;
            }
        }
    }

    fn commit_stored(&self) {
        let (mut cluster, mut member) = (lock(&self.cluster), lock(&self.member));
        if member.stored.is_empty() {
            return;
        }
        if let Some(why) = cluster.refuse_commits.clone() {
            let refused = |place: &PartitionRef| (*place, Err(passing(why.clone())));
            let refused = member.stored.keys().map(refused).collect();
            member.notices.push(Notice::Committed(refused));
            return;
        }
        let Member {
            stored, committed, ..
        } = &mut *member;
        let mut answer = Vec::new();
        for (place, offset) in stored.drain() {
            answer.push((place, Ok(offset)));
            if committed.get(place).is_some_and(|before| offset <= *before) {
                continue;
            }
            committed.insert(place, offset);
            let before = cluster.committed.insert(place, offset);
            assert!(
                before.is_none_or(|before| before <= offset),
                "commit of {place} goes back [S3]"
            );
        }
        member.notices.push(Notice::Committed(answer));
    }
}

impl GroupConsumer for Memory {
    fn poll(&mut self, notices: &mut Vec<Notice>) {
        if !lock(&self.member).commits_wait {
            self.commit_stored();
        }
        let mut member = lock(&self.member);
        member.polls.push(Instant::now());
        let is_rebalance =
            |notice: &&Notice| matches!(notice, Notice::Assign(_) | Notice::Revoke { .. });
        member.rebalances += member.notices.iter().filter(is_rebalance).count();
        notices.append(&mut member.notices);
    }

    fn fetch(&mut self, max: usize, blocks: &mut Vec<(PartitionRef, Arc<dyn Fetched>)>) -> bool {
        if lock(&self.member).rebalances > 0 {
            return false;
        }
        self.read_ahead();
        let mut member = lock(&self.member);
        let mut taken = 0;
        while taken < max
            && let Some((place, block)) = member.queue.pop_front()
        {
            taken += block.len();
            blocks.push((place, block));
        }
        member.fetched += taken;
        !member.queue.is_empty()
    }

    fn end(&self, place: PartitionRef) -> Option<i64> {
        lock(&self.cluster).logs.get(place).map(|log| log.high)
    }

    fn resolve(&mut self, places: Vec<(PartitionRef, OffsetReset)>, _: Duration) {
        let (mut cluster, mut member) = (lock(&self.cluster), lock(&self.member));
        let refused = match member.start_error.take() {
            None if member.start_refused => Some(StartError::Retry("unknown member".into())),
            error => error,
        };
        let mut starts = Starts::default();
        for (place, reset) in places {
            let unknown = member.starts_unknown.get(&place.partition);
            if let Some(why) = refused.as_ref().or(unknown) {
                starts.unknown.push((place, why.clone()));
                continue;
            }
            let log = cluster.logs.entry(place).or_default();
            let start = if reset == OffsetReset::Earliest {
                log.low
            } else {
                log.high
            };
            let start = *cluster.committed.entry(place).or_insert(start);
            starts.known.push((place, start));
        }
        member.answer(Notice::Resolved(starts));
        (self.wake)();
    }

    fn assign(&mut self, starts: &[(PartitionRef, i64)]) -> Result<(), ClientError> {
        let mut member = lock(&self.member);
        if member.refuse_assign {
            return Err(passing("erroneous state"));
        }
        member.rebalances = member.rebalances.saturating_sub(1);
        member.read(starts);
        Ok(())
    }

    fn add(&mut self, starts: &[(PartitionRef, i64)]) -> Result<(), ClientError> {
        lock(&self.member).read(starts);
        (self.wake)();
        Ok(())
    }

    fn unassign(&mut self, places: &[PartitionRef]) -> Result<(), ClientError> {
        self.commit_stored();
        let mut member = lock(&self.member);
        member.rebalances = member.rebalances.saturating_sub(1);
        for &place in places {
            member.throw_away(place);
            member.readers.retain(|reader| reader.place != place);
            member.stored.remove(&place);
            member.committed.remove(&place);
        }
        member.lost = false;
        member.joins_again |= !member.left;
        Ok(())
    }

    fn lost(&self) -> bool {
        lock(&self.member).lost
    }

    fn store(&mut self, offsets: &[(PartitionRef, i64)]) -> Vec<(PartitionRef, String)> {
        let mut member = lock(&self.member);
        assert!(!member.lost, "a lost partition stores nothing");
        let mut refused = Vec::new();
        for &(place, offset) in offsets {
            match member.reader(place) {
                Ok(_) => drop(member.stored.insert(place, offset)),
                Err(error) => refused.push((place, error.message)),
            }
        }
        refused
    }

    fn find(&mut self, place: PartitionRef, to: Seek) {
        let (mut cluster, mut member) = (lock(&self.cluster), lock(&self.member));
        let log = cluster.logs.entry(place).or_default();
        let (low, high) = (log.low, log.high);
        let found = match to {
            Seek::Offset(offset) if (low..=high).contains(&offset) => Ok(offset),
            Seek::Offset(offset) => Err(ControlError::OutOfRange {
                topic: place.topic.clone(),
                partition: place.partition,
                offset,
                low,
                high,
            }),
            Seek::Beginning => Ok(low),
            Seek::End | Seek::Timestamp(_) => Ok(high),
        };
        member.answer(Notice::Found(place, found));
        (self.wake)();
    }

    fn commit(&mut self, place: PartitionRef, offset: i64) {
        let refused = lock(&self.cluster).refuse_commits.clone();
        let committed = match refused {
            Some(why) => Err(passing(why)),
            None => {
                lock(&self.cluster).committed.insert(place, offset);
                lock(&self.member).committed.insert(place, offset);
                Ok(())
            }
        };
        // A periodic one may come right behind it.
        self.commit_stored();
        let mut member = lock(&self.member);
        member.seeks.push((place.partition, offset));
        member.answer(Notice::Moved(place, committed));
        (self.wake)();
    }

    fn seek(&mut self, place: PartitionRef, offset: i64) -> Result<(), ClientError> {
        let mut member = lock(&self.member);
        if let Err(error) = member.refuse_call() {
            member.not_moved(place);
            return Err(error);
        }
        member.reader(place)?;
        if member.seeks_fail_late {
            member.not_moved(place);
            let error = passing("it was not moved");
            member.notify(Notice::NotMoved {
                place,
                offset,
                error,
            });
            (self.wake)();
            return Ok(());
        }
        member.seek(place, offset);
        Ok(())
    }

    fn pause(&mut self, place: PartitionRef, pause: bool) -> Result<(), ClientError> {
        let mut member = lock(&self.member);
        member.refuse_call()?;
        member.reader(place)?.paused = pause;
        if pause {
            member.thrown += member.throw_away(place);
        }
        Ok(())
    }

    fn unsubscribe(&mut self) {
        let mut member = lock(&self.member);
        let places = member.readers.iter().map(|reader| reader.place).collect();
        let lost = member.lost;
        member.left = true;
        member.notices.push(Notice::Revoke { places, lost });
        (self.wake)();
    }

    fn close(&mut self, _: Duration) -> Poll<Result<(), String>> {
        let mut member = lock(&self.member);
        member.queue.clear();
        member.closed = Arc::strong_count(&self.alive) == 1;
        if member.closed {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }
}
