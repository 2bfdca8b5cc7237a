//! The partitions that there are, and the offsets of a beginning, an end or a time.

use super::AT_ONCE;
use super::broker::{Broker, Found, Of, OffsetAndEpoch, Position};
use crate::names::ClusterNames;
use fastkafka_runtime::platform::{PartitionRef, StartError, side_by_side};
use fastkafka_runtime::{ControlError, Seek};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// The range of a log must come within this time.
const RANGE: Duration = Duration::from_secs(10);

/// The leaders of the partitions of some topics, or why a topic's are not known.
#[derive(Debug, Default)]
pub(crate) struct Leaders {
    by_topic: BTreeMap<&'static str, Of<Vec<Option<i32>>>>,
    /// For these there was no time.
    not_asked: BTreeSet<&'static str>,
}

impl Leaders {
    /// Asks about the topics of these, side by side: what is wrong with a topic is told of it alone, and takes no
    /// other's time. Those of the first places come first.
    pub(crate) fn ask(broker: &(impl Broker + Sync), places: &[PartitionRef]) -> Self {
        let mut seen = BTreeSet::new();
        let topics = places.iter().map(|place| place.on_cluster.as_str());
        let topics: Vec<_> = topics.filter(|topic| seen.insert(*topic)).collect();
        let answers = side_by_side(
            &topics,
            AT_ONCE,
            || broker.is_over(),
            |topic| broker.leaders(topic),
        );
        let mut leaders = Self::default();
        for (topic, answer) in topics.into_iter().zip(answers) {
            let answer = answer.unwrap_or_else(|| {
                leaders.not_asked.insert(topic);
                let why = format!("there was no time to ask about topic `{topic}`");
                Err(StartError::Retry(why))
            });
            leaders.by_topic.insert(topic, answer);
        }
        leaders
    }

    /// It could be asked about this one.
    fn has_asked(&self, place: PartitionRef) -> bool {
        !self.not_asked.contains(place.on_cluster.as_str())
    }

    /// The number of partitions of a topic, as far as the broker lists them.
    pub(crate) fn count(&self, topic: &str) -> Of<i32> {
        match self.by_topic.get(topic) {
            Some(Ok(leaders)) => Ok(i32::try_from(leaders.len()).unwrap_or(i32::MAX)),
            Some(Err(error)) => Err(error.clone()),
            None => Ok(0),
        }
    }

    /// Whom to ask about a partition. Those with the same answer can be asked about together. One that is
    /// not listed is asked about all the same: the list may be older than the partition.
    fn leader(&self, place: PartitionRef) -> Of<Option<i32>> {
        let leaders = match self.by_topic.get(place.on_cluster.as_str()) {
            Some(Ok(leaders)) => leaders,
            Some(Err(error)) => return Err(error.clone()),
            None => return Ok(None),
        };
        let listed = usize::try_from(place.partition).ok();
        match listed.and_then(|at| leaders.get(at)) {
            Some(None) => Err(StartError::Retry(format!("{place} has no leader"))),
            Some(leader) => Ok(*leader),
            None => Ok(None),
        }
    }
}

/// All partitions of these topics.
pub(crate) fn partitions(
    broker: &impl Broker,
    topics: &[String],
    names: &ClusterNames,
) -> Result<Vec<PartitionRef>, StartError> {
    let mut places = Vec::new();
    for topic in topics {
        let count = i32::try_from(broker.leaders(topic)?.len()).unwrap_or(i32::MAX);
        places.extend((0..count).map(|n| names.place(topic, n)));
    }
    Ok(places)
}

/// The offset where the user wants a partition to go on; it is in the log.
pub(crate) fn find(
    broker: &impl Broker,
    place: PartitionRef,
    to: Seek,
) -> Result<OffsetAndEpoch, ControlError> {
    let (topic, partition) = (place.topic.clone(), place.partition);
    let at = |position| look_up_together(broker, &[(place, position)]).remove(place);
    let found = match to {
        Seek::Offset(offset) => match broker.range(place, RANGE) {
            Ok((low, high)) if !(low..=high).contains(&offset) => {
                return Err(ControlError::OutOfRange {
                    topic,
                    partition,
                    offset,
                    low,
                    high,
                });
            }
            range => Some(range.map(|_| offset.into())),
        },
        Seek::Beginning => at(Position::Beginning),
        Seek::End => at(Position::End),
        Seek::Timestamp(time) => at(Position::at(time)),
    };
    let found = found.unwrap_or_else(|| Err(unanswered(place)));
    found.map_err(|error| ControlError::Unanswered {
        topic,
        partition,
        why: error.to_string(),
    })
}

