//! The cluster in memory: a [`Cluster`] of the simulator that many clients share, and what goes wrong
//! with it on demand.
//!
//! Nothing here waits. Whoever changes something rings the consumers that have to see it.

use crate::memory::consumer::Member;
use crate::memory::stored::{Content, Stored};
use crate::observed::report::on;
use crate::record::{NewRecord, ProduceFault, Refusal};
use crate::subscription::Subscription;
use crate::time::clock::Clock;
use crate::topology::Name;
use crate::watching::journal::{Journal, TopicRecord};
use bytes::Bytes;
use fastkafka::record::Delivery;
use fastkafka_sim::{Assignor, Cluster, GroupId, Outcome, PartitionId, Protocol, TopicId};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// See the module.
pub(crate) struct Broker {
    state: Mutex<State>,
    pub(crate) journal: Journal,
    pub(crate) clock: Clock,
    changed: Arc<Notify>,
}

pub(crate) struct State {
    /// The name of the cluster.
    pub(crate) name: Name,
    pub(crate) cluster: Cluster<Stored>,
    pub(crate) members: Vec<Member>,
    next_member: u64,
    /// By topic: what becomes of the next records.
    faults: HashMap<String, VecDeque<ProduceFault>>,
    /// By topic: the payloads of so many records arrive damaged.
    damaged: HashMap<String, usize>,
    /// By topic: where the next record without a key goes.
    turn: HashMap<String, usize>,
    /// By group and topic: how many partitions there were when the group began. What came later is
    /// read from its beginning, whatever `auto_offset_reset` says.
    pub(crate) began_with: HashMap<(GroupId, TopicId), usize>,
    pub(crate) down: bool,
    /// Commits do not arrive.
    pub(crate) commits_lost: bool,
    /// Called when the broker is back.
    wake_up: Vec<Box<dyn Fn() + Send + Sync>>,
    /// What a test should hear of even if the app bears it.
    pub(crate) complaints: Vec<String>,
}

impl Broker {
    /// Journal and wake-up are those of all clusters of a test.
    pub(crate) fn new(name: Name, journal: Journal, changed: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                name,
                cluster: Cluster::new(),
                members: Vec::new(),
                next_member: 0,
                faults: HashMap::new(),
                damaged: HashMap::new(),
                turn: HashMap::new(),
                began_with: HashMap::new(),
                down: false,
                commits_lost: false,
                wake_up: Vec::new(),
                complaints: Vec::new(),
            }),
            journal,
            clock: Clock::new(),
            changed,
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A panic of an assertion under the lock leaves nothing half done that matters to a failed test.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something has happened that somebody may be waiting for.
    pub(crate) fn notify(&self) {
        self.changed.notify_waiters();
    }

    /// Ends with the next [`Broker::notify`] from now on.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    /// Appends a record as the app's producers send it, with the faults that are due.
    pub(crate) fn produce(&self, record: &NewRecord) -> Result<Delivery, Refusal> {
        let (written, result) = {
            let mut state = self.state();
            if state.down {
                return Err(Refusal::Down);
            }
            let record = record.clone();
            let fault = state.faults.get_mut(&record.topic);
            match fault.and_then(VecDeque::pop_front) {
                None => state.append(record, self.clock.millis()),
                Some(ProduceFault::Lost) => (None, Err(Refusal::TimedOut)),
                Some(ProduceFault::Refused) => (None, Err(Refusal::Refused)),
                Some(ProduceFault::Unacknowledged) => {
                    let (written, result) = state.append(record, self.clock.millis());
                    (written, result.and(Err(Refusal::TimedOut)))
                }
            }
        };
        self.written(written);
        result
    }

    /// Appends a record that comes from outside the app.
    pub(crate) fn append(&self, record: NewRecord) -> Result<Delivery, Refusal> {
        let (written, result) = {
            let mut state = self.state();
            if state.down {
                return Err(Refusal::Down);
            }
            state.append(record, self.clock.millis())
        };
        self.written(written);
        result
    }

    fn written(&self, record: Option<TopicRecord>) {
        // Outside the lock: observers are code of the test's.
        if let Some(record) = record {
            self.journal.push(record);
            self.notify();
        }
    }

    pub(crate) fn fail_next(&self, topic: &str, fault: ProduceFault) {
        let mut state = self.state();
        let faults = state.faults.entry(topic.to_owned()).or_default();
        faults.push_back(fault);
    }

    /// Nothing that is still to come fails.
    pub(crate) fn heal(&self) {
        {
            let mut state = self.state();
            state.faults.clear();
            state.damaged.clear();
        }
        self.lose_commits(false);
        self.set_down(false);
    }

    pub(crate) fn damage_next(&self, topic: &str) {
        *self.state().damaged.entry(topic.to_owned()).or_default() += 1;
    }

    /// `wake` is called when the broker is back; at once if it is not away.
    pub(crate) fn on_up(&self, wake: Box<dyn Fn() + Send + Sync>) {
        let mut state = self.state();
        if state.down {
            state.wake_up.push(wake);
        } else {
            drop(state);
            wake();
        }
    }

    pub(crate) fn set_down(&self, down: bool) {
        let wake_up = {
            let mut state = self.state();
            state.down = down;
            state.ring_all();
            match down {
                true => Vec::new(),
                false => std::mem::take(&mut state.wake_up),
            }
        };
        wake_up.iter().for_each(|wake| wake());
        self.notify();
    }

    pub(crate) fn lose_commits(&self, lost: bool) {
        let mut state = self.state();
        state.commits_lost = lost;
        state.ring_all();
    }
}

