//! A client without a broker. It has those habits of librdkafka that the consumer's order of calls
//! depends on, and panics where librdkafka would hang.

use crate::consumer::raw::{Event, FetchError, Offsets, Piece, RawClient, Request, Stored};
use crate::error::{client_error, fatal};
use crate::offsets::broker::Commit;
use fastkafka_core::{Fetched, Header, Record, Timestamp, TopicPartition};
use fastkafka_runtime::platform::{ClientError, PartitionRef};
use rdkafka::types::RDKafkaErrorCode::{BadCompression, State};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// All partitions are of this topic.
pub(super) const TOPIC: &str = "orders";

pub(super) fn place(partition: i32) -> PartitionRef {
    TopicPartition::intern(TOPIC, partition)
}

/// A partition that the client reads.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reading {
    position: i64,
    /// It stands still after an error, until it is assigned anew.
    stopped: bool,
}

#[derive(Debug)]
pub(super) struct Simulated {
    pub(super) now: Duration,
    cooperative: bool,
    /// First offset and end.
    pub(super) logs: BTreeMap<i32, (i64, i64)>,
    reading: BTreeMap<i32, Reading>,
    /// Those whose records go to the private queue.
    forwarded: BTreeSet<i32>,
    /// Fetchers that were stopped and have not noticed yet.
    stopping: BTreeSet<i32>,
    pub(super) paused: BTreeSet<i32>,
    /// Partitions of which the next fetch tells an error. Its batch calls take that for a record: a pause goes
    /// on one behind it.
    pub(super) failing: BTreeSet<i32>,
    moved_on: BTreeSet<i32>,
    events: RefCell<Vec<Event>>,
    /// Events that no poll has served.
    pub(super) unserved: bool,
    pub(super) wakes: Cell<usize>,
    pub(super) requests: RefCell<Vec<Request>>,
    /// A rebalance waits for its answer.
    pub(super) waits: bool,
    /// The partitions that are being revoked are another member's already.
    pub(super) is_lost: bool,
    /// How many rebalances were answered.
    pub(super) answers: usize,
    pub(super) stored: Vec<Commit>,
    /// Polls until the last commit is answered.
    commit: Option<u32>,
    is_leaving: bool,
    is_closing: bool,
    is_member: bool,
    /// Whether the group was left; known at the end.
    pub(super) has_left: Option<bool>,
    has_queue: bool,
    records: Arc<()>,
}

impl Simulated {
    pub(super) fn new(cooperative: bool, logs: &[(i64, i64)]) -> Self {
        Self {
            now: Duration::ZERO,
            cooperative,
            logs: (0..).zip(logs.iter().copied()).collect(),
            reading: BTreeMap::new(),
            forwarded: BTreeSet::new(),
            stopping: BTreeSet::new(),
            paused: BTreeSet::new(),
            failing: BTreeSet::new(),
            moved_on: BTreeSet::new(),
            events: RefCell::default(),
            unserved: false,
            wakes: Cell::new(0),
            requests: RefCell::default(),
            waits: false,
            is_lost: false,
            answers: 0,
            stored: Vec::new(),
            commit: None,
            is_leaving: false,
            is_closing: false,
            is_member: true,
            has_left: None,
            has_queue: true,
            records: Arc::new(()),
        }
    }

    /// The group begins a rebalance.
    pub(super) fn rebalance(&mut self, event: Event) {
        assert!(!self.waits, "a client has one rebalance at a time");
        self.waits = true;
        self.raise(event);
    }

    pub(super) fn raise(&mut self, event: Event) {
        self.events.get_mut().push(event);
        self.unserved = true;
    }

    /// Every assign and unassign is taken for the answer to a rebalance that waits.
    fn answer(&mut self) {
        if std::mem::take(&mut self.waits) {
            self.answers += 1;
            if self.is_leaving || self.is_closing {
                self.commit = Some(3);
            }
        }
    }

    fn start(&mut self, starts: &Offsets) {
        for (place, position) in starts {
            let partition = place.partition;
            if !self.forwarded.contains(&partition) {
                self.stray();
            }
            // The fetcher notices now, and takes the forwarding with it.
            if self.stopping.remove(&partition) {
                self.forwarded.remove(&partition);
            }
            let reading = Reading {
                position: *position,
                stopped: false,
            };
            self.reading.insert(partition, reading);
            self.moved_on.remove(&partition);
        }
    }

