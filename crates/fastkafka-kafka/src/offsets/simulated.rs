//! A broker that answers from lists. Each partition is led by a node of its own.

use super::broker::{Broker, Commit, CommitRefused, Committed, Found, Of, Position};
use crate::error::client_error;
use crate::lock::lock;
use fastkafka_core::TopicPartition;
use fastkafka_runtime::platform::{PartitionRef, StartError};
use rdkafka::types::RDKafkaErrorCode::UnknownMemberId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

type Place = (String, i32);

#[derive(Debug, Default)]
struct State {
    /// The first offset, and the one after the last record.
    logs: BTreeMap<Place, (i64, i64)>,
    commits: Vec<Commit>,
    committed: BTreeMap<Place, Committed>,
    listed: BTreeMap<String, i32>,
    hidden: BTreeSet<String>,
    without_leader: BTreeSet<Place>,
    /// Their leaders do not answer.
    silent: BTreeSet<Place>,
    without_offsets: BTreeSet<Place>,
    dropped: BTreeSet<Place>,
    without_coordinator: bool,
    group_is_active: bool,
    /// After so many questions about topics there is no time for more.
    topics_left: Option<usize>,
}

#[derive(Debug, Default)]
pub(crate) struct SimulatedBroker(Mutex<State>);

impl SimulatedBroker {
    /// Logs by topic, in the order of their partitions, with first offset and end.
    pub(crate) fn new(logs: &[(&str, i64, i64)]) -> Self {
        let broker = Self::default();
        for (topic, low, high) in logs {
            broker.add(topic, *low, *high);
        }
        broker
    }

    /// Another partition of a topic, or its first.
    pub(crate) fn add(&self, topic: &str, low: i64, high: i64) {
        let mut state = self.state();
        let partition = state.partitions(topic);
        state
            .logs
            .insert((topic.to_owned(), partition), (low, high));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }

    /// The log ends here now.
    pub(crate) fn grow(&self, topic: &str, partition: i32, high: i64) {
        let mut state = self.state();
        let log = state.logs.get_mut(&(topic.to_owned(), partition));
        log.expect("it is there").1 = high;
    }

    /// The metadata has only these partitions of a topic.
    pub(crate) fn list_only(&self, topic: &str, partitions: i32) {
        self.state().listed.insert(topic.to_owned(), partitions);
    }

    /// The metadata of a topic does not come.
    pub(crate) fn hide(&self, topic: &str) {
        self.state().hidden.insert(topic.to_owned());
    }

    pub(crate) fn take_leader(&self, topic: &str, partition: i32) {
        let place = (topic.to_owned(), partition);
        self.state().without_leader.insert(place);
    }

    /// The leader of a partition does not answer.
    pub(crate) fn silence(&self, topic: &str, partition: i32) {
        let place = (topic.to_owned(), partition);
        self.state().silent.insert(place);
    }

    /// The leader of a partition answers with an error.
    pub(crate) fn refuse_offsets_of(&self, topic: &str, partition: i32) {
        let place = (topic.to_owned(), partition);
        self.state().without_offsets.insert(place);
    }

    /// Commits of a partition are answered and not kept.
    pub(crate) fn drop_commits_of(&self, topic: &str, partition: i32) {
        let place = (topic.to_owned(), partition);
        self.state().dropped.insert(place);
    }

    /// There is time for so many questions about topics.
    pub(crate) fn end_after(&self, topics: usize) {
        self.state().topics_left = Some(topics);
    }

    pub(crate) fn take_coordinator(&self) {
        self.state().without_coordinator = true;
    }

    pub(crate) fn let_group_be_active(&self) {
        self.state().group_is_active = true;
    }

    /// Every commit so far.
    pub(crate) fn commits(&self) -> Vec<(PartitionRef, i64, String)> {
        let state = self.state();
        let commits = state.commits.iter().cloned();
        commits
            .map(|c| {
                let metadata = c.metadata.as_deref().unwrap_or_default().to_owned();
                (c.place, c.at.offset, metadata)
            })
            .collect()
    }