impl State {
    /// The partition, made interned once: what the app calls it.
    pub(crate) fn place(&self, partition: PartitionId) -> (&str, i32) {
        let (topic, index) = self.cluster.place(partition);
        (self.cluster.topic_name(topic), index)
    }

    pub(crate) fn partition(&self, topic: &str, index: i32) -> Option<PartitionId> {
        let topic = self.cluster.topic(topic)?;
        let index = usize::try_from(index).ok()?;
        self.cluster.partitions(topic).get(index).copied()
    }

    #[track_caller]
    pub(crate) fn find_group(&self, name: &str) -> GroupId {
        let found = self.cluster.find_group(name);
        found.unwrap_or_else(|| panic!("there is no group `{name}`{}", on(self.name)))
    }

    /// Its partitions.
    #[track_caller]
    pub(crate) fn find_topic(&self, name: &str) -> &[PartitionId] {
        let found = self.cluster.topic(name);
        let found = found.map(|topic| self.cluster.partitions(topic));
        found.unwrap_or_else(|| panic!("there is no topic `{name}`{}", on(self.name)))
    }

    pub(crate) fn exists(&self, topic: &str) -> bool {
        let known = self.cluster.topic(topic);
        known.is_some_and(|topic| !self.cluster.partitions(topic).is_empty())
    }

    /// What there is of a subscription's topics.
    pub(crate) fn read_by(&self, subscription: &Subscription) -> Vec<TopicId> {
        let topics = self.cluster.all_topics();
        let read = topics.filter(|topic| subscription.takes(self.cluster.topic_name(*topic)));
        read.collect()
    }

    /// The topic gets so many partitions, and the groups that read it notice: also those whose pattern
    /// it matches, if it is new.
    pub(crate) fn create_topic(&mut self, name: &str, partitions: usize) {
        let id = self.cluster.create_topic(name, partitions);
        for member in &mut self.members {
            if !member.topics.contains(&id) && member.reads.takes(name) {
                member.topics.push(id);
                let topics = member.topics.iter().copied();
                member.client.subscribe(&mut self.cluster, topics);
            } else if member.topics.contains(&id) {
                self.cluster.rebalance(member.client.group());
            }
        }
        self.ring_all();
    }