    /// A pause begins: reading will go on where the application is thought to be.
    fn go_on(&mut self, partition: i32) {
        if self.moved_on.remove(&partition)
            && let Some(reading) = self.reading.get_mut(&partition)
        {
            reading.position += 1;
        }
    }

    fn stop(&mut self, partition: i32) {
        self.reading.remove(&partition);
        self.stopping.insert(partition);
    }

    fn stop_all(&mut self) {
        while let Some((partition, _)) = self.reading.pop_first() {
            self.stopping.insert(partition);
        }
    }

    /// A record comes to the consumer's own queue.
    fn stray(&mut self) {
        self.raise(Event::Error(fatal("a stray record")));
    }

    fn revoke_all(&mut self) {
        let places = self.reading.keys().map(|partition| place(*partition));
        let places = places.collect();
        self.rebalance(Event::Revoke(places));
    }
}

impl RawClient for Simulated {
    fn now(&self) -> Duration {
        self.now
    }

    fn poll(&mut self, events: &mut Vec<Event>) {
        events.append(self.events.get_mut());
        self.unserved = false;
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
    }

    fn ask(&self, request: Request) {
        self.requests.borrow_mut().push(request);
    }

    fn fetch(&mut self, _: usize, mut each: impl FnMut(Piece<'_>)) -> usize {
        let mut taken = 0;
        let mut strays = 0;
        for (&partition, reading) in &mut self.reading {
            let (low, high) = self.logs[&partition];
            if reading.stopped || reading.position == high || self.paused.contains(&partition) {
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
        self.answer();
        // Also those that are in the list again.
        self.stop_all();
        self.start(starts);
        Ok(())
    }

    fn assign_more(&mut self, starts: &Offsets) -> Result<(), ClientError> {
        assert!(self.cooperative, "refused in an eager group");
        self.answer();
        self.start(starts);
        Ok(())
    }

    fn unassign(&mut self) -> Result<(), ClientError> {
        assert!(!self.cooperative, "refused in a cooperative group");
        self.answer();
        self.stop_all();
        Ok(())
    }

    fn unassign_some(&mut self, places: &Offsets) -> Result<(), ClientError> {
        assert!(self.cooperative, "refused in an eager group");
        let is_read = |(place, _): &(PartitionRef, i64)| {
            let partition = place.partition;
            self.reading.contains_key(&partition)
        };
        if !places.iter().all(is_read) {
            return Err(client_error(State, "not in the assignment"));
        }
        self.answer();
        for (place, _) in places {
            self.stop(place.partition);
        }
        Ok(())
    }

    fn is_lost(&self) -> bool {
        self.is_lost
    }

    fn pause(&mut self, places: &Offsets) -> Result<(), ClientError> {
        let partitions = places.iter().map(|(place, _)| place.partition);
        self.paused.extend(partitions.clone());
        partitions.for_each(|partition| self.go_on(partition));
        Ok(())
    }

    fn resume(&mut self, places: &Offsets) -> Result<(), ClientError> {
        for (place, _) in places {
            self.paused.remove(&place.partition);
        }
        Ok(())
    }

    fn store(&mut self, offsets: &[Commit]) -> Stored {
        self.stored.extend_from_slice(offsets);
        let is_read = |commit: &Commit| self.reading.contains_key(&commit.place.partition);
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
        self.is_closing = true;
        self.revoke_all();
        Ok(())
    }

    fn is_membership_closed(&self) -> bool {
        self.is_closing && !self.waits && self.commit.is_none()
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

/// Records without content.
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
        self.offsets.start + i64::try_from(at).unwrap()
    }

    fn records<'r>(&'r self, range: Range<usize>, into: &mut Vec<Record<'r>>) {
        into.extend(range.map(|at| Record {
            payload: None,
            key: None,
            offset: self.offset(at),
            timestamp: Timestamp::NONE,
        }));
    }

    fn headers(&self, _: usize) -> Vec<Header<'_>> {
        Vec::new()
    }
}
