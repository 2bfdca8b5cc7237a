//! The questions by a client of rdkafka.

use super::broker::{Broker, Commit, CommitRefused, Committed, Found, Position};
use crate::error::call_error;
use crate::ffi;
use fastkafka_runtime::platform::{PartitionRef, StartError};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::time::Duration;

/// One answer must come within this time.
const TIMEOUT: Duration = Duration::from_secs(10);

impl<C: ConsumerContext> Broker for BaseConsumer<C> {
    fn partition_count(&self, topic: &str) -> Result<i32, StartError> {
        let metadata = self.fetch_metadata(Some(topic), TIMEOUT);
        let metadata = metadata.map_err(|e| retry(&e))?;
        let found = metadata.topics().iter().find(|t| t.name() == topic);
        match found.map(|t| (t.error(), t.partitions().len())) {
            Some((None, n)) => Ok(i32::try_from(n).unwrap_or(i32::MAX)),
            Some((Some(code), _)) => Err(StartError::Retry(format!(
                "topic `{topic}`: {}",
                RDKafkaErrorCode::from(code)
            ))),
            None => Err(StartError::Retry(format!(
                "the broker does not know topic `{topic}`"
            ))),
        }
    }

    fn range(&self, place: PartitionRef, within: Duration) -> Result<(i64, i64), StartError> {
        let range = self.fetch_watermarks(&place.on_cluster, place.partition, within);
        range.map_err(|e| retry(&e))
    }

    fn committed(&self, partitions: &[(&str, i32)]) -> Result<Vec<Option<Committed>>, StartError> {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for (topic, partition) in partitions {
            list.add_partition(topic, *partition);
        }
        let list = self.committed_offsets(list, TIMEOUT);
        let list = list.map_err(|e| retry(&e))?;
        let elements = list.elements();
        let mut found = HashMap::with_capacity(elements.len());
        for (element, metadata) in elements.iter().zip(ffi::metadata(&list)) {
            element.error().map_err(|e| retry(&e))?;
            if let Offset::Offset(offset) = element.offset() {
                let committed = Committed { offset, metadata };
                found.insert((element.topic(), element.partition()), committed);
            }
        }
        let answers = partitions.iter().map(|asked| found.remove(asked));
        Ok(answers.collect())
    }

    fn offsets_of(
        &self,
        asked: &[(PartitionRef, Position)],
    ) -> Result<Vec<(PartitionRef, Found)>, StartError> {
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
        let list = self.offsets_for_times(list, TIMEOUT);
        let list = list.map_err(|e| retry(&e))?;
        let mut found = Vec::with_capacity(asked.len());
        for (place, _) in asked {
            let element = list.find_partition(&place.on_cluster, place.partition);
            let Some(element) = element else { continue };
            element.error().map_err(|e| retry(&e))?;
            let answer = match element.offset() {
                Offset::Offset(offset) => Found::Offset(offset),
                Offset::End => Found::End,
                other => {
                    return Err(StartError::Retry(format!("{place} starts at {other:?}")));
                }
            };
            found.push((*place, answer));
        }
        Ok(found)
    }

    fn commit(&self, offsets: &[Commit]) -> Result<(), CommitRefused> {
        let committed = Consumer::commit(self, &list(offsets), CommitMode::Sync);
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
            .set_offset(Offset::Offset(commit.offset))
            .expect("an offset to commit is not negative");
        if let Some(metadata) = &commit.metadata {
            element.set_metadata(metadata);
        }
    }
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

fn retry(error: &KafkaError) -> StartError {
    StartError::Retry(error.to_string())
}
