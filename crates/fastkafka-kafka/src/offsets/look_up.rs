//! What the broker knows of partitions: which there are, and where a beginning, an end or a time lies.
//! Waits for it: on the helper thread only.

use crate::names::ClusterNames;
use fastkafka_runtime::platform::{PartitionRef, StartError};
use fastkafka_runtime::{ControlError, Seek};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use std::time::{Duration, SystemTime};

/// One step's answer must come within this time.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// All partitions of these topics.
pub(crate) fn partitions<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topics: &[String],
    names: &ClusterNames,
) -> Result<Vec<PartitionRef>, StartError> {
    let mut places = Vec::new();
    for topic in topics {
        let count = partition_count(consumer, topic)?;
        places.extend((0..count).map(|n| names.place(topic, n)));
    }
    Ok(places)
}

/// Where a partition goes on when the user wants it to.
pub(crate) fn find<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    place: PartitionRef,
    to: Seek,
) -> Result<i64, ControlError> {
    let (topic, partition) = (place.topic.clone(), place.partition);
    let found = match to {
        Seek::Offset(offset) => {
            match consumer.fetch_watermarks(&place.on_cluster, partition, TIMEOUT) {
                Ok((low, high)) if !(low..=high).contains(&offset) => {
                    return Err(ControlError::OutOfRange {
                        topic,
                        partition,
                        offset,
                        low,
                        high,
                    });
                }
                Ok(_) => Ok(offset),
                Err(e) => Err(retry(&e)),
            }
        }
        Seek::Beginning => look_up_one(consumer, place, Offset::Beginning),
        Seek::End => look_up_one(consumer, place, Offset::End),
        Seek::Timestamp(at) => look_up_one(consumer, place, Offset::Offset(millis(at))),
    };
    found.map_err(|error| ControlError::Unanswered {
        topic,
        partition,
        why: error.to_string(),
    })
}

fn look_up_one<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    place: PartitionRef,
    asked: Offset,
) -> Result<i64, StartError> {
    let found = look_up(consumer, &[(place, asked)])?;
    let found = found.first().map(|(_, offset)| *offset);
    found.ok_or_else(|| StartError::Retry(format!("no answer about {place}")))
}

pub(crate) fn partition_count<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
) -> Result<i32, StartError> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT);
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

/// Turns beginning, end and times into offsets. The end is the last stable offset.
pub(crate) fn look_up<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    asked: &[(PartitionRef, Offset)],
) -> Result<Vec<(PartitionRef, i64)>, StartError> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    // `ListOffsets` takes beginning and end in the place of a time.
    let list = consumer.offsets_for_times(offsets(asked), TIMEOUT);
    let list = list.map_err(|e| retry(&e))?;
    let mut found = Vec::with_capacity(asked.len());
    let mut at_end = Vec::new();
    for (place, _) in asked {
        let element = list.find_partition(&place.on_cluster, place.partition);
        let Some(element) = element else { continue };
        element.error().map_err(|e| retry(&e))?;
        match element.offset() {
            Offset::Offset(offset) => found.push((*place, offset)),
            // No record is as young as the time that was asked for.
            Offset::End => at_end.push((*place, Offset::End)),
            other => {
                return Err(StartError::Retry(format!("{place} starts at {other:?}")));
            }
        }
    }
    if at_end.len() == asked.len() && asked.iter().all(|(_, at)| *at == Offset::End) {
        return Err(StartError::Retry(format!("{} has no end yet", asked[0].0)));
    }
    found.extend(look_up(consumer, &at_end)?);
    Ok(found)
}

pub(crate) fn offsets(places: &[(PartitionRef, Offset)]) -> TopicPartitionList {
    places
        .iter()
        .map(|(place, at)| (place.on_cluster.clone(), place.partition, *at))
        .collect()
}

pub(crate) fn millis(at: SystemTime) -> i64 {
    at.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

pub(crate) fn retry(error: &KafkaError) -> StartError {
    StartError::Retry(error.to_string())
}
