//! The promises of FastKafka, checked against calls, ends, commits and dead letters. The numbers in
//! brackets are those of docs/architecture.md.

use super::order::{At, Disorder, History, SeenCall};
use crate::apps;
use crate::function::Function;
use crate::lines::on;
use crate::record::TopicRecord;
use crate::subscription::Subscription;
use crate::tester::Tester;
use crate::topology::ClusterName;
use crate::watching::calls::{EndedRecord, Number, RecordedCall};
use bytes::Bytes;
use fastkafka::settings::Order;
use fastkafka_core::RecordEnd;
use fastkafka_sim::{GroupId, PartitionId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A cluster, a group, and a topic that the group reads.
type GroupTopic = (ClusterName, String, String);

/// A cluster, a group, and a partition that the group reads.
type GroupPartition = (ClusterName, GroupId, PartitionId);

struct CheckedHandler {
    function: Function,
    cluster: ClusterName,
    group: String,
    /// Each process reads everything.
    standalone: bool,
    reads: Subscription,
    order: Order,
}

/// Checks the promises again and again, and remembers the commits in between.
pub(crate) struct Invariants<'t> {
    tester: &'t Tester,
    handlers: Vec<CheckedHandler>,
    /// The commits at the start. Records below them are not checked.
    floors: BTreeMap<GroupPartition, i64>,
    committed: BTreeMap<GroupPartition, i64>,
    /// Of each handler, topic and reader: how many calls are found to be in order.
    in_order: BTreeMap<(Function, String, Reader), usize>,
}

/// Whoever goes through a topic: a group, or without a group a process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reader {
    Group,
    Process(u32),
}

impl Reader {
    fn is_of(self, process: u32) -> bool {
        match self {
            Self::Group => true,
            Self::Process(own) => own == process,
        }
    }
}

/// The calls of a handler with the records of one topic, and what has ended otherwise.
struct Seen<'s> {
    topic: &'s str,
    calls: &'s [Arc<RecordedCall>],
    ends: &'s [EndedRecord],
}

impl<'t> Invariants<'t> {
    pub(crate) fn new(tester: &'t Tester) -> Self {
        let apps = tester.apps();
        let groups: Vec<_> = apps::groups(&apps).collect();
        let handler = |reader: apps::Reader| {
            let mut groups = groups.iter();
            let (standalone, order) = groups
                .find_map(|group| {
                    let mut handlers = group.handlers.iter();
                    let handler = handlers.find(|handler| reader.function == handler.def.into())?;
                    Some((group.standalone, handler.settings.effective_order()))
                })
                .expect("it has a subscription");
            CheckedHandler {
                function: reader.function,
                cluster: reader.cluster,
                group: reader.group,
                standalone,
                reads: reader.reads,
                order,
            }
        };
        let handlers = apps::readers(&apps).into_iter().map(handler).collect();
        let mut invariants = Self {
            tester,
            handlers,
            floors: BTreeMap::new(),
            committed: BTreeMap::new(),
            in_order: BTreeMap::new(),
        };
        invariants.floors = invariants.commits().into_iter().collect();
        invariants.committed = invariants.floors.clone();
        invariants
    }

    /// Every committed offset.
    fn commits(&self) -> Vec<(GroupPartition, i64)> {
        let mut commits = Vec::new();
        for handler in &self.handlers {
            let state = self.tester.memory().named(handler.cluster).state();
            let Some(group) = state.sim.find_group(&handler.group) else {
                continue;
            };
            let topics = state.read_by(&handler.reads);
            for partition in state.sim.all_partitions(&topics).iter() {
                if let Some(committed) = state.sim.committed(group, partition) {
                    commits.push(((handler.cluster, group, partition), committed.offset));
                }
            }
        }
        commits
    }

