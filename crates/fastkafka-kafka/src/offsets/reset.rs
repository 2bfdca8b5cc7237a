//! Setting a group's offsets from outside of it. Waits for the broker.

use super::broker::{Broker, Commit, Position};
use super::look_up::{Leaders, look_up, partitions};
use super::partition_count::PartitionCount;
use crate::names::ClusterNames;
use fastkafka_runtime::platform::{PartitionRef, StartError};
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

/// Commits the offset of the first record not older than `at` for every partition of these topics, which
/// go by the cluster's names: all of them or none. The broker refuses that while the group has members.
pub(crate) fn reset(
    broker: &(impl Broker + Sync),
    topics: &[String],
    names: &ClusterNames,
    at: SystemTime,
) -> Result<Vec<(PartitionRef, i64)>, ResetError> {
    let mut places = Vec::new();
    let mut counts = Vec::new();
    for topic in topics {
        let listed = partitions(broker, std::slice::from_ref(topic), names)?;
        let count = PartitionCount::new(i32::try_from(listed.len()).unwrap_or(i32::MAX));
        places.extend(listed);
        counts.resize(places.len(), count);
    }
    let leaders = Leaders::ask(broker, &places);
    let asked = places.iter().map(|place| (*place, Position::at(at)));
    let mut starts = Vec::with_capacity(places.len());
    let mut unknown = Vec::new();
    for (place, found) in look_up(broker, &asked.collect::<Vec<_>>(), &leaders) {
        match found {
            Ok(at) => starts.push((place, at)),
            Err(why) => unknown.push(format!("{place}: {why}")),
        }
    }
    if !unknown.is_empty() {
        // A partition that is left out would go on where it was, or begin by the policy.
        unknown.sort();
        return Err(ResetError::Retry(unknown.join("; ")));
    }
    starts.sort_by_key(|(place, _)| (&place.topic, place.partition));
    let commits: Vec<_> = starts
        .iter()
        .map(|(place, at)| {
            let i = places.iter().position(|asked| asked == place);
            Commit {
                place,
                at: *at,
                metadata: counts[i.expect("it was asked for")]
                    .metadata()
                    .map(Into::into),
            }
        })
        .collect();
    match broker.commit(&commits) {
        Ok(()) => Ok(starts
            .into_iter()
            .map(|(place, at)| (place, at.offset))
            .collect()),
        Err(refused) if refused.group_is_active => Err(ResetError::Active),
        Err(refused) => Err(ResetError::Retry(refused.error.message)),
    }
}

impl From<StartError> for ResetError {
    fn from(error: StartError) -> Self {
        Self::Retry(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offsets::simulated::SimulatedBroker;
    use std::time::Duration;

    #[test]
    fn a_group_begins_anew_at_a_time_in_every_partition_unless_it_has_members() {
        let broker = SimulatedBroker::new(&[("orders", 3, 9), ("orders", 0, 4)]);
        let (names, topics) = (ClusterNames::default(), ["orders".to_owned()]);
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(6);
        let starts = reset(&broker, &topics, &names, at).unwrap();
        let expected = [(names.place("orders", 0), 6), (names.place("orders", 1), 4)];
        assert_eq!(starts, expected);
        let count = "partitions=2".to_owned();
        let committed = expected.map(|(place, offset)| (place, offset, count.clone()));
        assert_eq!(broker.commits(), committed);
        broker.let_group_be_active();
        let error = reset(&broker, &topics, &names, at).unwrap_err();
        assert!(matches!(error, ResetError::Active));
    }

    #[test]
    fn a_group_begins_anew_in_all_partitions_or_in_none_and_hears_which_keeps_it() {
        let broker = SimulatedBroker::new(&[("orders", 3, 9), ("orders", 0, 4)]);
        broker.take_leader("orders", 1);
        let (names, topics) = (ClusterNames::default(), ["orders".to_owned()]);
        let error = reset(&broker, &topics, &names, SystemTime::UNIX_EPOCH).unwrap_err();
        let error = error.to_string();
        assert!(error.ends_with("orders[1] has no leader"), "{error}");
        assert_eq!(broker.commits(), []);
    }
}
