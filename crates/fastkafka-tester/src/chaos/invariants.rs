//! The promises of FastKafka, checked against calls, commits and dead letters. The numbers in brackets
//! are those of docs/architecture.md.

use crate::apps;
use crate::function::Function;
use crate::lines::on;
use crate::record::TopicRecord;
use crate::subscription::Subscription;
use crate::tester::Tester;
use crate::topology::ClusterName;
use crate::watching::calls::CallOutcome;
use bytes::Bytes;
use fastkafka::settings::{OnFailure, Order};
use fastkafka_sim::{GroupId, PartitionId};
use std::collections::{BTreeMap, BTreeSet};

/// A cluster, a group, and a topic that the group reads.
type GroupTopic = (ClusterName, String, String);

/// A cluster, a group, and a partition that the group reads.
type GroupPartition = (ClusterName, GroupId, PartitionId);

struct CheckedHandler {
    function: Function,
    cluster: ClusterName,
    group: String,
    reads: Subscription,
    order: Order,
    /// A failure ends a record.
    skips: bool,
}

/// Checks the promises again and again, and remembers the commits in between.
pub(super) struct Invariants<'t> {
    tester: &'t Tester,
    handlers: Vec<CheckedHandler>,
    /// The commits at the start. Records below them are not checked.
    floors: BTreeMap<GroupPartition, i64>,
    committed: BTreeMap<GroupPartition, i64>,
}

impl<'t> Invariants<'t> {
    pub(super) fn new(tester: &'t Tester) -> Self {
        let apps = tester.apps();
        let groups: Vec<_> = apps::groups(&apps).collect();
        let settings = |function: Function| {
            let mut handlers = groups.iter().flat_map(|group| &group.handlers);
            let handler = handlers.find(|handler| Function::from(handler.def) == function);
            &handler.expect("it has a subscription").settings
        };
        let handler = |reader: apps::Reader| CheckedHandler {
            order: settings(reader.function).effective_order(),
            skips: settings(reader.function).on_failure == Some(OnFailure::Skip),
            function: reader.function,
            cluster: reader.cluster,
            group: reader.group,
            reads: reader.reads,
        };
        let handlers = apps::readers(&apps).into_iter().map(handler).collect();
        let mut invariants = Self {
            tester,
            handlers,
            floors: BTreeMap::new(),
            committed: BTreeMap::new(),
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

    pub(super) fn check(&mut self) -> Result<(), String> {
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
        for handler in &self.handlers {
            for topic in self.topics(handler) {
                let reader = (handler.cluster, handler.group.clone(), topic);
                self.check_handler(&reader, handler, &dead)?;
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
    fn dead_letters(&self) -> BTreeSet<(GroupTopic, i32, i64)> {
        let all = self.tester.journal().all();
        let letter = |record: &TopicRecord| {
            let header = |name: &str| {
                let name = format!("fastkafka-dead-letter-{name}");
                let mut headers = record.headers.iter();
                let (_, value) = headers.find(|(known, _)| *known == name)?;
                String::from_utf8(value.as_ref()?.to_vec()).ok()
            };
            Some((
                (record.cluster, header("group")?, header("topic")?),
                header("partition")?.parse().ok()?,
                header("offset")?.parse().ok()?,
            ))
        };
        all.iter().filter_map(|record| letter(record)).collect()
    }

    fn check_handler(
        &self,
        reader: &GroupTopic,
        handler: &CheckedHandler,
        dead: &BTreeSet<(GroupTopic, i32, i64)>,
    ) -> Result<(), String> {
        let done = self.check_order(reader, handler)?;
        self.check_loss(reader, handler, |partition, offset| {
            done.contains(&(partition, offset))
                || dead.contains(&(reader.clone(), partition, offset))
        })
    }

    /// That the records of each order unit end in the order of their offsets. Returns partition and
    /// offset of all records that have ended.
    fn check_order(
        &self,
        (cluster, _, topic): &GroupTopic,
        handler: &CheckedHandler,
    ) -> Result<BTreeSet<(i32, i64)>, String> {
        let mut done: BTreeSet<(i32, i64)> = BTreeSet::new();
        let mut last: BTreeMap<(i32, Option<Bytes>), i64> = BTreeMap::new();
        for call in self.tester.watcher().calls(handler.function) {
            let ends = match call.outcome() {
                CallOutcome::Done => true,
                CallOutcome::Failed { .. } | CallOutcome::Refused(_) | CallOutcome::Panicked(_) => {
                    handler.skips
                }
                CallOutcome::Running | CallOutcome::GivenUp => false,
            };
            if !ends {
                continue;
            }
            for record in call.records.iter().filter(|record| record.topic == *topic) {
                let (partition, offset) = (record.partition, record.offset);
                let unit = match handler.order {
                    Order::Partition => Some(None),
                    Order::Key => record.key.clone().map(Some),
                    Order::Unordered => None,
                };
                // Only the call that ends a record for the first time: repeats come after a crash.
                if done.insert((partition, offset))
                    && let Some(unit) = unit
                    && let Some(last) = last.insert((partition, unit), offset)
                    && last > offset
                {
                    return Err(format!(
                        "{} handled {topic}[{partition}]{} offset {offset} after offset {last} [S5]",
                        handler.function,
                        on(cluster)
                    ));
                }
            }
        }
        Ok(done)
    }

    /// That every record below a committed offset has ended.
    fn check_loss(
        &self,
        (cluster, group, topic): &GroupTopic,
        handler: &CheckedHandler,
        has_ended: impl Fn(i32, i64) -> bool,
    ) -> Result<(), String> {
        let state = self.tester.memory().named(cluster).state();
        let id = state.sim.find_group(group);
        for (read, &committed) in &self.committed {
            let &(of_cluster, of_group, partition) = read;
            // The simulator numbers groups and partitions per cluster.
            if of_cluster != *cluster || Some(of_group) != id {
                continue;
            }
            let (of_topic, index) = state.topic_and_index(partition);
            if of_topic != topic.as_str() {
                continue;
            }
            let floor = self.floors.get(read).copied().unwrap_or(0);
            let log = state.sim.log(partition);
            let entries = log.map(fastkafka_sim::Log::entries).unwrap_or_default();
            let lost = entries
                .iter()
                .map(|entry| entry.offset)
                .filter(|offset| (floor..committed).contains(offset))
                .find(|offset| !has_ended(index, *offset));
            if let Some(offset) = lost {
                return Err(format!(
                    "group `{group}` committed {committed} in {topic}[{index}]{}, but {} has not handled offset {offset} [S1]",
                    on(cluster),
                    handler.function
                ));
            }
        }
        Ok(())
    }
}
