//! Setting a group's offsets from outside of it. Waits for the broker.

use crate::access::Access;
use crate::offsets::look_up::{look_up, millis, partition_count};
use crate::offsets::start_offsets::{PartitionCount, add};
use crate::{Logged, config};
use fastkafka_core::ConsumerSettings;
use fastkafka_runtime::platform::{PartitionRef, StartError};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use std::time::SystemTime;

/// Why a group's offsets are not set.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResetError {
    /// Its members would not hear of it, and commit their own.
    #[error("is active: stop its members first; one that crashed counts until its session is over")]
    Active,
    /// Nothing is set; waiting may help.
    #[error("cannot begin anew: {0}")]
    Retry(String),
}

/// Commits the offset of the first record not older than `at` for every partition, as somebody who is no
/// member: the broker refuses that while the group has any.
pub(crate) fn reset(
    access: &Access,
    group_id: &str,
    settings: &ConsumerSettings,
    topics: &[&'static str],
    at: SystemTime,
) -> Result<Vec<(PartitionRef, i64)>, ResetError> {
    let mut config = config::consumer(access, group_id, settings);
    config.set("enable.auto.commit", "false");
    let consumer: BaseConsumer<Logged> =
        config.create_with_context(Logged).map_err(|e| retry(&e))?;
    access
        .admit(consumer.client())
        .map_err(|e| ResetError::Retry(e.to_string()))?;
    let mut asked = Vec::new();
    let mut markers = Vec::new();
    for topic in topics {
        let partitions = partition_count(&consumer, topic)?;
        let all = (0..partitions).map(|n| access.names().place(topic, n));
        asked.extend(all.map(|place| (place, Offset::Offset(millis(at)))));
        markers.resize(asked.len(), PartitionCount::new(partitions));
    }
    let mut starts = look_up(&consumer, &asked)?;
    starts.sort_by_key(|(place, _)| (&place.topic, place.partition));
    let mut list = TopicPartitionList::with_capacity(starts.len());
    for (place, offset) in &starts {
        let i = asked.iter().position(|(asked, _)| asked == place);
        add(
            &mut list,
            place,
            *offset,
            markers[i.expect("it was asked for")],
        );
    }
    match consumer.commit(&list, CommitMode::Sync) {
        Ok(()) => Ok(starts),
        Err(e) if is_active(&e) => Err(ResetError::Active),
        Err(e) => Err(retry(&e)),
    }
}

/// What a broker says to a commit from outside when there are members.
fn is_active(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{
        IllegalGeneration, RebalanceInProgress, StaleMemberEpoch, UnknownMemberId,
    };
    matches!(
        error.rdkafka_error_code(),
        Some(UnknownMemberId | IllegalGeneration | RebalanceInProgress | StaleMemberEpoch)
    )
}

fn retry(error: &KafkaError) -> ResetError {
    ResetError::Retry(error.to_string())
}

impl From<StartError> for ResetError {
    fn from(error: StartError) -> Self {
        Self::Retry(error.to_string())
    }
}