    /// # Errors
    /// The first promise that is broken.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        // Before anything else is looked at: what a commit relies on has been seen when it is.
        for (key, offset) in self.commits() {
            let before = self.committed.insert(key, offset);
            if before.is_some_and(|before| before > offset) {
                let (group, place) = self.name(key);
                return Err(format!(
                    "group `{group}` committed {offset} in {place} after {} [S3]",
                    before.unwrap_or_default()
                ));
            }
        }
        let dead = self.dead_letters();
        for at in 0..self.handlers.len() {
            let handler = &self.handlers[at];
            let calls = self.tester.watcher().calls(handler.function);
            let ends = self.tester.watcher().ends(handler.function);
            for topic in self.topics(handler) {
                let seen = Seen {
                    topic: &topic,
                    calls: &calls,
                    ends: &ends,
                };
                let handler = &self.handlers[at];
                self.check_loss(handler, &seen, &dead)?;
                self.check_order(at, &seen)?;
            }
        }
        Ok(())
    }

    fn topics(&self, handler: &CheckedHandler) -> Vec<String> {
        let state = self.tester.memory().named(handler.cluster).state();
        let topics = state.read_by(&handler.reads);
        topics
            .into_iter()
            .map(|topic| state.sim.topic_name(topic).to_owned())
            .collect()
    }

    fn name(&self, (cluster, group, partition): GroupPartition) -> (String, String) {
        let state = self.tester.memory().named(cluster).state();
        let (topic, index) = state.topic_and_index(partition);
        let group = state.sim.group_name(group).to_owned();
        (group, format!("{topic}[{index}]{}", on(cluster)))
    }

    /// Group, topic, partition and offset of every record that has a dead letter. A dead letter is on the
    /// cluster of its record.
    fn dead_letters(&self) -> BTreeSet<(GroupTopic, At)> {
        let all = self.tester.journal().all();
        let letter = |record: &TopicRecord| {
            let header = |name: &str| {
                let name = format!("fastkafka-dead-letter-{name}");
                let mut headers = record.headers.iter();
                let (_, value) = headers.find(|(known, _)| *known == name)?;
                String::from_utf8(value.as_ref()?.to_vec()).ok()
            };
            let partition = header("partition")?.parse().ok()?;
            let offset = header("offset")?.parse().ok()?;
            Some((
                (record.cluster, header("group")?, header("topic")?),
                (partition, offset),
            ))
        };
        all.iter().filter_map(|record| letter(record)).collect()
    }

    /// That calls begin when what lies before their records has ended, for each that goes through the
    /// topic.
    fn check_order(&mut self, at: usize, seen: &Seen<'_>) -> Result<(), String> {
        let handler = &self.handlers[at];
        let mut readers = BTreeSet::from([Reader::Group]);
        if handler.standalone {
            let processes = seen.calls.iter().map(|call| Reader::Process(call.process));
            readers = processes.collect();
        }
        for reader in readers {
            let handler = &self.handlers[at];
            let history = self.history(handler, reader, seen);
            let key = (handler.function, seen.topic.to_owned(), reader);
            let first = self.in_order.get(&key).copied().unwrap_or(0);
            history.check(first).map_err(|disorder| {
                let place = |at: At| format!("{}[{}]{}", seen.topic, at.0, on(handler.cluster));
                let function = handler.function;
                match disorder {
                    Disorder::Early { began, open } => format!(
                        "{function} was called with {} offset {} before offset {} had ended [S5]",
                        place(began),
                        began.1,
                        open.1
                    ),
                    Disorder::Together { began, beside } => format!(
                        "{function} was called with {} offset {} while it was at offset {} in the same process [S5]",
                        place(began),
                        began.1,
                        beside.1
                    ),
                }
            })?;
            self.in_order.insert(key, history.calls.len());
        }
        Ok(())
    }

    fn history(&self, handler: &CheckedHandler, reader: Reader, seen: &Seen<'_>) -> History {
        let mine = |process| reader.is_of(process);
        let calls = seen.calls.iter().filter(|call| mine(call.process));
        let calls: Vec<_> = calls.filter_map(|call| seen.call(call)).collect();
        let mut ends: BTreeMap<At, Number> = BTreeMap::new();
        let mut note = |at: At, number: Number| {
            let first = ends.entry(at).or_insert(number);
            *first = number.min(*first);
        };
        for call in seen.calls.iter().filter(|call| mine(call.process)) {
            for record in call.accepted() {
                if let (Some(ended), true) = (call.ended(), record.topic == seen.topic) {
                    note((record.partition, record.offset), ended);
                }
            }
        }
        for end in seen.ends.iter().filter(|end| mine(end.process)) {
            if end.place.topic == seen.topic {
                note((end.place.partition, end.offset), end.number);
            }
        }
        History {
            order: handler.order,
            logs: self.logs(handler, seen.topic, reader, &calls),
            calls,
            ends,
        }
    }

    /// The records of each partition of a topic from where its reader began.
    fn logs(
        &self,
        handler: &CheckedHandler,
        topic: &str,
        reader: Reader,
        calls: &[SeenCall],
    ) -> BTreeMap<i32, Vec<(i64, Option<Bytes>)>> {
        let state = self.tester.memory().named(handler.cluster).state();
        let group = state.sim.find_group(&handler.group);
        let begin = |partition: PartitionId, index: i32| match reader {
            Reader::Group => {
                let floor = group.map(|group| (handler.cluster, group, partition));
                floor.and_then(|floor| self.floors.get(&floor).copied())
            }
            // Nothing says where it began but its first record.
            Reader::Process(_) => {
                let records = calls.iter().flat_map(|call| &call.records);
                let offsets =
                    records.filter_map(|((of, offset), _)| (*of == index).then_some(*offset));
                offsets.min()
            }
        };
        let logs = state.find_topic(topic).iter().map(|&partition| {
            let index = state.sim.place(partition).1;
            let begin = begin(partition, index).unwrap_or(0);
            let log = state.sim.log(partition);
            let entries = log.map(fastkafka_sim::Log::entries).unwrap_or_default();
            let entries = entries.iter().filter(|entry| entry.offset >= begin);
            let records = entries.map(|entry| (entry.offset, entry.record.key.clone()));
            (index, records.collect())
        });
        logs.collect()
    }

    /// That every record below a committed offset has ended, with all that it has produced.
    fn check_loss(
        &self,
        handler: &CheckedHandler,
        seen: &Seen<'_>,
        dead: &BTreeSet<(GroupTopic, At)>,
    ) -> Result<(), String> {
        let (cluster, group, topic) = (handler.cluster, &handler.group, seen.topic);
        let of_group = (cluster, group.clone(), topic.to_owned());
        let settled = seen.settled();
        let state = self.tester.memory().named(cluster).state();
        let id = state.sim.find_group(group);
        for (read, &committed) in &self.committed {
            let &(of_cluster, of_group_id, partition) = read;
            // The simulator numbers groups and partitions per cluster.
            if of_cluster != cluster || Some(of_group_id) != id {
                continue;
            }
            let (of_topic, index) = state.topic_and_index(partition);
            if of_topic != topic {
                continue;
            }
            let place = || format!("{topic}[{index}]{}", on(cluster));
            let floor = self.floors.get(read).copied().unwrap_or(0);
            let Some(log) = state.sim.log(partition) else {
                continue;
            };
            if committed > log.high() {
                let (place, high) = (place(), log.high());
                return Err(format!(
                    "group `{group}` committed {committed} in {place}, which ends at {high} [S3]"
                ));
            }
            let offsets = log.entries().iter().map(|entry| entry.offset);
            let lost = offsets
                .filter(|offset| (floor..committed).contains(offset))
                .map(|offset| (index, offset))
                .find(|at| !settled.contains(at) && !dead.contains(&(of_group.clone(), *at)));
            if let Some(at) = lost {
                return Err(format!(
                    "group `{group}` committed {committed} in {}, but {} {} [S1]",
                    place(),
                    handler.function,
                    seen.why_open(at)
                ));
            }
        }
        Ok(())
    }
}