/// Turns positions into offsets. A time that no record is younger than is the end. Each leader is asked
/// by a thread of its own: one that does not answer keeps none of the others.
pub(crate) fn look_up(
    broker: &(impl Broker + Sync),
    asked: &[(PartitionRef, Position)],
    leaders: &Leaders,
) -> HashMap<PartitionRef, Of<OffsetAndEpoch>> {
    let mut found = HashMap::with_capacity(asked.len());
    let mut by_leader: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for &(place, position) in asked {
        match leaders.leader(place) {
            Ok(leader) => by_leader.entry(leader).or_default().push((place, position)),
            Err(error) => drop(found.insert(place, Err(error))),
        }
    }
    std::thread::scope(|threads| {
        let ask = |asked| {
            let thread = std::thread::Builder::new();
            let asking = thread.spawn_scoped(threads, move || look_up_together(broker, asked));
            asking.map_err(|_| asked)
        };
        let asking: Vec<_> = by_leader.values().map(Vec::as_slice).map(ask).collect();
        for asking in asking {
            found.extend(match asking {
                Ok(thread) => thread.join().expect("a question does not panic"),
                // Where the system has no thread for it, one after the other.
                Err(asked) => look_up_together(broker, asked),
            });
        }
    });
    found
}

/// The ends of the logs of these, each by its leader. One that could not be asked for in time is left out.
pub(crate) fn ends(
    broker: &(impl Broker + Sync),
    places: &[PartitionRef],
) -> HashMap<PartitionRef, Of<i64>> {
    let leaders = Leaders::ask(broker, places);
    let asked = places.iter().filter(|place| leaders.has_asked(place));
    let asked: Vec<_> = asked.map(|place| (*place, Position::End)).collect();
    let ends = look_up(broker, &asked, &leaders).into_iter();
    ends.map(|(place, end)| (place, end.map(|end| end.offset)))
        .collect()
}

/// The same in one question. Each that was asked for is in the answer.
fn look_up_together(
    broker: &impl Broker,
    asked: &[(PartitionRef, Position)],
) -> HashMap<PartitionRef, Of<OffsetAndEpoch>> {
    let mut found = HashMap::with_capacity(asked.len());
    let answers = match broker.offsets_of(asked) {
        Ok(answers) => answers,
        Err(error) => asked
            .iter()
            .map(|(p, _)| (*p, Err(error.clone())))
            .collect(),
    };
    let answers: HashMap<_, _> = answers.into_iter().collect();
    let mut at_end = Vec::new();
    for &(place, position) in asked {
        let offset = match answers.get(place) {
            Some(Ok(Found::Offset(at))) => Ok(*at),
            // Asking for the end again would be answered so for ever.
            Some(Ok(Found::End)) if position == Position::End => {
                Err(StartError::Retry(format!("{place} has no end yet")))
            }
            Some(Ok(Found::End)) => {
                at_end.push((place, Position::End));
                continue;
            }
            Some(Err(error)) => Err(error.clone()),
            None => Err(unanswered(place)),
        };
        found.insert(place, offset);
    }
    if !at_end.is_empty() {
        found.extend(look_up_together(broker, &at_end));
    }
    found
}

fn unanswered(place: PartitionRef) -> StartError {
    StartError::Retry(format!("no answer about {place}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offsets::simulated::SimulatedBroker;
    use fastkafka_core::TopicPartition;
    use std::time::SystemTime;

    /// The metadata of so many topics takes longer than there is time.
    #[test]
    fn of_too_many_topics_some_have_an_answer_and_the_others_are_left_out() {
        let names: Vec<_> = (0..200).map(|n| format!("orders-{n}")).collect();
        let logs: Vec<_> = names.iter().map(|name| (name.as_str(), 3, 9)).collect();
        let broker = SimulatedBroker::new(&logs);
        broker.hide("orders-0");
        let places = names.iter().map(|name| TopicPartition::intern(name, 0));
        let places: Vec<_> = places.collect();
        assert_eq!(ends(&broker, &places).len(), 200);
        broker.end_after(30);
        let found = ends(&broker, &places);
        assert!((20..60).contains(&found.len()), "{}", found.len());
        for (place, end) in &found {
            assert_eq!(end.is_err(), place.topic == "orders-0", "{place}: {end:?}");
        }
        assert!(found.contains_key(places[0]), "the first come first");
        let starts = Leaders::ask(&broker, &places);
        assert!(
            starts.count("orders-199").is_err(),
            "it is not known to have none"
        );
    }

    #[test]
    fn a_seek_goes_to_an_offset_of_the_log_a_time_and_behind_the_last_record() {
        let broker = SimulatedBroker::new(&[("orders", 3, 9)]);
        let place = TopicPartition::intern("orders", 0);
        let at = |millis| Seek::Timestamp(SystemTime::UNIX_EPOCH + Duration::from_millis(millis));
        let cases = [
            (Seek::Beginning, 3),
            (Seek::End, 9),
            (Seek::Offset(3), 3),
            (Seek::Offset(9), 9),
            (at(5), 5),
            // No record is as young: the end.
            (at(100), 9),
        ];
        for (seek, expected) in cases {
            assert_eq!(
                find(&broker, place, seek).unwrap(),
                expected.into(),
                "{seek:?}"
            );
        }
        for offset in [2, 10] {
            let refused = find(&broker, place, Seek::Offset(offset)).unwrap_err();
            assert!(matches!(refused, ControlError::OutOfRange { .. }));
        }
        let away = TopicPartition::intern("payments", 0);
        for seek in [Seek::End, Seek::Offset(1)] {
            let unanswered = find(&broker, away, seek).unwrap_err();
            assert!(matches!(unanswered, ControlError::Unanswered { .. }));
        }
    }
}
