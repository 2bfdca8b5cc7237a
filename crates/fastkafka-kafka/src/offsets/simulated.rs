//! A broker that answers from lists.

use super::broker::{Broker, Commit, CommitRefused, Committed, Found, Position};
use crate::error::client_error;
use fastkafka_runtime::platform::{PartitionRef, StartError};
use rdkafka::types::RDKafkaErrorCode::UnknownMemberId;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

type Place = (String, i32);

#[derive(Debug, Default)]
struct State {
    /// The first offset, and the one after the last record.
    logs: BTreeMap<Place, (i64, i64)>,
    commits: Vec<Commit>,
    committed: BTreeMap<Place, Committed>,
    listed: BTreeMap<String, i32>,
    dropped: BTreeSet<Place>,
    group_is_active: bool,
}

#[derive(Debug, Default)]
pub(crate) struct SimulatedBroker(RefCell<State>);

impl SimulatedBroker {
    /// Logs by topic, in the order of their partitions, with first offset and end.
    pub(crate) fn new(logs: &[(&str, i64, i64)]) -> Self {
        let broker = Self::default();
        for (topic, low, high) in logs {
            let partition = broker.partition_count(topic).unwrap_or(0);
            let mut state = broker.0.borrow_mut();
            let log = ((*topic).to_owned(), partition);
            state.logs.insert(log, (*low, *high));
        }
        broker
    }

    /// The log ends here now.
    pub(crate) fn grow(&self, topic: &str, partition: i32, high: i64) {
        let mut state = self.0.borrow_mut();
        let log = state.logs.get_mut(&(topic.to_owned(), partition));
        log.expect("it is there").1 = high;
    }

    /// The metadata has only these partitions of a topic.
    pub(crate) fn list_only(&self, topic: &str, partitions: i32) {
        let mut state = self.0.borrow_mut();
        state.listed.insert(topic.to_owned(), partitions);
    }

    /// Commits of a partition are answered and not kept.
    pub(crate) fn drop_commits_of(&self, topic: &str, partition: i32) {
        let mut state = self.0.borrow_mut();
        state.dropped.insert((topic.to_owned(), partition));
    }

    pub(crate) fn let_group_be_active(&self) {
        self.0.borrow_mut().group_is_active = true;
    }

    /// Every commit so far.
    pub(crate) fn commits(&self) -> Vec<(PartitionRef, i64, String)> {
        let state = self.0.borrow();
        let commits = state.commits.iter().cloned();
        commits
            .map(|c| (c.place, c.offset, c.metadata.unwrap_or_default()))
            .collect()
    }
}

fn key(place: PartitionRef) -> Place {
    (place.on_cluster.clone(), place.partition)
}

impl Broker for SimulatedBroker {
    fn partition_count(&self, topic: &str) -> Result<i32, StartError> {
        let state = self.0.borrow();
        let all = state.logs.keys().filter(|(of, _)| of == topic).count();
        match (state.listed.get(topic), all) {
            (Some(listed), _) => Ok(*listed),
            (None, 0) => Err(StartError::Retry(format!("no topic `{topic}`"))),
            (None, all) => Ok(i32::try_from(all).unwrap_or(i32::MAX)),
        }
    }

    fn range(&self, place: PartitionRef, _: Duration) -> Result<(i64, i64), StartError> {
        let range = self.0.borrow().logs.get(&key(place)).copied();
        range.ok_or_else(|| StartError::Retry(format!("no partition {place}")))
    }

    fn committed(&self, partitions: &[(&str, i32)]) -> Result<Vec<Option<Committed>>, StartError> {
        let state = self.0.borrow();
        let found = partitions.iter().map(|(topic, partition)| {
            let place = ((*topic).to_owned(), *partition);
            state.committed.get(&place).cloned()
        });
        Ok(found.collect())
    }

    fn offsets_of(
        &self,
        asked: &[(PartitionRef, Position)],
    ) -> Result<Vec<(PartitionRef, Found)>, StartError> {
        let state = self.0.borrow();
        let found = asked.iter().filter_map(|(place, position)| {
            let (low, high) = state.logs.get(&key(place))?;
            let offset = match position {
                Position::Beginning => *low,
                Position::End => *high,
                // A record is as old as its offset says.
                Position::Time(millis) if millis >= high => return Some((*place, Found::End)),
                Position::Time(millis) => *millis.max(low),
            };
            Some((*place, Found::Offset(offset)))
        });
        Ok(found.collect())
    }

    fn commit(&self, offsets: &[Commit]) -> Result<(), CommitRefused> {
        let mut state = self.0.borrow_mut();
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
                    offset: commit.offset,
                    metadata: commit.metadata.clone().unwrap_or_default(),
                };
                state.committed.insert(place, committed);
            }
        }
        Ok(())
    }
}
