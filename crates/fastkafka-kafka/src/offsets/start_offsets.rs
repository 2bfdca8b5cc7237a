//! The offsets at which partitions start.
//!
//! A start without a commit is committed before it is used, with the number of partitions that the
//! topic had then. So a later member, or the same after a crash, can tell a partition that the group
//! never saw (it begins at the beginning) from one that the policy has decided about.

use super::broker::{Broker, Commit, OffsetAndEpoch, Position};
use super::commits::{Commits, Start};
use super::look_up::{Leaders, look_up};
use super::metadata::Metadata;
use super::partition_count::PartitionCount;
use super::topic_id::TopicId;
use fastkafka_core::OffsetReset;
use fastkafka_runtime::platform::{PartitionRef, StartError, Starts};
use std::collections::BTreeMap;

/// The offset at which a partition starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StartOffset {
    pub(crate) place: PartitionRef,
    pub(crate) at: OffsetAndEpoch,
    /// The topic that the commit says it belongs to.
    pub(crate) topic: Option<TopicId>,
}

impl StartOffset {
    /// Found in the log as it is.
    fn found((place, at): (PartitionRef, OffsetAndEpoch)) -> Self {
        Self {
            place,
            at,
            topic: None,
        }
    }
}

/// Starts, and the number of partitions that each topic's commits carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) known: Vec<StartOffset>,
    pub(crate) unknown: Vec<(PartitionRef, StartError)>,
    pub(crate) counts: Vec<(&'static str, PartitionCount)>,
}

impl Resolved {
    /// In the driver's words, which knows offsets alone.
    pub(crate) fn starts(&self) -> Starts {
        let known = self.known.iter();
        Starts {
            known: known.map(|start| (start.place, start.at.offset)).collect(),
            unknown: self.unknown.clone(),
        }
    }
}

/// The starts of a member's partitions, each for itself. Those without a commit are committed, as far as
/// they are `wanted` then: a partition that was given back meanwhile may be another member's.
pub(crate) fn resolve(
    broker: &(impl Broker + Sync),
    places: &[(PartitionRef, OffsetReset)],
    wanted: impl Fn(PartitionRef) -> bool,
) -> Resolved {
    let all: Vec<_> = places.iter().map(|(place, _)| *place).collect();
    let leaders = Leaders::ask(broker, &all);
    let topics = match read_commits(broker, &all, &leaders) {
        Ok(topics) => topics,
        Err(why) => {
            return Resolved {
                unknown: Starts::unknown(all, &why).unknown,
                ..Resolved::default()
            };
        }
    };
    let mut starts = Resolved::default();
    let mut asked = Vec::new();
    for (place, policy) in places {
        match topics[place.on_cluster.as_str()].start(place.partition, *policy) {
            Start::Committed(at, topic) => starts.known.push(StartOffset { place, at, topic }),
            Start::New => asked.push((*place, Position::Beginning)),
            Start::Policy(OffsetReset::None) => {
                let why = StartError::NoCommit(place.to_string());
                starts.unknown.push((*place, why));
            }
            Start::Policy(policy) => asked.push((*place, by_policy(policy))),
            Start::Unknown(why) => starts.unknown.push((*place, why)),
        }
    }
    let (pinned, unknown) = found(broker, &asked, &leaders);
    starts.unknown.extend(unknown);
    let (pinned, unknown) = commit(broker, pinned, &topics, wanted);
    starts
        .known
        .extend(pinned.into_iter().map(StartOffset::found));
    starts.unknown.extend(unknown);
    let counts = topics.iter();
    let counts = counts.filter_map(|(topic, commits)| Some((*topic, commits.count()?)));
    starts.counts = counts.collect();
    starts
}

