//! The positions at which a partition is read: at its start, and after a seek.

use crate::memory::exchange::{client_error, commit_offset};
use crate::memory::member::Member;
use crate::memory::state::ClusterState;
use fastkafka::control::{ControlError, Seek};
use fastkafka_core::OffsetReset;
use fastkafka_runtime::platform::{ClientError, PartitionRef, StartError};
use fastkafka_sim::PartitionId;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// The simulator's number of a partition.
pub(super) fn partition_id(
    state: &ClusterState,
    place: PartitionRef,
) -> Result<PartitionId, ClientError> {
    let found = state.partition(&place.topic, place.partition);
    found.ok_or_else(|| client_error(format_args!("{place} does not exist")))
}

/// Finds the offset at which the group starts in a partition, and commits it if there was no commit.
pub(super) fn start(
    member: &mut Member,
    state: &mut ClusterState,
    place: PartitionRef,
    reset: OffsetReset,
) -> Result<(PartitionRef, i64), StartError> {
    let partition =
        partition_id(state, place).map_err(|error| StartError::Retry(error.to_string()))?;
    let sim = &state.sim;
    let group = member.client.group();
    if let Some(committed) = sim.committed(group, partition) {
        return Ok((place, committed.offset));
    }
    let (topic, index) = sim.place(partition);
    let partitions = sim.partitions(topic).len();
    let began_with = *state.began_with.entry((group, topic)).or_insert(partitions);
    let is_new = usize::try_from(index).is_ok_and(|index| index >= began_with);
    let (low, high) = bounds(state, partition);
    let offset = match reset {
        _ if is_new => low,
        OffsetReset::Latest => high,
        OffsetReset::Earliest => low,
        OffsetReset::None => return Err(StartError::NoCommit(place.to_string())),
        OffsetReset::Timestamp(time) => offset_at(state, partition, time),
    };
    commit_offset(member, state, partition, offset).map_err(StartError::Retry)?;
    Ok((place, offset))
}

/// Finds the offset that a seek means.
pub(super) fn find(
    state: &ClusterState,
    place: PartitionRef,
    to: Seek,
) -> Result<i64, ControlError> {
    let partition = partition_id(state, place).map_err(|error| unanswered(place, error))?;
    let (low, high) = bounds(state, partition);
    match to {
        Seek::Beginning => Ok(low),
        Seek::End => Ok(high),
        Seek::Timestamp(time) => Ok(offset_at(state, partition, time)),
        Seek::Offset(offset) if (low..=high).contains(&offset) => Ok(offset),
        Seek::Offset(offset) => Err(ControlError::OutOfRange {
            topic: place.topic.clone(),
            partition: place.partition,
            offset,
            low,
            high,
        }),
    }
}

pub(super) fn unanswered(place: PartitionRef, why: impl fmt::Display) -> ControlError {
    ControlError::Unanswered {
        topic: place.topic.clone(),
        partition: place.partition,
        why: why.to_string(),
    }
}

/// The first offset of a log, and the one behind its last.
pub(super) fn bounds(state: &ClusterState, partition: PartitionId) -> (i64, i64) {
    let log = state.sim.log(partition);
    log.map_or((0, 0), |log| (log.low(), log.high()))
}

/// The first record of that time or later; the end of the log if there is none.
fn offset_at(state: &ClusterState, partition: PartitionId, time: SystemTime) -> i64 {
    let millis = time.duration_since(UNIX_EPOCH);
    let millis = millis.map_or(0, |time| time.as_millis());
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    let found = state.sim.offset_for_time(partition, millis);
    found.unwrap_or_else(|| bounds(state, partition).1)
}
