//! The calls of the client, with the habits of librdkafka that their order depends on.

use super::within::{Call, When};
use super::{Simulated, TOPIC};
use crate::consumer::epochs::Epochs;
use crate::consumer::looks::Look;
use crate::consumer::raw::{Event, FetchError, Offsets, Piece, RawClient, Request, Stored};
use crate::error::client_error;
use crate::offsets::broker::{Commit, OffsetAndEpoch};
use fastkafka_core::{Fetched, Header, Record, Timestamp};
use fastkafka_runtime::platform::{ClientError, PartitionRef};
use rdkafka::types::RDKafkaErrorCode::{BadCompression, State};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// What comes of a partition, and the epoch of its leader.
type Read = (Result<Arc<dyn Fetched>, FetchError>, Option<i32>);

impl Simulated {
    /// What comes of a partition next. Without a place to come to there is nothing in it.
    fn next(&mut self, partition: i32) -> Option<Option<Read>> {
        if let Some(error) = self.late.take(partition) {
            return Some(Some((Err(error), None)));
        }
        let (low, high) = self.logs[&partition];
        let gives_none = [&self.paused, &self.silent, &self.stuck, &self.recordless];
        let waits = gives_none.iter().any(|all| all.contains(&partition));
        let cut = self.incarnations.cut.contains_key(&partition);
        let reading = &self.reading[&partition];
        let position = reading.position;
        if reading.stopped || waits || position == high && !cut {
            return None;
        }
        if !self.forwarded.contains(&partition) {
            // It waits in the partition's own queue, or is a record of the consumer's.
            return (!self.ours_alone.contains(&partition)).then_some(None);
        }
        let unreadable = self.incarnations.unreadable.get(&partition).copied();
        let unreadable = unreadable.filter(|(bad, _)| *bad == position);
        let (epoch, end) = self.incarnations.leader_at(partition, position, high);
        let cut = self.incarnations.cut.remove(&partition);
        let reading = self.reading.get_mut(&partition)?;
        let error = if let Some((position, end)) = cut {
            reading.stopped = true;
            FetchError::Truncated {
                position: Some(position),
                end: Some(end),
            }
        } else if self.failing.remove(&partition) {
            self.moved_on.insert(partition);
            FetchError::Other(client_error(BadCompression, "cannot be read"))
        } else if self.damaged.remove(&partition) {
            self.moved_on.insert(partition);
            FetchError::Unreadable {
                why: format!("the batch at {position} is damaged"),
            }
        } else if let Some((bad, goes_on)) = unreadable {
            self.moved_on.insert(partition);
            // Where it goes on, it makes up an offset.
            reading.position += if goes_on { 2 } else { 0 };
            FetchError::Unreadable {
                why: format!("the batch at {bad} is damaged"),
            }
        } else if (low..high).contains(&position) {
            (reading.position, reading.epoch) = (end, epoch);
            let records = Records {
                offsets: position..end,
                _alive: self.records.clone(),
            };
            return Some(Some((Ok(Arc::new(records)), epoch)));
        } else {
            reading.stopped = true;
            FetchError::OutOfRange {
                position: Some(position),
            }
        };
        Some(Some((Err(error), None)))
    }
}

impl RawClient for Simulated {
    fn now(&self) -> Duration {
        self.now
    }

    fn poll(&mut self, events: &mut Vec<Event>) {
        self.notice_stops();
        events.append(self.events.get_mut());
        self.unserved = false;
        self.is_woken.set(false);
        self.arrive(When::AfterPoll);
        self.commit = self.commit.and_then(|polls| polls.checked_sub(1));
        if self.is_leaving && !self.waits && self.commit.is_none() {
            self.is_member = false;
        }
    }

    fn has_events(&self) -> bool {
        self.unserved
    }

    fn post(&self, event: Event) {
        self.events.borrow_mut().push(event);
        self.wake();
    }

    fn wake(&self) {
        self.wakes.set(self.wakes.get() + 1);
        self.is_woken.set(true);
    }

