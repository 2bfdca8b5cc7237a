//! A client without a broker. It has those habits of librdkafka that the consumer's order of calls
//! depends on, and panics where librdkafka would hang. For the tests of the consumer, and for the search
//! of `proof`.

mod calls;
mod commits;
pub(crate) mod incarnations;
pub(crate) mod late;
#[cfg(feature = "proof")]
mod searched;
pub(crate) mod within;

use self::commits::Commits;
use self::incarnations::Incarnations;
use self::late::Late;
use self::within::{Call, When};
use crate::consumer::Intervals;
use crate::consumer::commit_order::rounds::Rounds;
use crate::consumer::epochs::Epochs;
use crate::consumer::questions::Questions;
use crate::consumer::raw::{Event, Offsets};
use crate::error::fatal;
use crate::offsets::broker::{Commit, OffsetAndEpoch};
use crate::offsets::start_offsets::StartOffset;
use crate::offsets::topic_id::TopicId;
use fastkafka_core::TopicPartition;
use fastkafka_runtime::platform::PartitionRef;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// All partitions are of this topic.
pub(crate) const TOPIC: &str = "orders";

/// How often a client does something by itself.
pub(crate) const INTERVALS: Intervals = Intervals {
    refresh: Duration::from_secs(300),
    heartbeat: Duration::from_secs(1),
    commit: Rounds::simulated(),
};

pub(crate) fn place(partition: i32) -> PartitionRef {
    TopicPartition::intern(TOPIC, partition)
}

pub(crate) fn start(partition: i32, at: OffsetAndEpoch, topic: Option<TopicId>) -> StartOffset {
    StartOffset {
        place: place(partition),
        at,
        topic,
    }
}

/// A partition that the client reads.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reading {
    position: i64,
    epoch: Option<i32>,
    /// It stands still after an error, until it is assigned anew.
    stopped: bool,
}

#[derive(Debug)]
pub(crate) struct Simulated {
    pub(crate) now: Duration,
    cooperative: bool,
    /// First offset and end.
    pub(crate) logs: BTreeMap<i32, (i64, i64)>,
    reading: BTreeMap<i32, Reading>,
    /// Those whose records go to the private queue.
    forwarded: BTreeSet<i32>,
    /// Those that were forwarded at any time: their records go nowhere else.
    ours_alone: BTreeSet<i32>,
    /// Fetchers that were stopped and have not noticed yet.
    stopping: BTreeSet<i32>,
    pub(crate) paused: BTreeSet<i32>,
    /// Partitions of which the next fetch tells an error. Its batch calls take that for a record: a pause goes
    /// on one behind it.
    pub(crate) failing: BTreeSet<i32>,
    /// Partitions of which the next fetch meets a batch that cannot be read, wherever it is.
    pub(crate) damaged: BTreeSet<i32>,
    moved_on: BTreeSet<i32>,
    pub(crate) incarnations: Incarnations,
    late: Late,
    events: RefCell<Vec<Event>>,
    /// Events that come within the next turn.
    pub(crate) later: Vec<(When, Event)>,
    /// The next call of this kind fails.
    pub(crate) fails: Option<Call>,
    /// It has dropped every broker that it knew, and asks none.
    pub(crate) knows_no_broker: bool,
    /// The client can do nothing any more, as when another one has its name in the group.
    pub(crate) is_fatal: bool,
    /// Partitions of which nothing comes, as without a leader.
    pub(crate) silent: BTreeSet<i32>,
    /// Partitions of which nothing comes until they are moved.
    pub(crate) stuck: BTreeSet<i32>,
    /// Partitions whose logs go on without records.
    pub(crate) recordless: BTreeSet<i32>,
    /// The partitions that were begun with, in their order.
    pub(crate) begun: Vec<i32>,
    /// Events that no poll has served.
    pub(crate) unserved: bool,
    pub(crate) wakes: Cell<usize>,
    /// It was woken since the last poll.
    is_woken: Cell<bool>,
    pub(crate) requests: RefCell<Questions>,
    pub(crate) is_joined: bool,
    /// A rebalance waits for its answer.
    pub(crate) waits: bool,
    /// The partitions that are being revoked are another member's already.
    pub(crate) is_lost: bool,
    /// How many rebalances were answered.
    pub(crate) answers: usize,
    pub(crate) stored: Vec<Commit>,
    /// The partitions for which requests may commit.
    pub(crate) ours: Epochs,
    commits: Commits,
    /// Polls until the last commit is answered.
    commit: Option<u32>,
    is_leaving: bool,
    is_closing: bool,
    is_member: bool,
    /// The last revoke comes when the rebalance that waits is answered.
    revokes_next: bool,
    /// Whether the group was left; known at the end.
    pub(crate) has_left: Option<bool>,
    has_queue: bool,
    records: Arc<()>,
}

