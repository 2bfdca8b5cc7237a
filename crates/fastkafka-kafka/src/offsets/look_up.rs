//! The partitions that there are, and the offsets of a beginning, an end or a time.

use super::broker::{Broker, Found, Position};
use crate::names::ClusterNames;
use fastkafka_runtime::platform::{PartitionRef, StartError};
use fastkafka_runtime::{ControlError, Seek};
use std::time::Duration;

/// The range of a log must come within this time.
const RANGE: Duration = Duration::from_secs(10);

/// All partitions of these topics.
pub(crate) fn partitions(
    broker: &impl Broker,
    topics: &[String],
    names: &ClusterNames,
) -> Result<Vec<PartitionRef>, StartError> {
    let mut places = Vec::new();
    for topic in topics {
        let count = broker.partition_count(topic)?;
        places.extend((0..count).map(|n| names.place(topic, n)));
    }
    Ok(places)
}

/// The offset where the user wants a partition to go on; it is in the log.
pub(crate) fn find(
    broker: &impl Broker,
    place: PartitionRef,
    to: Seek,
) -> Result<i64, ControlError> {
    let (topic, partition) = (place.topic.clone(), place.partition);
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
            range => range.map(|_| offset),
        },
        Seek::Beginning => look_up_one(broker, place, Position::Beginning),
        Seek::End => look_up_one(broker, place, Position::End),
        Seek::Timestamp(time) => look_up_one(broker, place, Position::at(time)),
    };
    found.map_err(|error| ControlError::Unanswered {
        topic,
        partition,
        why: error.to_string(),
    })
}

fn look_up_one(
    broker: &impl Broker,
    place: PartitionRef,
    asked: Position,
) -> Result<i64, StartError> {
    let found = look_up(broker, &[(place, asked)])?;
    let found = found.first().map(|(_, offset)| *offset);
    found.ok_or_else(|| StartError::Retry(format!("no answer about {place}")))
}

/// Turns positions into offsets. A time that no record is younger than is the end.
pub(crate) fn look_up(
    broker: &impl Broker,
    asked: &[(PartitionRef, Position)],
) -> Result<Vec<(PartitionRef, i64)>, StartError> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::with_capacity(asked.len());
    let mut at_end = Vec::new();
    for (place, answer) in broker.offsets_of(asked)? {
        match answer {
            Found::Offset(offset) => found.push((place, offset)),
            Found::End => at_end.push((place, Position::End)),
        }
    }
    // Asking for the end again would be answered so for ever.
    if at_end.len() == asked.len() && asked.iter().all(|(_, at)| *at == Position::End) {
        return Err(StartError::Retry(format!("{} has no end yet", asked[0].0)));
    }
    found.extend(look_up(broker, &at_end)?);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offsets::simulated::SimulatedBroker;
    use fastkafka_core::TopicPartition;
    use std::time::SystemTime;

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
            assert_eq!(find(&broker, place, seek).unwrap(), expected, "{seek:?}");
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