    fn own(&mut self, ours: &Epochs) {
        self.ours.clone_from(ours);
    }

    fn begin_again(&mut self) {
        self.knows_no_broker = false;
    }

    fn ask(&self, request: Request) {
        self.requests.borrow_mut().add(request);
    }

    fn fetch(&mut self, _: usize, mut each: impl FnMut(Piece<'_>)) -> usize {
        self.notice_stops();
        let mut taken = 0;
        let mut strays = 0;
        let read: Vec<_> = self.reading.keys().copied().collect();
        for partition in read {
            // One piece for each leader, up to an error.
            while let Some(next) = self.next(partition) {
                let Some((content, leader_epoch)) = next else {
                    strays += 1;
                    break;
                };
                let is_error = content.is_err();
                taken += 1;
                each(Piece {
                    topic: TOPIC,
                    partition,
                    leader_epoch,
                    content,
                });
                if is_error {
                    break;
                }
            }
        }
        (0..strays).for_each(|_| self.stray());
        taken
    }

    fn known_end(&self, place: PartitionRef) -> Option<i64> {
        let (_, end) = self.logs.get(&place.partition)?;
        self.recordless.contains(&place.partition).then_some(*end)
    }

    fn look(&mut self, look: Look, topics: &[&str]) {
        let topics = topics.iter().map(|topic| (*topic).to_owned());
        self.incarnations.looks.push((look, topics.collect()));
        if let Some(ids) = self.incarnations.ids.clone() {
            self.events.get_mut().push(Event::TopicIds(look, ids));
        }
    }

    fn validate(&mut self, places: &Offsets) -> Vec<PartitionRef> {
        if self.incarnations.begin_late {
            return places.iter().map(|(place, _)| *place).collect();
        }
        let mut refused = Vec::new();
        for (place, at) in places {
            let partition = place.partition;
            match self.reading.get_mut(&partition) {
                Some(reading) if !reading.stopped => {
                    self.late
                        .leave(partition, (reading.position, reading.epoch));
                    (reading.position, reading.epoch) = (at.offset, at.epoch);
                    self.moved_on.remove(&partition);
                    self.stuck.remove(&partition);
                    let (_, high) = self.logs[&partition];
                    self.incarnations.compare(partition, *at, high);
                }
                _ => refused.push(*place),
            }
        }
        refused
    }

    fn forward(&mut self, places: &Offsets) {
        if self.has_queue {
            let partitions = places.iter().map(|(place, _)| place.partition);
            self.forwarded.extend(partitions.clone());
            self.ours_alone.extend(partitions);
        }
    }

    fn is_cooperative(&self) -> bool {
        self.cooperative
    }

    fn assign(&mut self, starts: &Offsets) -> Result<(), ClientError> {
        assert!(!self.cooperative, "refused in a cooperative group");
        self.try_to(Call::Assign)?;
        self.answer();
        // Also those that are in the list again.
        self.stop_all();
        self.start(starts);
        self.follow();
        Ok(())
    }

    fn assign_more(&mut self, starts: &Offsets) -> Result<(), ClientError> {
        assert!(self.cooperative, "refused in an eager group");
        self.try_to(Call::Assign)?;
        self.answer();
        self.start(starts);
        self.follow();
        Ok(())
    }

    fn await_stops(&mut self) {
        self.notice_stops();
    }

    fn unassign(&mut self) -> Result<(), ClientError> {
        assert!(!self.cooperative, "refused in a cooperative group");
        self.try_to(Call::Unassign)?;
        self.stop_all();
        self.answer();
        self.follow();
        Ok(())
    }

    fn unassign_some(&mut self, places: &Offsets) -> Result<(), ClientError> {
        assert!(self.cooperative, "refused in an eager group");
        if self.is_fatal {
            self.answer();
            return Ok(());
        }
        self.try_to(Call::Unassign)?;
        let is_read = |(place, _): &(PartitionRef, OffsetAndEpoch)| {
            let partition = place.partition;
            self.reading.contains_key(&partition)
        };
        if !places.iter().all(is_read) {
            return Err(refused("not in the assignment"));
        }
        for (place, _) in places {
            self.stop(place.partition);
        }
        self.answer();
        self.follow();
        Ok(())
    }

    fn is_lost(&self) -> bool {
        self.is_lost
    }

    fn is_dead(&self) -> bool {
        self.is_fatal
    }

    fn pause(&mut self, places: &Offsets) -> Result<(), ClientError> {
        if places.is_empty() {
            return Ok(());
        }
        self.try_to(Call::Pause)?;
        let partitions = places.iter().map(|(place, _)| place.partition);
        self.paused.extend(partitions.clone());
        partitions.for_each(|partition| self.go_on(partition));
        Ok(())
    }

    fn resume(&mut self, places: &Offsets) -> Result<(), ClientError> {
        // To begin with nothing paused is no resume.
        let is_paused = |(place, _): &(PartitionRef, OffsetAndEpoch)| {
            let partition = place.partition;
            self.paused.contains(&partition)
        };
        if !places.iter().any(is_paused) {
            return Ok(());
        }
        self.try_to(Call::Resume)?;
        for (place, _) in places {
            self.paused.remove(&place.partition);
        }
        Ok(())
    }

    fn store(&mut self, offsets: &[Commit]) -> Stored {
        self.stored.extend_from_slice(offsets);
        let is_read = |commit: &Commit| self.reading.contains_key(&commit.place.partition);
        for commit in offsets.iter().filter(|commit| is_read(commit)) {
            self.commits.store(commit.place.partition, commit.at.offset);
        }
        let refused = offsets
            .iter()
            .map(|commit| (!is_read(commit)).then(|| "not read".to_owned()));
        Stored {
            failure: None,
            refused: refused.collect(),
        }
    }

    fn unsubscribe(&mut self) {
        self.is_leaving = true;
        self.revoke_all();
    }

    fn close_membership(&mut self) -> Result<(), ClientError> {
        assert!(!self.is_fatal, "refused after a fatal error");
        self.is_closing = true;
        self.revoke_all();
        Ok(())
    }

    fn is_membership_closed(&self) -> bool {
        self.is_closing && !self.waits && self.commit.is_none()
    }

    fn is_joined(&self) -> bool {
        self.is_joined
    }

    fn is_member(&self) -> bool {
        self.is_member
    }

    fn drop_queue(&mut self) {
        self.has_queue = false;
    }

    fn is_held(&self) -> bool {
        Arc::strong_count(&self.records) > 1
    }

    fn destroy(&mut self) {
        assert!(!self.has_queue, "it hangs: records wait in the queue");
        assert!(!self.is_held(), "it hangs: records are alive");
        assert!(!self.waits, "it hangs: a rebalance waits");
        // It forgets to leave while the last commit is under way.
        let forgets = self.cooperative && self.commit.is_some();
        self.has_left = Some(self.is_leaving && (!self.is_member || !forgets));
    }

    fn is_destroyed(&self) -> bool {
        self.has_left.is_some()
    }
}

pub(super) fn refused(message: &str) -> ClientError {
    client_error(State, message)
}

/// Records with the content `0`.
#[derive(Debug)]
struct Records {
    offsets: Range<i64>,
    _alive: Arc<()>,
}

impl Fetched for Records {
    fn len(&self) -> usize {
        self.offsets.clone().count()
    }

    fn offset(&self, at: usize) -> i64 {
        self.offsets.start + i64::try_from(at).expect("a log of few records")
    }

    fn records<'r>(&'r self, range: Range<usize>, into: &mut Vec<Record<'r>>) {
        into.extend(range.map(|at| Record {
            payload: Some(b"0"),
            key: None,
            offset: self.offset(at),
            timestamp: Timestamp::NONE,
        }));
    }

    fn headers(&self, _: usize) -> Vec<Header<'_>> {
        Vec::new()
    }
}