impl Simulated {
    pub(crate) fn new(cooperative: bool, logs: &[(i64, i64)]) -> Self {
        Self {
            now: Duration::ZERO,
            cooperative,
            logs: (0..).zip(logs.iter().copied()).collect(),
            reading: BTreeMap::new(),
            forwarded: BTreeSet::new(),
            ours_alone: BTreeSet::new(),
            stopping: BTreeSet::new(),
            paused: BTreeSet::new(),
            failing: BTreeSet::new(),
            damaged: BTreeSet::new(),
            moved_on: BTreeSet::new(),
            recordless: BTreeSet::new(),
            incarnations: Incarnations::default(),
            late: Late::default(),
            events: RefCell::default(),
            later: Vec::new(),
            fails: None,
            knows_no_broker: false,
            is_fatal: false,
            silent: BTreeSet::new(),
            stuck: BTreeSet::new(),
            begun: Vec::new(),
            unserved: false,
            wakes: Cell::new(0),
            is_woken: Cell::new(false),
            requests: RefCell::default(),
            is_joined: false,
            waits: false,
            is_lost: false,
            answers: 0,
            stored: Vec::new(),
            ours: Epochs::default(),
            commits: Commits::default(),
            commit: None,
            is_leaving: false,
            is_closing: false,
            is_member: true,
            revokes_next: false,
            has_left: None,
            has_queue: true,
            records: Arc::new(()),
        }
    }

    /// The group begins a rebalance.
    pub(crate) fn rebalance(&mut self, event: Event) {
        assert!(!self.waits, "a client has one rebalance at a time");
        self.waits = true;
        self.raise(event);
    }

    pub(crate) fn raise(&mut self, event: Event) {
        self.events.get_mut().push(event);
        self.unserved = true;
    }