/// The starts for a consumer without a group: by the policy, and nothing is committed.
pub(crate) fn choose(
    broker: &(impl Broker + Sync),
    places: &[(PartitionRef, OffsetReset)],
) -> Resolved {
    let all: Vec<_> = places.iter().map(|(place, _)| *place).collect();
    let asked = places.iter();
    let asked = asked.map(|(place, policy)| (*place, by_policy(*policy)));
    let asked: Vec<_> = asked.collect();
    let (known, unknown) = found(broker, &asked, &Leaders::ask(broker, &all));
    Resolved {
        known: known.into_iter().map(StartOffset::found).collect(),
        unknown,
        counts: Vec::new(),
    }
}

/// Offsets that are known, and why others are not.
type Offsets = (
    Vec<(PartitionRef, OffsetAndEpoch)>,
    Vec<(PartitionRef, StartError)>,
);

/// What is found and what is not, in the order of the question.
fn found(
    broker: &(impl Broker + Sync),
    asked: &[(PartitionRef, Position)],
    leaders: &Leaders,
) -> Offsets {
    let mut found = look_up(broker, asked, leaders);
    let (mut known, mut unknown) = Offsets::default();
    for (place, _) in asked {
        match found.remove(place) {
            Some(Ok(at)) => known.push((*place, at)),
            Some(Err(why)) => unknown.push((*place, why)),
            None => {}
        }
    }
    (known, unknown)
}

fn by_policy(policy: OffsetReset) -> Position {
    match policy {
        OffsetReset::Latest => Position::End,
        // In a group `none` is refused above; without a group it is refused before there is a client.
        OffsetReset::Earliest | OffsetReset::None => Position::Beginning,
        OffsetReset::Timestamp(time) => Position::at(time),
    }
}

/// The commits of every partition of these topics: those of others tell how old the group is.
fn read_commits(
    broker: &impl Broker,
    places: &[PartitionRef],
    leaders: &Leaders,
) -> Result<BTreeMap<&'static str, Commits>, StartError> {
    let mut topics: BTreeMap<&'static str, Commits> = BTreeMap::new();
    for place in places {
        let commits = topics.entry(place.on_cluster.as_str()).or_default();
        // The broker's answer may be older than the assignment.
        commits.partitions = commits.partitions.max(place.partition + 1);
    }
    for (topic, commits) in &mut topics {
        match leaders.count(topic) {
            Ok(listed) => commits.partitions = commits.partitions.max(listed),
            Err(why) => commits.unlisted = Some(why),
        }
    }
    let asked: Vec<_> = topics
        .iter()
        .flat_map(|(topic, commits)| (0..commits.partitions).map(|partition| (*topic, partition)))
        .collect();
    for ((topic, partition), committed) in asked.iter().zip(broker.committed(&asked)?) {
        let Some(commits) = topics.get_mut(topic) else {
            continue;
        };
        match committed {
            Ok(Some(committed)) => {
                let carried = Metadata::parse(&committed.metadata);
                let commit = (committed.at, carried);
                commits.committed.insert(*partition, commit);
            }
            Ok(None) => {}
            Err(why) => drop(commits.unread.insert(*partition, why)),
        }
    }
    Ok(topics)
}