    fn append(
        &mut self,
        record: NewRecord,
        now: i64,
    ) -> (Option<TopicRecord>, Result<Delivery, Refusal>) {
        let partition = match self.choose(&record) {
            Ok(partition) => partition,
            Err(refusal) => return (None, Err(refusal)),
        };
        let NewRecord {
            topic,
            key,
            mut payload,
            headers,
            timestamp,
            producer,
            ..
        } = record;
        if let Some(left) = self.damaged.get_mut(&topic).filter(|left| **left > 0) {
            *left -= 1;
            payload = payload.map(|bytes| damage(&bytes));
        }
        let timestamp = timestamp.unwrap_or(now);
        let content = Content {
            key: key.clone(),
            payload: payload.clone(),
            headers: headers.clone(),
        };
        let offset = self
            .cluster
            .produce(partition, Arc::new(content), timestamp, Outcome::Ok)
            .expect("nothing goes wrong unless it is told to");
        self.ring_all();
        let index = self.cluster.place(partition).1;
        let written = TopicRecord {
            cluster: self.name,
            topic: topic.clone(),
            partition: index,
            offset,
            timestamp,
            key,
            payload,
            headers,
            producer,
        };
        (Some(written), Ok(Delivery::new(topic, index, offset)))
    }

    fn choose(&mut self, record: &NewRecord) -> Result<PartitionId, Refusal> {
        let unknown = || Refusal::UnknownTopic(record.topic.clone());
        let topic = self.cluster.topic(&record.topic).ok_or_else(unknown)?;
        let partitions = self.cluster.partitions(topic);
        match (record.partition, &record.key) {
            (Some(index), _) => {
                let at = usize::try_from(index).ok();
                at.and_then(|at| partitions.get(at).copied())
                    .ok_or(Refusal::UnknownPartition {
                        topic: record.topic.clone(),
                        partition: index,
                        partitions: partitions.len(),
                    })
            }
            (None, Some(key)) => self
                .cluster
                .partition_for_key(topic, key)
                .ok_or_else(unknown),
            (None, None) if partitions.is_empty() => Err(unknown()),
            (None, None) => {
                let turn = self.turn.entry(record.topic.clone()).or_default();
                let partition = partitions[*turn % partitions.len()];
                *turn += 1;
                Ok(partition)
            }
        }
    }

    /// The group of this id, which every member must want to be of the same kind.
    pub(crate) fn group(
        &mut self,
        name: &str,
        protocol: Protocol,
        assignor: Assignor,
    ) -> Result<GroupId, String> {
        if let Some(id) = self.cluster.find_group(name) {
            let group = self.cluster.group(id);
            if (group.protocol(), group.assignor()) != (protocol, assignor) {
                return Err(format!(
                    "group `{name}` speaks another protocol: {:?} with {:?} assignment, not {protocol:?} with {assignor:?}",
                    group.protocol(),
                    group.assignor()
                ));
            }
        }
        Ok(self.cluster.create_group(name, protocol, assignor))
    }

    /// The number that the next member gets.
    pub(crate) fn next_member(&self) -> u64 {
        self.next_member
    }

    /// Enters a member; the number is its name from here on.
    pub(crate) fn enter(&mut self, make: impl FnOnce(u64) -> Member) -> u64 {
        let id = self.next_member;
        self.next_member += 1;
        self.members.push(make(id));
        id
    }

    /// Everybody looks at everything again: a turn that finds nothing costs next to nothing.
    pub(crate) fn ring_all(&self) {
        for member in &self.members {
            member.wakeup.notify_one();
        }
    }
}

/// The first half, with its first byte gone: no codec reads that.
fn damage(bytes: &[u8]) -> Bytes {
    let mut damaged = vec![0xff];
    damaged.extend_from_slice(bytes.get(1..bytes.len().div_ceil(2)).unwrap_or_default());
    damaged.into()
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").finish_non_exhaustive()
    }
}
