//! What FastKafka promises, looked up in what happened: the numbers are those of docs/architecture.md.

use crate::function::Function;
use crate::observed::report::on;
use crate::subscription::{self, Subscription};
use crate::tester::Tester;
use crate::topology::Name;
use crate::watching::calls::CallOutcome;
use bytes::Bytes;
use fastkafka::settings::{OnFailure, Order};
use fastkafka_sim::{GroupId, PartitionId};
use std::collections::{BTreeMap, BTreeSet};

/// A cluster, a group and a topic that it reads.
type Reader = (Name, String, String);

/// A partition of a cluster, read by a group.
type Position = (Name, GroupId, PartitionId);

struct Handler {
    function: Function,
    cluster: Name,
    group: String,
    reads: Subscription,
    order: Order,
    skips: bool,
}

/// See the module.
pub(super) struct Invariants<'t> {
    tester: &'t Tester,
    handlers: Vec<Handler>,
    /// What was committed when it was first seen: what lies below is no concern of this check.
    floors: BTreeMap<Position, i64>,
    committed: BTreeMap<Position, i64>,
}

impl<'t> Invariants<'t> {
    pub(super) fn new(tester: &'t Tester) -> Self {
        let apps = tester.apps();
        let plans = apps.iter().filter_map(|app| app.check().ok());
        let groups: Vec<_> = plans.flat_map(|plan| plan.groups).collect();
        let settings = |function: Function| {
            let mut handlers = groups.iter().flat_map(|group| &group.handlers);
            let handler = handlers.find(|handler| Function::from(handler.def) == function);
            &handler.expect("it has a subscription").settings
        };
        let handler = |reader: subscription::Reader| Handler {
            order: settings(reader.function).effective_order(),
            skips: settings(reader.function).on_failure == Some(OnFailure::Skip),
            function: reader.function,
            cluster: reader.cluster,
            group: reader.group,
            reads: reader.reads,
        };
        let handlers = tester.readers().into_iter().map(handler).collect();
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
    fn commits(&self) -> Vec<(Position, i64)> {
        let mut commits = Vec::new();
        for handler in &self.handlers {
            let state = self.tester.memory().named(handler.cluster).state();
            let Some(group) = state.cluster.find_group(&handler.group) else {
                continue;
            };
            for partition in state
                .cluster
                .all_partitions(&state.read_by(&handler.reads))
                .iter()
            {
                if let Some(committed) = state.cluster.committed(group, partition) {
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

    fn topics(&self, handler: &Handler) -> Vec<String> {
        let state = self.tester.memory().named(handler.cluster).state();
        let read = state.read_by(&handler.reads).into_iter();
        read.map(|topic| state.cluster.topic_name(topic).to_owned())
            .collect()
    }

    fn name(&self, (cluster, group, partition): Position) -> (String, String) {
        let state = self.tester.memory().named(cluster).state();
        let (topic, index) = state.place(partition);
        let group = state.cluster.group_name(group).to_owned();
        (group, format!("{topic}[{index}]{}", on(cluster)))
    }

    /// The reader, partition and offset of every record that lies in a dead-letter topic: that is on the
    /// cluster of its record.
    fn dead_letters(&self) -> BTreeSet<(Reader, i32, i64)> {
        let all = self.tester.journal().all();
        let letter = |record: &crate::TopicRecord| {
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
        reader: &Reader,
        handler: &Handler,
        dead: &BTreeSet<(Reader, i32, i64)>,
    ) -> Result<(), String> {
        let (cluster, group, topic) = reader;
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
            let of_topic = call.records.iter().filter(|record| record.topic == *topic);
            for record in of_topic.filter(|_| ends) {
                let (partition, offset) = (record.partition, record.offset);
                let unit = match handler.order {
                    Order::Partition => Some(None),
                    Order::Key => record.key.clone().map(Some),
                    Order::Unordered => None,
                };
                // Only what ends a record for the first time: repeats come after a crash.
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
        let state = self.tester.memory().named(cluster).state();
        let id = state.cluster.find_group(group);
        for (position, &committed) in &self.committed {
            let &(of_cluster, of_group, partition) = position;
            // Numbers of another cluster mean something else.
            if of_cluster != *cluster || Some(of_group) != id {
                continue;
            }
            let (of_topic, index) = state.place(partition);
            if of_topic != topic.as_str() {
                continue;
            }
            let floor = self.floors.get(position).copied().unwrap_or(0);
            let log = state.cluster.log(partition);
            let entries = log.map(fastkafka_sim::Log::entries).unwrap_or_default();
            let below = entries.iter().map(|entry| entry.offset);
            let mut below = below.filter(|offset| (floor..committed).contains(offset));
            let lost = below.find(|offset| {
                let letter = (reader.clone(), index, *offset);
                !done.contains(&(index, *offset)) && !dead.contains(&letter)
            });
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