/// Commits these starts. One that is not committed is not known.
fn commit(
    broker: &impl Broker,
    pinned: Vec<(PartitionRef, OffsetAndEpoch)>,
    topics: &BTreeMap<&'static str, Commits>,
    wanted: impl Fn(PartitionRef) -> bool,
) -> Offsets {
    let (pinned, gone): (Vec<_>, Vec<_>) = pinned.into_iter().partition(|(p, _)| wanted(p));
    let (mut known, mut unknown) = Offsets::default();
    let not_known = |place: PartitionRef, why: String| (place, StartError::Retry(why));
    let gone = gone.iter();
    let gone = gone.map(|(place, _)| not_known(place, format!("{place} was given back")));
    unknown.extend(gone);
    if pinned.is_empty() {
        return (known, unknown);
    }
    let commits: Vec<_> = pinned
        .iter()
        .map(|(place, at)| Commit {
            place,
            at: *at,
            metadata: topics[place.on_cluster.as_str()]
                .count()
                .and_then(PartitionCount::metadata)
                .map(Into::into),
        })
        .collect();
    // The commit has one error for all partitions: a refusal of some shows only in what is committed.
    let asked: Vec<_> = pinned
        .iter()
        .map(|(place, _)| (place.on_cluster.as_str(), place.partition))
        .collect();
    let committed = broker.commit(&commits);
    let committed = committed.map_err(|refused| StartError::Retry(refused.error.message));
    let committed = match committed.and_then(|()| broker.committed(&asked)) {
        Ok(committed) => committed,
        Err(why) => pinned.iter().map(|_| Err(why.clone())).collect(),
    };
    for ((place, at), committed) in pinned.into_iter().zip(committed) {
        match committed {
            Ok(Some(committed)) if committed.at.offset == at.offset => known.push((place, at)),
            // Refused, or another member has gone on from there.
            Ok(_) => {
                let why = format!("the start of {place} was not committed");
                unknown.push(not_known(place, why));
            }
            Err(why) => unknown.push((place, why)),
        }
    }
    (known, unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offsets::simulated::SimulatedBroker;
    use fastkafka_core::TopicPartition;
    use std::collections::HashSet;

    fn place(partition: i32) -> PartitionRef {
        TopicPartition::intern("orders", partition)
    }

    fn known(resolved: &Resolved) -> Vec<(PartitionRef, i64)> {
        resolved.starts().known
    }

    fn ask(partitions: &[i32], policy: OffsetReset) -> Vec<(PartitionRef, OffsetReset)> {
        let places = partitions.iter();
        places
            .map(|partition| (place(*partition), policy))
            .collect()
    }

    #[test]
    fn a_start_without_a_commit_is_committed_before_it_is_used() {
        let broker = SimulatedBroker::new(&[("orders", 0, 5), ("orders", 2, 9)]);
        let asked = ask(&[0, 1], OffsetReset::Latest);
        let resolved = resolve(&broker, &asked, |_| true);
        assert_eq!(known(&resolved), [(place(0), 5), (place(1), 9)]);
        assert_eq!(resolved.counts, [("orders", PartitionCount::new(2))]);
        let count = || "partitions=2".to_owned();
        let expected = [(place(0), 5, count()), (place(1), 9, count())];
        assert_eq!(broker.commits(), expected);
        // Only the first time.
        broker.grow("orders", 1, 20);
        let again = resolve(&broker, &ask(&[1], OffsetReset::Latest), |_| true);
        assert_eq!(known(&again), [(place(1), 9)]);
        assert_eq!(broker.commits(), expected);
    }

    #[test]
    fn a_partition_that_the_broker_does_not_list_yet_counts_all_the_same() {
        let broker = SimulatedBroker::new(&[("orders", 0, 5), ("orders", 0, 5)]);
        broker.list_only("orders", 1);
        let resolved = resolve(&broker, &ask(&[1], OffsetReset::Earliest), |_| true);
        assert_eq!(resolved.counts, [("orders", PartitionCount::new(2))]);
    }

    #[test]
    fn what_is_wrong_with_one_partition_keeps_no_other() {
        let fifteen = [("orders", 0, 5), ("orders", 1, 5)];
        type Happens = fn(&SimulatedBroker);
        let cases: [(&str, Happens); 5] = [
            ("orders[1] has no leader", |b| b.take_leader("orders", 1)),
            ("the broker of orders[1] is away", |b| {
                b.silence("orders", 1);
            }),
            ("no offset of orders[1]", |b| {
                b.refuse_offsets_of("orders", 1);
            }),
            ("the start of orders[1] was not committed", |b| {
                b.drop_commits_of("orders", 1);
            }),
            ("topic `payments` is away", |b| b.hide("payments")),
        ];
        for (what, happens) in cases {
            let broker = SimulatedBroker::new(&fifteen);
            broker.add("payments", 3, 9);
            happens(&broker);
            let mut asked = ask(&[0, 1], OffsetReset::Earliest);
            asked.push((TopicPartition::intern("payments", 0), OffsetReset::Earliest));
            let resolved = resolve(&broker, &asked, |_| true);
            let unknown = &resolved.unknown;
            assert_eq!(unknown.len(), 1, "{what}: {resolved:?}");
            let why = unknown[0].1.to_string();
            assert!(why.ends_with(what), "{what}: {why}");
            assert_eq!(known(&resolved).len(), 2, "{what}");
            // Each that is known is committed, and no other.
            let committed: HashSet<_> = broker.committed_offsets().into_iter().collect();
            let expected: HashSet<_> = known(&resolved).into_iter().collect();
            assert_eq!(committed, expected, "{what}");
        }
    }

    #[test]
    fn a_partition_with_a_commit_needs_no_leader_and_no_list_of_its_topic() {
        let broker = SimulatedBroker::new(&[("orders", 0, 5)]);
        resolve(&broker, &ask(&[0], OffsetReset::Latest), |_| true);
        for happens in [
            (|b| b.take_leader("orders", 0)) as fn(&SimulatedBroker),
            |b| b.hide("orders"),
        ] {
            happens(&broker);
            let again = resolve(&broker, &ask(&[0], OffsetReset::Latest), |_| true);
            assert_eq!(known(&again), [(place(0), 5)]);
            assert_eq!(again.counts, [("orders", PartitionCount::new(1))]);
        }
    }

    #[test]
    fn without_its_commits_nothing_is_known_and_nothing_is_committed() {
        let broker = SimulatedBroker::new(&[("orders", 0, 5), ("orders", 0, 5)]);
        broker.take_coordinator();
        let resolved = resolve(&broker, &ask(&[0, 1], OffsetReset::Latest), |_| true);
        assert_eq!(resolved.unknown.len(), 2);
        assert_eq!((known(&resolved), broker.commits()), (vec![], vec![]));
    }

    // Another member may have it, and may have gone on.
    #[test]
    fn s3_the_start_of_a_partition_that_was_given_back_is_not_committed() {
        let broker = SimulatedBroker::new(&[("orders", 0, 5), ("orders", 0, 5)]);
        let asked = ask(&[0, 1], OffsetReset::Latest);
        let resolved = resolve(&broker, &asked, |wanted| wanted == place(1));
        assert_eq!(known(&resolved), [(place(1), 5)]);
        assert_eq!(broker.committed_offsets(), [(place(1), 5)]);
    }

    #[test]
    fn a_policy_of_none_commits_nothing_and_keeps_only_what_has_no_commit() {
        let broker = SimulatedBroker::new(&[("orders", 0, 5), ("orders", 0, 5)]);
        let asked = ask(&[0, 1], OffsetReset::None);
        let resolved = resolve(&broker, &asked, |_| true);
        let unknown = &resolved.unknown;
        let is_refused = |(_, why): &(_, StartError)| matches!(why, StartError::NoCommit(_));
        assert!(unknown.len() == 2 && unknown.iter().all(is_refused));
        assert_eq!(broker.commits(), []);
        // Of a group that has committed one of the two.
        resolve(&broker, &ask(&[0], OffsetReset::Earliest), |_| true);
        let resolved = resolve(&broker, &asked, |_| true);
        assert_eq!(known(&resolved), [(place(0), 0)]);
        assert_eq!(resolved.unknown.len(), 1);
    }

    #[test]
    fn without_a_group_nothing_is_committed_and_one_partition_keeps_no_other() {
        let broker = SimulatedBroker::new(&[("orders", 2, 5)]);
        broker.add("orders", 0, 1);
        broker.take_leader("orders", 1);
        let chosen = choose(&broker, &ask(&[0, 1], OffsetReset::Earliest));
        assert_eq!(known(&chosen), [(place(0), 2)]);
        assert_eq!(chosen.unknown.len(), 1);
        assert_eq!(broker.commits(), []);
    }
}