    /// The commits that are kept.
    pub(crate) fn committed_offsets(&self) -> Vec<(PartitionRef, i64)> {
        let state = self.state();
        let committed = state.committed.iter();
        committed
            .map(|((topic, n), kept)| (TopicPartition::intern(topic, *n), kept.at.offset))
            .collect()
    }
}

impl State {
    fn partitions(&self, topic: &str) -> i32 {
        let all = self.logs.keys().filter(|(of, _)| of == topic).count();
        i32::try_from(all).unwrap_or(i32::MAX)
    }
}

fn key(place: PartitionRef) -> Place {
    (place.on_cluster.clone(), place.partition)
}

fn retry(why: String) -> StartError {
    StartError::Retry(why)
}

impl Broker for SimulatedBroker {
    fn is_over(&self) -> bool {
        self.state().topics_left == Some(0)
    }

    fn leaders(&self, topic: &str) -> Result<Vec<Option<i32>>, StartError> {
        let mut state = self.state();
        state.topics_left = state.topics_left.map(|left| left.saturating_sub(1));
        if state.hidden.contains(topic) {
            return Err(retry(format!("topic `{topic}` is away")));
        }
        let count = match (state.listed.get(topic), state.partitions(topic)) {
            (Some(listed), _) => *listed,
            (None, 0) => return Err(retry(format!("no topic `{topic}`"))),
            (None, all) => all,
        };
        let leader = |n| (!state.without_leader.contains(&(topic.to_owned(), n))).then_some(n);
        Ok((0..count).map(leader).collect())
    }

    fn range(&self, place: PartitionRef, _: Duration) -> Result<(i64, i64), StartError> {
        let range = self.state().logs.get(&key(place)).copied();
        range.ok_or_else(|| retry(format!("no partition {place}")))
    }

    fn committed(
        &self,
        partitions: &[(&str, i32)],
    ) -> Result<Vec<Of<Option<Committed>>>, StartError> {
        let state = self.state();
        if state.without_coordinator {
            return Err(retry("no coordinator".to_owned()));
        }
        let found = partitions.iter().map(|(topic, partition)| {
            let place = ((*topic).to_owned(), *partition);
            Ok(state.committed.get(&place).cloned())
        });
        Ok(found.collect())
    }

    fn offsets_of(
        &self,
        asked: &[(PartitionRef, Position)],
    ) -> Result<Vec<(PartitionRef, Of<Found>)>, StartError> {
        let state = self.state();
        let mut places = asked.iter().map(|(place, _)| *place);
        if let Some(place) = places.find(|place| state.silent.contains(&key(place))) {
            return Err(retry(format!("the broker of {place} is away")));
        }
        let found = asked.iter().filter_map(|(place, position)| {
            let (low, high) = state.logs.get(&key(place))?;
            if state.without_offsets.contains(&key(place)) {
                return Some((*place, Err(retry(format!("no offset of {place}")))));
            }
            let offset = match position {
                Position::Beginning => *low,
                Position::End => *high,
                // A record is as old as its offset says.
                Position::Time(millis) if millis >= high => return Some((*place, Ok(Found::End))),
                Position::Time(millis) => *millis.max(low),
            };
            Some((*place, Ok(Found::Offset(offset.into()))))
        });
        Ok(found.collect())
    }

    fn commit(&self, offsets: &[Commit]) -> Result<(), CommitRefused> {
        let mut state = self.state();
        if state.group_is_active {
            return Err(CommitRefused {
                group_is_active: true,
                error: client_error(UnknownMemberId, "unknown member"),
            });
        }
        state.commits.extend_from_slice(offsets);
        for commit in offsets {
            let place = key(commit.place);
            if !state.dropped.contains(&place) {
                let committed = Committed {
                    at: commit.at,
                    metadata: commit.metadata.as_deref().unwrap_or_default().to_owned(),
                };
                state.committed.insert(place, committed);
            }
        }
        Ok(())
    }
}
