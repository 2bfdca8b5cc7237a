//! What really happened, as Kafka's own client and the clock saw it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use flights::flight::{Flight, leg};
use kafka_lab::Record;

use super::schedule::Fault;

/// Milliseconds since the Unix epoch. The broker, the apps and the test have one clock.
pub(super) type Millis = i64;
/// Partition and offset in the topic of the flights.
pub(super) type Place = (i32, i64);

pub(super) fn now() -> Millis {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    Millis::try_from(now.unwrap().as_millis()).unwrap()
}

#[derive(Clone, Debug, Default)]
pub(super) struct History {
    pub(super) rounds: Vec<Round>,
    pub(super) faults: Vec<Happened>,
    pub(super) inputs: Vec<Input>,
    /// In the order of their partitions.
    pub(super) legs: Vec<Leg>,
    pub(super) letters: Vec<Letter>,
    pub(super) samples: Vec<Sample>,
    pub(super) owners: Vec<Owner>,
    pub(super) witnesses: Vec<Witness>,
    pub(super) exits: Vec<Exit>,
    /// The offset after the last flight of each partition.
    pub(super) ends: BTreeMap<i32, i64>,
}

/// From its first fault until all have caught up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) from: Millis,
    pub(super) until: Millis,
}

#[derive(Clone, Debug)]
pub(super) struct Happened {
    pub(super) fault: Fault,
    pub(super) round: usize,
    /// Whom it concerns, as in [`Owner::app`]; everybody without.
    pub(super) app: Option<String>,
    pub(super) from: Millis,
    pub(super) until: Millis,
}

#[derive(Clone, Debug)]
pub(super) struct Input {
    pub(super) place: Place,
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
    /// When the broker took it.
    pub(super) written: Millis,
    pub(super) due: Due,
}

/// What is to become of a flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The leg with this id.
    Leg(u64),
    Letter,
    Nothing,
}

#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub(super) id: u64,
    pub(super) key: Vec<u8>,
    /// When the broker took it.
    pub(super) at: Millis,
}

/// A dead letter, and the place that it names.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) place: Place,
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
    pub(super) at: Millis,
}

/// What was committed at some instant between the question and the answer.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) answered: Millis,
    pub(super) committed: BTreeMap<i32, i64>,
}

/// A time in which an app had a partition, by its own word.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    pub(super) app: String,
    pub(super) partition: i32,
    /// The offset at which it took up.
    pub(super) start: i64,
    pub(super) from: Millis,
    pub(super) until: Millis,
}

/// The end of a process that was asked to end.
#[derive(Clone, Debug)]
pub(super) struct Exit {
    pub(super) process: String,
    pub(super) code: i32,
    /// The round in which it happened; none is the end of all.
    pub(super) round: Option<usize>,
}

/// What a process said of its own health, all its life long.
#[derive(Clone, Debug)]
pub(super) struct Witness {
    pub(super) process: String,
    pub(super) app: String,
    pub(super) began: Millis,
    pub(super) ended: Millis,
    pub(super) looks: Vec<Look>,
}

#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) at: Millis,
    /// The partitions of the flights that it had.
    pub(super) assigned: BTreeSet<i32>,
    pub(super) problems: Vec<Told>,
}

/// A problem, as far as the ledger has to tell it from others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Told {
    pub(super) code: String,
    pub(super) topic: Option<String>,
    pub(super) partition: Option<i32>,
}

/// The life of a process.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) app: String,
    pub(super) log: PathBuf,
    pub(super) health: PathBuf,
    pub(super) pid: u32,
    pub(super) began: Millis,
    pub(super) ended: Option<Millis>,
}

pub(super) fn input(record: Record) -> Input {
    let value = record.value.unwrap();
    let due = match serde_json::from_slice::<Flight>(&value) {
        Err(_) => Due::Letter,
        Ok(flight) => match leg(&flight) {
            Ok(Some(leg)) => Due::Leg(leg.id),
            Ok(None) => Due::Nothing,
            Err(_) => Due::Letter,
        },
    };
    Input {
        place: (record.partition, record.offset),
        key: record.key.unwrap(),
        value,
        written: record.timestamp,
        due,
    }
}

