//! What is set aside, in the order in which it has to be written.
//!
//! | of a class | is sent | because |
//! |---|---|---|
//! | refused records, in the order of their reports | when the first client has reported all that it had | those may be of the same key, and stood behind |
//! | one of them, when a later record of its topic, partition, key and unit of order was written | never: it fails without using up an attempt | sent now it would stand behind a later one; its handler repeats both in order |
//! | records that came since the first refusal | through the first client, when all refused ones are reported | they are later, and were never refused |
//! | the same after such a failure, for a while ([`Care`]) | alone, too | they may be what the handler repeats: in the batches of before it would fail as before, for ever |

use crate::ffi::Sent;
use fastkafka_core::{Bytes, DeliveryToken, OrderUnit, OutRecord};
use rdkafka::message::{BorrowedMessage, Headers};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Message, Timestamp};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Records with one hash share a class: they wait for each other, and are compared where it counts. So many
/// fit into the fastest cache of a core, which has each record's class in hand.
pub(super) const CLASSES: usize = 1 << 12;

/// So many records of a unit of order go alone after the first failure of one that was overtaken; after each
/// further one twice as many, up to the last: however many records a handler writes, one failure is the last.
const CARE: (usize, usize) = (16, 1 << 16);

/// Care ends then: the partition may have gone to another member, and its handler repeats nothing here.
const LONGEST_CARE: Duration = Duration::from_secs(60);

/// The class of a topic and a key: a few bytes of them are enough. The partition is not part of it, for only
/// the report knows it.
pub(super) fn class(topic: &str, key: Option<&[u8]>) -> usize {
    let mut hash = 0_u64;
    let mut mix =
        |word: u64| hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    for part in [topic.as_bytes(), key.unwrap_or_default()] {
        // Over the end: names and keys often begin alike.
        let words = part.rchunks_exact(8);
        let begin = words.remainder();
        for word in words.take(3) {
            mix(u64::from_le_bytes(word.try_into().expect("eight bytes")));
        }
        if part.len() < 24 {
            mix(begin
                .iter()
                .fold(0, |word, &byte| word << 8 | u64::from(byte)));
        }
    }
    // The upper bits depend on all.
    let class = hash >> (u64::BITS - CLASSES.ilog2());
    usize::try_from(class).expect("smaller than the number of classes")
}

/// A record of our own memory.
#[derive(Debug)]
pub(super) struct Owned {
    pub(super) topic: String,
    /// Of a refused one that which it had.
    partition: Option<i32>,
    payload: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
    headers: Vec<(String, Option<Bytes>)>,
    timestamp: Option<i64>,
}

impl Owned {
    pub(super) fn sent(&self) -> Sent<'_> {
        Sent {
            partition: self.partition,
            payload: self.payload.as_deref(),
            key: self.key.as_deref(),
            headers: &self.headers,
            timestamp: self.timestamp,
        }
    }
}

/// A record that is set aside.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) record: Owned,
    pub(super) token: DeliveryToken,
    /// Why it was refused; `None` for one that stands behind.
    pub(super) refused: Option<RDKafkaErrorCode>,
    /// What it counts as while it is on its way.
    pub(super) bytes: usize,
}

impl Kept {
    /// One that stands behind others.
    pub(super) fn new(record: &OutRecord<'_>, token: DeliveryToken) -> Self {
        let bytes = record.length();
        let record = Owned {
            topic: record.topic.to_owned(),
            partition: record.partition,
            payload: record.payload.map(<[u8]>::to_vec),
            key: record.key.map(<[u8]>::to_vec),
            headers: record.headers.to_vec(),
            timestamp: record.timestamp,
        };
        Self {
            record,
            token,
            refused: None,
            bytes,
        }
    }

    pub(super) fn refused(
        topic: &str,
        message: &BorrowedMessage<'_>,
        code: RDKafkaErrorCode,
        token: DeliveryToken,
        bytes: usize,
    ) -> Self {
        let headers = message.headers().into_iter().flat_map(Headers::iter);
        let owned = |value: &[u8]| Bytes::copy_from_slice(value);
        let headers: Vec<_> = headers
            .map(|header| (header.key.to_owned(), header.value.map(owned)))
            .collect();
        let record = Owned {
            topic: topic.to_owned(),
            partition: Some(message.partition()),
            payload: message.payload().map(<[u8]>::to_vec),
            key: message.key().map(<[u8]>::to_vec),
            headers,
            // A time of the broker's is not ours to give.
            timestamp: match message.timestamp() {
                Timestamp::CreateTime(millis) => Some(millis),
                _ => None,
            },
        };
        Self {
            record,
            token,
            refused: Some(code),
            bytes,
        }
    }
}

