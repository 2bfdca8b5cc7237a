//! Where a partition starts, and where it goes on after a seek.

use super::consumer::{Member, answer, commit, id};
use crate::memory::cluster::State;
use fastkafka::control::{ControlError, Seek};
use fastkafka_core::OffsetReset;
use fastkafka_runtime::platform::{PartitionRef, StartError};
use fastkafka_sim::PartitionId;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) fn start(
    member: &mut Member,
    state: &mut State,
    place: PartitionRef,
    reset: OffsetReset,
) -> Result<(PartitionRef, i64), StartError> {
    let partition = id(state, place).map_err(|error| StartError::Retry(error.to_string()))?;
    let cluster = &state.cluster;
    let group = member.client.group();
    if let Some(committed) = cluster.committed(group, partition) {
        return Ok((place, committed.offset));
    }
    let (topic, index) = cluster.place(partition);
    let partitions = cluster.partitions(topic).len();
    let began_with = *state.began_with.entry((group, topic)).or_insert(partitions);
    let is_new = usize::try_from(index).is_ok_and(|index| index >= began_with);
    let log = cluster.log(partition);
    let (low, high) = log.map_or((0, 0), |log| (log.low(), log.high()));
    let offset = match reset {
        _ if is_new => low,
        OffsetReset::Latest => high,
        OffsetReset::Earliest => low,
        OffsetReset::None => return Err(StartError::NoCommit(place.to_string())),
        OffsetReset::Timestamp(time) => {
            let found = cluster.offset_for_time(partition, millis(time));
            found.unwrap_or(high)
        }
    };
    commit_explicitly(member, state, partition, offset).map_err(StartError::Retry)?;
    Ok((place, offset))
}

pub(super) fn commit_explicitly(
    member: &mut Member,
    state: &mut State,
    partition: PartitionId,
    offset: i64,
) -> Result<(), String> {
    // Commits are answered in the order in which they were sent: the last answer is that of this one.
    commit(member, state);
    member.client.commit(vec![(partition, offset.into())]);
    let answers = answer(member, state);
    let last = answers.into_iter().next_back();
    last.unwrap_or_else(|| Err("the commit was not answered".to_owned()))
}

pub(super) fn find(state: &State, place: PartitionRef, to: Seek) -> Result<i64, ControlError> {
    let partition = id(state, place).map_err(|error| unanswered(place, error))?;
    let log = state.cluster.log(partition);
    let (low, high) = log.map_or((0, 0), |log| (log.low(), log.high()));
    match to {
        Seek::Beginning => Ok(low),
        Seek::End => Ok(high),
        Seek::Timestamp(time) => {
            let found = state.cluster.offset_for_time(partition, millis(time));
            Ok(found.unwrap_or(high))
        }
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

/// Since 1970, as Kafka counts.
fn millis(time: SystemTime) -> i64 {
    let millis = time.duration_since(UNIX_EPOCH);
    let millis = millis.map_or(0, |time| time.as_millis());
    i64::try_from(millis).unwrap_or(i64::MAX)
}