impl Seen<'_> {
    fn call(&self, call: &RecordedCall) -> Option<SeenCall> {
        let records = call
            .records
            .iter()
            .filter(|record| record.topic == self.topic);
        let records: Vec<_> = records
            .map(|record| ((record.partition, record.offset), record.key.clone()))
            .collect();
        (!records.is_empty()).then(|| SeenCall {
            process: call.process,
            begun: call.begun,
            ended: call.ended(),
            records,
        })
    }

    fn handled(&self, call: &RecordedCall) -> impl Iterator<Item = At> {
        let topic = self.topic;
        let records = call.accepted().iter();
        records
            .filter(move |record| record.topic == topic)
            .map(|record| (record.partition, record.offset))
    }

    /// The records that are handled with their outputs, or skipped.
    fn settled(&self) -> BTreeSet<At> {
        let calls = self.calls.iter().filter(|call| call.outputs_acknowledged());
        let skipped = self
            .ends
            .iter()
            .filter(|end| end.how == RecordEnd::Skipped && end.place.topic == self.topic);
        calls
            .flat_map(|call| self.handled(call))
            .chain(skipped.map(|end| (end.place.partition, end.offset)))
            .collect()
    }

    /// What the handler has not done with a record.
    fn why_open(&self, at: At) -> String {
        let mut handled = self.calls.iter().flat_map(|call| self.handled(call));
        if handled.any(|known| known == at) {
            format!("has outputs of offset {} that are not acknowledged", at.1)
        } else {
            format!("has not handled offset {}", at.1)
        }
    }
}