    /// A fatal error: it gives up its partitions without a word, and raises no rebalance any more.
    #[cfg(test)]
    pub(crate) fn break_down(&mut self) {
        self.is_fatal = true;
        self.stop_all();
        self.raise(Event::Error(fatal("fenced")));
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

    /// The last revoke, if it had to wait for an answer.
    fn follow(&mut self) {
        if !self.waits && std::mem::take(&mut self.revokes_next) {
            self.revoke_all();
        }
    }

    /// The periodic commit: a client that is no member any more, or is dead, sends none.
    pub(crate) fn commit_stored(&mut self, of: Option<i32>) {
        if !self.is_fatal && !self.is_lost {
            self.commits.send(of);
        }
    }

    fn start(&mut self, starts: &Offsets) {
        // It takes each assign for an unassign.
        if self.is_fatal {
            return;
        }
        for (place, at) in starts {
            let partition = place.partition;
            if !self.ours_alone.contains(&partition) {
                self.stray();
            }
            let reading = Reading {
                position: at.offset,
                epoch: at.epoch,
                stopped: false,
            };
            self.reading.insert(partition, reading);
            self.begun.push(partition);
            self.moved_on.remove(&partition);
            self.stuck.remove(&partition);
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

    /// What is stored of a partition is committed when it is given up.
    fn stop(&mut self, partition: i32) {
        self.commit_stored(Some(partition));
        self.commits.forget(partition);
        if let Some(reading) = self.reading.remove(&partition) {
            self.late
                .leave(partition, (reading.position, reading.epoch));
        }
        self.incarnations.cut.remove(&partition);
        self.stopping.insert(partition);
    }

    /// The fetchers that were stopped notice, and take the forwarding with them: behind the call that stops them.
    pub(super) fn notice_stops(&mut self) {
        for partition in std::mem::take(&mut self.stopping) {
            self.forwarded.remove(&partition);
        }
    }

    fn stop_all(&mut self) {
        while let Some((&partition, _)) = self.reading.first_key_value() {
            self.stop(partition);
        }
    }

    /// A record comes to the consumer's own queue.
    fn stray(&mut self) {
        self.raise(Event::Error(fatal("a stray record")));
    }

    fn revoke_all(&mut self) {
        if self.is_fatal {
            return;
        }
        if self.waits {
            self.revokes_next = true;
            return;
        }
        let places = self.reading.keys().map(|partition| place(*partition));
        let places = places.collect();
        self.rebalance(Event::Revoke(places));
    }
}

impl Simulated {
    /// The partition is read, and somewhere else than before.
    #[cfg(feature = "proof")]
    pub(crate) fn has_left(&self, partition: i32) -> bool {
        let reads = self.reading.get(&partition);
        let left = self.late.left(partition);
        reads
            .zip(left)
            .is_some_and(|(reads, left)| reads.position != left.offset)
    }

    /// The error of the position that the partition has left last comes now. Where it was found before the move
    /// and is made after it, it `stops` reading at the new position.
    pub(crate) fn tell_late(&mut self, partition: i32, wrong: late::Wrong, stops: bool) {
        self.late.tell(partition, wrong);
        if let Some(reading) = self.reading.get_mut(&partition) {
            reading.stopped |= stops;
        }
    }
}

#[cfg(test)]
impl Simulated {
    /// The records of this partition wait in its own queue from now on.
    pub(crate) fn lose_forwarding(&mut self, partition: i32) {
        self.forwarded.remove(&partition);
    }

    /// The cluster tells epochs and ids.
    pub(crate) fn tell_incarnations(&mut self) {
        self.incarnations.are_told = true;
        self.incarnations.ids = Some(BTreeMap::new());
    }

    /// The topic has this id now, or the broker does not say.
    pub(crate) fn set_id(&mut self, id: Option<TopicId>) {
        let ids = id.map(|id| (TOPIC.to_owned(), id));
        self.incarnations.ids = Some(ids.into_iter().collect());
    }

    /// A replica that had the log up to `at` becomes its leader, and writes it up to `high`. The client
    /// compares its position, if it knows the epoch of that.
    pub(crate) fn cut(&mut self, partition: i32, at: i64, high: i64) {
        let leaders = self.incarnations.leaders.entry(partition);
        let leaders = leaders.or_insert_with(|| vec![(0, 0)]);
        let epoch = leaders.last().map_or(0, |(epoch, _)| epoch + 1);
        leaders.retain(|(_, first)| *first < at);
        leaders.push((epoch, at));
        let low = self.logs[&partition].0;
        self.logs.insert(partition, (low, high));
        if let Some(reading) = self.reading.get(&partition) {
            let position = OffsetAndEpoch::new(reading.position, reading.epoch);
            self.incarnations.compare(partition, position, high);
        }
    }

    /// The topic is deleted and made anew, with so many records of a first leader.
    pub(crate) fn make_anew(&mut self, partition: i32, high: i64) {
        self.incarnations.leaders.remove(&partition);
        self.logs.insert(partition, (0, high));
    }
}
