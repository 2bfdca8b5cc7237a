//! The questions by a client of rdkafka.

use super::broker::{
    Broker, Commit, CommitRefused, Committed, Found, Of, OffsetAndEpoch, Position,
};
use crate::error::call_error;
use crate::ffi;
use fastkafka_runtime::platform::{PartitionRef, StartError};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Whatever is asked, the last answers have this time at least.
const LEAST: Duration = Duration::from_millis(200);

/// A client that asks, with the time for all answers together.
pub(crate) struct Asking<'a, C: ConsumerContext> {
    client: &'a BaseConsumer<C>,
    until: Instant,
}

impl<'a, C: ConsumerContext> Asking<'a, C> {
    pub(crate) fn new(client: &'a BaseConsumer<C>, within: Duration) -> Self {
        Self {
            client,
            until: Instant::now() + within,
        }
    }

    /// For a question that has begun.
    pub(crate) fn left(&self) -> Duration {
        let left = self.until.saturating_duration_since(Instant::now());
        left.max(LEAST)
    }
}

impl<C: ConsumerContext> Broker for Asking<'_, C> {
    fn is_over(&self) -> bool {
        self.until <= Instant::now()
    }

    fn leaders(&self, topic: &str) -> Result<Vec<Option<i32>>, StartError> {
        let metadata = self.client.fetch_metadata(Some(topic), self.left());
        let metadata = metadata.map_err(|e| failed(&e))?;
        let found = metadata.topics().iter().find(|t| t.name() == topic);
        let Some(found) = found else {
            return Err(StartError::Retry(format!(
                "the broker does not know topic `{topic}`"
            )));
        };
        if let Some(code) = found.error() {
            let code = RDKafkaErrorCode::from(code);
            return Err(start_error(code, format!("topic `{topic}`: {code}")));
        }
        let mut leaders = vec![None; found.partitions().len()];
        for partition in found.partitions() {
            let at = usize::try_from(partition.id()).ok();
            if let Some(leader) = at.and_then(|at| leaders.get_mut(at)) {
                *leader = Some(partition.leader()).filter(|leader| *leader >= 0);
            }
        }
        Ok(leaders)
    }

    fn range(&self, place: PartitionRef, within: Duration) -> Result<(i64, i64), StartError> {
        let (topic, partition) = (&place.on_cluster, place.partition);
        let range = self.client.fetch_watermarks(topic, partition, within);
        range.map_err(|e| failed(&e))
    }

    fn committed(
        &self,
        partitions: &[(&str, i32)],
    ) -> Result<Vec<Of<Option<Committed>>>, StartError> {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for (topic, partition) in partitions {
            list.add_partition(topic, *partition);
        }
        let list = self.client.committed_offsets(list, self.left());
        let list = list.map_err(|e| failed(&e))?;
        let elements = list.elements();
        let mut found = HashMap::with_capacity(elements.len());
        let carried = ffi::metadata(&list)
            .into_iter()
            .zip(ffi::leader_epochs(&list));
        for (element, (metadata, epoch)) in elements.iter().zip(carried) {
            let committed = match (element.error(), element.offset()) {
                (Err(e), _) => Err(failed(&e)),
                (Ok(()), Offset::Offset(offset)) => {
                    let at = OffsetAndEpoch::new(offset, epoch);
                    Ok(Some(Committed { at, metadata }))
                }
                (Ok(()), _) => Ok(None),
            };
            found.insert((element.topic(), element.partition()), committed);
        }
        let answers = partitions.iter();
        let answers = answers.map(|asked| found.remove(asked).unwrap_or(Ok(None)));
        Ok(answers.collect())
    }

    fn offsets_of(
        &self,
        asked: &[(PartitionRef, Position)],
    ) -> Result<Vec<(PartitionRef, Of<Found>)>, StartError> {
        // `ListOffsets` takes beginning and end in the place of a time.
        let offset = |position: &Position| match position {
            Position::Beginning => Offset::Beginning,
            Position::End => Offset::End,
            Position::Time(millis) => Offset::Offset(*millis),
        };
        let list: TopicPartitionList = asked
            .iter()
            .map(|(place, at)| (place.on_cluster.clone(), place.partition, offset(at)))
            .collect();
        let list = self.client.offsets_for_times(list, self.left());
        let list = list.map_err(|e| failed(&e))?;
        let elements = list.elements();
        let elements = elements.iter().zip(ffi::leader_epochs(&list));
        let elements: HashMap<_, _> = elements
            .map(|(e, epoch)| ((e.topic(), e.partition()), (e, epoch)))
            .collect();
        let found = asked.iter().filter_map(|(place, _)| {
            let (element, epoch) = elements.get(&(place.on_cluster.as_str(), place.partition))?;
            let answer = match (element.error(), element.offset()) {
                (Err(e), _) => Err(failed(&e)),
                (Ok(()), Offset::Offset(offset)) => {
                    Ok(Found::Offset(OffsetAndEpoch::new(offset, *epoch)))
                }
                (Ok(()), Offset::End) => Ok(Found::End),
                (Ok(()), other) => Err(StartError::Retry(format!("{place} starts at {other:?}"))),
            };
            Some((*place, answer))
        });
        Ok(found.collect())
    }

    fn commit(&self, offsets: &[Commit]) -> Result<(), CommitRefused> {
        let committed = Consumer::commit(self.client, &list(offsets), CommitMode::Sync);
        committed.map_err(|error| CommitRefused {
            group_is_active: is_active(&error),
            error: call_error(&error),
        })
    }
}

/// Offsets in the form in which librdkafka commits them.
pub(crate) fn list(offsets: &[Commit]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for commit in offsets {
        let mut element = list.add_partition(&commit.place.on_cluster, commit.place.partition);
        element
            .set_offset(Offset::Offset(commit.at.offset))
            .expect("an offset to commit is not negative");
        if let Some(metadata) = &commit.metadata {
            element.set_metadata(&**metadata);
        }
    }
    ffi::set_leader_epochs(&mut list, offsets.iter().map(|commit| commit.at.epoch));
    list
}

/// The broker's answers to a commit from outside of a group that has members.
fn is_active(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{
        IllegalGeneration, RebalanceInProgress, StaleMemberEpoch, UnknownMemberId,
    };
    matches!(
        error.rdkafka_error_code(),
        Some(UnknownMemberId | IllegalGeneration | RebalanceInProgress | StaleMemberEpoch)
    )
}

fn failed(error: &KafkaError) -> StartError {
    let code = error.rdkafka_error_code();
    let code = code.unwrap_or(RDKafkaErrorCode::Unknown);
    start_error(code, error.to_string())
}

/// Rights are not given by asking again; whatever else is wrong may pass.
fn start_error(code: RDKafkaErrorCode, what: String) -> StartError {
    use RDKafkaErrorCode::{GroupAuthorizationFailed, TopicAuthorizationFailed};
    match code {
        GroupAuthorizationFailed | TopicAuthorizationFailed => StartError::Refused(what),
        _ => StartError::Retry(what),
    }
}
