//! What is set aside, in the order in which it has to be written.
//!
//! | of a class | is sent | because |
//! |---|---|---|
//! | refused records, in the order of their reports | when the first client has reported all that it had | those may be of the same key, and stood behind |
//! | one of them, when a later record of its topic, partition, key and unit of order was written | never: it fails without using up an attempt | sent now it would stand behind a later one; its handler repeats both in order |
//! | records that came since the first refusal | behind the refused ones | they are later |

use crate::ffi::Sent;
use fastkafka_core::{Bytes, DeliveryToken, OrderUnit, OutRecord};
use rdkafka::message::{BorrowedMessage, Headers};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Message, Timestamp};
use std::collections::HashMap;

/// Keys with one hash share a class: they wait for each other, and are compared where it counts.
pub(super) const CLASSES: usize = 1 << 14;

/// The class of a key: a few bytes of it are enough.
pub(super) fn class(key: Option<&[u8]>) -> usize {
    let Some(key) = key else { return 0 };
    // FNV-1a, over the end: keys often begin alike.
    let end = &key[key.len().saturating_sub(24)..];
    let hash = end.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let folded = hash ^ (hash >> 32);
    usize::try_from(folded & (CLASSES as u64 - 1)).expect("smaller than the number of classes")
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

#[derive(Debug, Default)]
struct Class {
    /// The refused ones come first.
    waiting: Vec<Kept>,
    /// On their way through the second client.
    sent: usize,
    /// A thread hands some of them over.
    sending: bool,
}

/// What is set aside, by class.
#[derive(Debug, Default)]
pub(super) struct Aside(HashMap<usize, Class>);

impl Aside {
    /// A refused record.
    pub(super) fn refuse(&mut self, class: usize, kept: Kept) {
        let waiting = &mut self.0.entry(class).or_default().waiting;
        let later = waiting.iter().position(|kept| kept.refused.is_none());
        waiting.insert(later.unwrap_or(waiting.len()), kept);
    }

    /// One that comes later.
    pub(super) fn stand_behind(&mut self, class: usize, kept: Kept) {
        self.0.entry(class).or_default().waiting.push(kept);
    }

    /// A record of this topic, partition and key was written: takes out those of the same unit that should
    /// stand before it.
    pub(super) fn overtaken(
        &mut self,
        (topic, partition, key): (&str, i32, Option<&[u8]>),
        unit: OrderUnit,
    ) -> Vec<Kept> {
        let Some(class) = self.0.get_mut(&class(key)) else {
            return Vec::new();
        };
        let late = |kept: &mut Kept| {
            let record = &kept.record;
            kept.refused.is_some()
                && (&*record.topic, record.partition) == (topic, Some(partition))
                && record.key.as_deref() == key
                && kept.token.order_unit() == Some(unit)
        };
        class.waiting.extract_if(.., late).collect()
    }

    /// What waits of a class, unless another thread hands some of it over. [`Aside::sent`] ends that.
    pub(super) fn take(&mut self, class: usize) -> Option<Vec<Kept>> {
        let class = self.0.get_mut(&class)?;
        if class.sending || class.waiting.is_empty() {
            return None;
        }
        class.sending = true;
        class.sent += class.waiting.len();
        Some(std::mem::take(&mut class.waiting))
    }

    /// They are handed over.
    pub(super) fn sent(&mut self, class: usize) {
        if let Some(class) = self.0.get_mut(&class) {
            class.sending = false;
        }
    }

    /// So many of a class were reported, or not taken.
    pub(super) fn reported(&mut self, class: usize, records: usize) {
        if let Some(class) = self.0.get_mut(&class) {
            class.sent -= records;
        }
    }

    /// Nothing of the class is left here: it is forgotten.
    pub(super) fn is_over(&mut self, class: usize) -> bool {
        let left = self.0.get(&class);
        let over = left.is_none_or(|c| c.waiting.is_empty() && c.sent == 0 && !c.sending);
        if over {
            self.0.remove(&class);
        }
        over
    }

    /// Everything that waits.
    pub(super) fn give_up(&mut self) -> Vec<Kept> {
        let classes = self.0.values_mut();
        classes
            .flat_map(|class| std::mem::take(&mut class.waiting))
            .collect()
    }
}