pub(super) fn output(record: Record) -> Leg {
    let value: serde_json::Value = serde_json::from_slice(&record.value.unwrap()).unwrap();
    Leg {
        id: value["id"].as_u64().unwrap(),
        key: record.key.unwrap(),
        at: record.timestamp,
    }
}

pub(super) fn letter(record: Record) -> Letter {
    let number = |name: &str| {
        let name = format!("fastkafka-dead-letter-{name}");
        let (_, value) = record.headers.iter().find(|(n, _)| *n == name).unwrap();
        let text = String::from_utf8(value.clone().unwrap()).unwrap();
        text.parse::<i64>().unwrap()
    };
    Letter {
        place: (
            i32::try_from(number("partition")).unwrap(),
            number("offset"),
        ),
        key: record.key.unwrap(),
        value: record.value.unwrap(),
        at: record.timestamp,
    }
}

pub(super) fn witness(life: &Life) -> Witness {
    let name = life.health.file_stem().unwrap();
    Witness {
        process: name.to_string_lossy().into_owned(),
        app: life.app.clone(),
        began: life.began,
        ended: life.ended.unwrap_or(Millis::MAX),
        looks: looks(&life.health),
    }
}

/// What the health of a process said so far.
pub(super) fn looks(health: &Path) -> Vec<Look> {
    // A process that has just begun has said nothing yet.
    let text = fs::read_to_string(health).unwrap_or_default();
    // The last line may be on its way.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(look).collect()
}

fn look(line: &str) -> Look {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let health = &line["health"];
    let groups = health["groups"].as_array().unwrap().iter();
    let places = groups.flat_map(|group| group["assigned"].as_array().unwrap());
    let flights = places.filter(|place| place[0] == "flights");
    let partition = |number: &serde_json::Value| number.as_i64().map(|n| i32::try_from(n).unwrap());
    let text = |text: &serde_json::Value| text.as_str().map(str::to_owned);
    let problems = health["problems"].as_array().unwrap().iter();
    let told = |problem: &serde_json::Value| Told {
        code: text(&problem["code"]).unwrap(),
        topic: text(&problem["topic"]),
        partition: partition(&problem["partition"]),
    };
    Look {
        at: line["at"].as_i64().unwrap(),
        assigned: flights.filter_map(|place| partition(&place[1])).collect(),
        problems: problems.map(told).collect(),
    }
}

/// Which partitions a process had and when, out of its log.
pub(super) fn owners(life: &Life) -> Vec<Owner> {
    let text = fs::read_to_string(&life.log).unwrap();
    let mut since = BTreeMap::new();
    let mut owners = Vec::new();
    let mut close = |partition, (start, from), until| {
        owners.push(Owner {
            app: life.app.clone(),
            partition,
            start,
            from,
            until,
        });
    };
    for line in text.lines() {
        let at = || {
            let stamp = line.split_whitespace().next().unwrap();
            stamp.parse::<jiff::Timestamp>().unwrap().as_millisecond()
        };
        if let Some((_, places)) = line.split_once(" assigned ") {
            for (partition, start) in partitions(places, &life.log) {
                let start = start.expect("it takes up somewhere");
                since.insert(partition, (start, at()));
            }
        } else if let Some((_, places)) = line.split_once(" gave back ") {
            for (partition, _) in partitions(places, &life.log) {
                if let Some(from) = since.remove(&partition) {
                    close(partition, from, at());
                }
            }
        }
    }
    for (partition, from) in since {
        close(partition, from, life.ended.unwrap_or(Millis::MAX));
    }
    owners
}

/// Of `flights[0]@12 flights[3]@7 group="flights"` 0 and 3, with their offsets if they have any.
fn partitions(places: &str, log: &Path) -> Vec<(i32, Option<i64>)> {
    let places = places.split_whitespace().filter_map(|word| {
        let (partition, start) = word.strip_prefix("flights[")?.split_once(']')?;
        let start = start.strip_prefix('@').map(|start| start.parse().unwrap());
        Some((partition.parse().unwrap(), start))
    });
    let places: Vec<_> = places.collect();
    assert!(!places.is_empty(), "{}: no places", log.display());
    places
}