/// Of a unit of order a record was overtaken, and failed: what its handler repeats goes alone.
#[derive(Debug)]
struct Care {
    unit: OrderUnit,
    left: usize,
    until: Instant,
}

#[derive(Debug, Default)]
struct Class {
    refused: Vec<Kept>,
    behind: Vec<Kept>,
    /// Through the second client.
    on_their_way: usize,
    /// A thread hands some of them over.
    sending: bool,
    careful: Vec<Care>,
}

impl Class {
    fn is_careful(&mut self) -> bool {
        if !self.careful.is_empty() {
            let now = Instant::now();
            self.careful.retain(|care| now < care.until);
        }
        !self.careful.is_empty()
    }

    /// What stands behind goes alone.
    fn take_with_care(&mut self) -> Vec<Kept> {
        for kept in &self.behind {
            let unit = kept.token.order_unit();
            self.careful.retain_mut(|care| {
                care.left -= usize::from(Some(care.unit) == unit);
                care.left > 0
            });
        }
        std::mem::take(&mut self.behind)
    }
}

/// What is to be done next for a class.
pub(super) enum Next {
    Nothing,
    /// Nothing of it is left here.
    Over,
    /// Through the second client.
    Alone(Vec<Kept>),
    /// Through the first one.
    Together(Vec<Kept>),
}

/// What is set aside, by class.
#[derive(Debug)]
pub(super) struct Aside {
    classes: HashMap<usize, Class>,
    care: usize,
}

impl Default for Aside {
    fn default() -> Self {
        Self {
            classes: HashMap::new(),
            care: CARE.0,
        }
    }
}

impl Aside {
    /// A refused record.
    pub(super) fn refuse(&mut self, class: usize, kept: Kept) {
        self.classes.entry(class).or_default().refused.push(kept);
    }

    /// One that comes later.
    pub(super) fn stand_behind(&mut self, class: usize, kept: Kept) {
        self.classes.entry(class).or_default().behind.push(kept);
    }

    /// A record of this topic, partition and key was written: takes out those of the same unit that should
    /// stand before it.
    pub(super) fn overtaken(
        &mut self,
        (topic, partition, key): (&str, i32, Option<&[u8]>),
        unit: OrderUnit,
    ) -> Vec<Kept> {
        let Some(class) = self.classes.get_mut(&class(topic, key)) else {
            return Vec::new();
        };
        let late = |kept: &mut Kept| {
            let record = &kept.record;
            (&*record.topic, record.partition) == (topic, Some(partition))
                && record.key.as_deref() == key
                && kept.token.order_unit() == Some(unit)
        };
        let late: Vec<_> = class.refused.extract_if(.., late).collect();
        if !late.is_empty() {
            class.careful.retain(|care| care.unit != unit);
            class.careful.push(Care {
                unit,
                left: self.care,
                until: Instant::now() + LONGEST_CARE,
            });
            self.care = CARE.1.min(self.care * 2);
        }
        late
    }

    /// What is to be sent of a class, unless another thread hands some of it over; [`Aside::sent`] ends that.
    /// `owed`: the first client has not reported all that it has of it.
    pub(super) fn next(&mut self, number: usize, owed: bool) -> Next {
        let Some(class) = self.classes.get_mut(&number) else {
            return Next::Over;
        };
        if class.sending {
            return Next::Nothing;
        }
        let careful = class.is_careful();
        if careful || !class.refused.is_empty() {
            if owed {
                return Next::Nothing;
            }
            let mut batch = std::mem::take(&mut class.refused);
            if careful {
                batch.append(&mut class.take_with_care());
            }
            if batch.is_empty() {
                return Next::Nothing;
            }
            class.sending = true;
            class.on_their_way += batch.len();
            return Next::Alone(batch);
        }
        if class.on_their_way > 0 {
            return Next::Nothing;
        }
        if class.behind.is_empty() {
            self.classes.remove(&number);
            return Next::Over;
        }
        class.sending = true;
        Next::Together(std::mem::take(&mut class.behind))
    }

    /// They are handed over.
    pub(super) fn sent(&mut self, class: usize) {
        if let Some(class) = self.classes.get_mut(&class) {
            class.sending = false;
        }
    }

    /// So many of those that go alone were reported, or not taken.
    pub(super) fn reported(&mut self, class: usize, records: usize) {
        if let Some(class) = self.classes.get_mut(&class) {
            class.on_their_way -= records;
        }
    }

    /// Everything that waits.
    pub(super) fn give_up(&mut self) -> Vec<Kept> {
        let classes = self.classes.values_mut();
        classes
            .flat_map(|class| {
                let refused = std::mem::take(&mut class.refused);
                refused.into_iter().chain(std::mem::take(&mut class.behind))
            })
            .collect()
    }
}
