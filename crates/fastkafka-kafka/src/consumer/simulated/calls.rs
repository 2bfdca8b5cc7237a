//! The calls of the client, with the habits of librdkafka that their order depends on.

use super::within::{Call, When};
use super::{Simulated, TOPIC};
use crate::consumer::epochs::Epochs;
use crate::consumer::raw::{Event, FetchError, Offsets, Piece, RawClient, Request, Stored};
use crate::error::client_error;
use crate::offsets::broker::Commit;
use fastkafka_core::{Fetched, Header, Record, Timestamp};
use fastkafka_runtime::platform::{ClientError, PartitionRef};
use rdkafka::types::RDKafkaErrorCode::{BadCompression, State};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

impl RawClient for Simulated {
    fn now(&self) -> Duration {
        self.now
    }

    fn poll(&mut self, events: &mut Vec<Event>) {
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

    fn ask(&self, request: Request) {
        self.requests.borrow_mut().push(request);
    }

    fn fetch(&mut self, _: usize, mut each: impl FnMut(Piece<'_>)) -> usize {
        let mut taken = 0;
        let mut strays = 0;
        for (&partition, reading) in &mut self.reading {
            let (low, high) = self.logs[&partition];
            let gives_none = [&self.paused, &self.silent, &self.recordless];
            let waits = gives_none.iter().any(|all| all.contains(&partition));
            if reading.stopped || reading.position == high || waits {
                continue;
            }
            if !self.forwarded.contains(&partition) {
                strays += 1;
                continue;
            }
            let position = reading.position;
            let content = if self.failing.remove(&partition) {
                self.moved_on.insert(partition);
                Err(FetchError::Other(client_error(
                    BadCompression,
                    "cannot be read",
                )))
            } else if (low..high).contains(&position) {
                reading.position = high;
                Ok(Arc::new(Records {
                    offsets: position..high,
                    _alive: self.records.clone(),
                }) as _)
            } else {
                reading.stopped = true;
                Err(FetchError::OutOfRange {
                    position: Some(position),
                })
            };
            taken += 1;
            each(Piece {
                topic: TOPIC,
                partition,
                content,
            });
        }
        (0..strays).for_each(|_| self.stray());
        taken
    }

    fn known_end(&self, place: PartitionRef) -> Option<i64> {
        let (_, end) = self.logs.get(&place.partition)?;
        self.recordless.contains(&place.partition).then_some(*end)
    }

    fn forward(&mut self, places: &Offsets) {
        if self.has_queue {
            let partitions = places.iter().map(|(place, _)| place.partition);
            self.forwarded.extend(partitions);
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
        let is_read = |(place, _): &(PartitionRef, i64)| {
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
        let is_paused = |(place, _): &(PartitionRef, i64)| self.paused.contains(&place.partition);
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
            self.commits.store(commit.place.partition, commit.offset);
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
