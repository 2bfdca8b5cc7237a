//! A setting of the orders app on a broker: its topics, what goes in and what came out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use kafka_lab::{Kafka, NewRecord};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::kafka::process::{PATIENCE, Process, eventually};

/// The broker that all tests share.
pub(crate) fn kafka() -> &'static Kafka {
    Kafka::shared().unwrap()
}

pub(crate) struct AppFixture<'k> {
    pub(crate) kafka: &'k Kafka,
    pub(crate) setting: &'static str,
    pub(crate) topic: String,
    pub(crate) out: String,
    pub(crate) dead: String,
}

/// An output.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Done {
    pub(crate) id: u64,
    pub(crate) pid: u32,
    /// Where its order was.
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// When and to which partition it went out.
    #[serde(skip)]
    pub(crate) timestamp: i64,
    #[serde(skip)]
    pub(crate) out: i32,
}

/// An order that is simply handled.
pub(crate) fn order(id: u64) -> Value {
    json!({ "id": id })
}

pub(crate) fn record(order: &Value) -> NewRecord {
    NewRecord::new(order.to_string())
}

/// Orders, each with a key out of `keys`.
pub(crate) fn keyed(ids: Range<u64>, keys: u64, more: &Value) -> Vec<NewRecord> {
    ids.map(|id| {
        let mut order = more.clone();
        order["id"] = id.into();
        record(&order).key(format!("key {}", id % keys))
    })
    .collect()
}

impl<'k> AppFixture<'k> {
    /// On the shared broker, with empty topics.
    pub(crate) fn new(setting: &'static str, partitions: i32) -> AppFixture<'static> {
        AppFixture::on(kafka(), setting, partitions)
    }

    pub(crate) fn on(kafka: &'k Kafka, setting: &'static str, partitions: i32) -> Self {
        let fixture = Self::named(kafka, setting);
        kafka.create_topic(&fixture.topic, partitions, &[]).unwrap();
        kafka.create_topic(&fixture.out, 2, &[]).unwrap();
        kafka.create_topic(&fixture.dead, 1, &[]).unwrap();
        fixture
    }

    /// Without topics.
    pub(crate) fn named(kafka: &'k Kafka, setting: &'static str) -> Self {
        let topic = setting.replace('_', "-");
        Self {
            kafka,
            setting,
            out: format!("{topic}.out"),
            dead: format!("{topic}.dead"),
            topic,
        }
    }

    /// Starts a process of the app.
    pub(crate) fn app(&self) -> Process {
        Process::orders(self.setting, self.kafka.bootstrap())
    }

    /// As [`app`](Self::app), begun at a time.
    pub(crate) fn app_from(&self, time: &str) -> Process {
        Process::orders_from(self.setting, self.kafka.bootstrap(), time)
    }

    pub(crate) fn send(&self, records: &[NewRecord]) {
        self.kafka.produce(&self.topic, records).unwrap();
    }

    /// Sends to one partition, under one key.
    pub(crate) fn send_to(&self, partition: i32, orders: impl IntoIterator<Item = Value>) {
        let records: Vec<_> = orders
            .into_iter()
            .map(|order| {
                record(&order)
                    .partition(partition)
                    .key(format!("{partition}"))
            })
            .collect();
        self.send(&records);
    }

    /// How many outputs there are.
    pub(crate) fn count(&self) -> usize {
        let ends = self.kafka.end_offsets(&self.out).unwrap();
        usize::try_from(ends.values().sum::<i64>()).unwrap()
    }

    /// All outputs, in order per key.
    pub(crate) fn done(&self) -> Vec<Done> {
        let mut records = self.kafka.consume(&self.out).unwrap();
        records.sort_by_key(|record| (record.partition, record.offset));
        records
            .into_iter()
            .map(|record| Done {
                timestamp: record.timestamp,
                out: record.partition,
                ..serde_json::from_slice(&record.value.unwrap()).unwrap()
            })
            .collect()
    }

    pub(crate) fn await_count(&self, count: usize) {
        let what = format!("{count} outputs in {}", self.out);
        eventually(&what, || (self.count() >= count).then_some(()));
    }

    pub(crate) fn committed(&self) -> BTreeMap<i32, i64> {
        self.kafka.committed(&self.topic, &self.topic).unwrap()
    }

    /// Waits until the group has committed the end of the topic.
    pub(crate) fn await_committed(&self) {
        let ends = self.kafka.end_offsets(&self.topic).unwrap();
        let mut last = BTreeMap::new();
        let what = format!("the group of {} commits {ends:?}", self.topic);
        crate::kafka::process::within(PATIENCE, &what, || {
            last = self.committed();
            (last == ends).then_some(())
        });
    }

    /// Which partitions each member has, in order, while the group is stable.
    pub(crate) fn assigned(&self) -> Option<Vec<Vec<i32>>> {
        let group = self.kafka.group(&self.topic).unwrap();
        (group.state == "Stable").then(|| {
            let members = group.members.into_iter().map(|member| {
                // Kafka keeps them as a set.
                let mut partitions: Vec<_> = member.assigned.into_iter().map(|(_, p)| p).collect();
                partitions.sort_unstable();
                partitions
            });
            members.collect()
        })
    }

    /// Waits until the group is stable, with `members` that all have partitions.
    pub(crate) fn await_members(&self, members: usize) {
        eventually(&format!("{members} members of {}", self.topic), || {
            let assigned = self.assigned()?;
            (assigned.len() == members && assigned.iter().all(|p| !p.is_empty())).then_some(())
        });
    }
}

/// How often each order was done.
pub(crate) fn times(done: &[Done]) -> HashMap<u64, u32> {
    let mut times = HashMap::new();
    for done in done {
        *times.entry(done.id).or_default() += 1;
    }
    times
}

/// Asserts that each of `ids` was done exactly once, in order.
pub(crate) fn assert_once(done: &[Done], ids: Range<u64>) {
    let times = times(done);
    let repeated: Vec<_> = times.iter().filter(|(_, n)| **n > 1).collect();
    assert!(repeated.is_empty(), "repeated: {repeated:?}");
    assert_at_least_once(done, ids);
}

/// Asserts that each of `ids` was done, and for the last time in order: what is repeated repeats what is
/// behind it too.
pub(crate) fn assert_at_least_once(done: &[Done], ids: Range<u64>) {
    let mut seen = HashSet::new();
    // Outputs keep an order in each partition that they go to.
    let mut next = HashMap::new();
    for done in done.iter().rev() {
        if seen.insert(done.id) {
            let behind = next.insert((done.partition, done.out), done.offset);
            assert!(
                behind.is_none_or(|behind| done.offset < behind),
                "{done:?} came before offset {behind:?}"
            );
        }
    }
    let missing: Vec<_> = ids.clone().filter(|id| !seen.contains(id)).collect();
    assert!(missing.is_empty(), "missing: {missing:?}");
    assert_eq!(seen.len(), ids.count(), "nothing else was done");
}
