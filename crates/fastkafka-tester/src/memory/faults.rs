//! Faults that a test has ordered for the next records of a topic.

use bytes::Bytes;
use std::collections::{HashMap, VecDeque};

/// The fate of a record that the app sends, for
/// [`Tester::fail_next_produce`](crate::Tester::fail_next_produce).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProduceFault {
    /// The record never arrives, and the producer hears that its time ran out. Sending it again may
    /// succeed.
    Lost,
    /// The record is written, but the acknowledgement is lost: the producer hears that its time ran
    /// out.
    Unacknowledged,
    /// The broker refuses the record, as one that is too large: sending it again cannot succeed.
    Refused,
}

impl ProduceFault {
    /// What becomes of the record.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Lost => "is lost",
            Self::Unacknowledged => "is written and not acknowledged",
            Self::Refused => "is refused",
        }
    }
}

/// The faults to come, by topic.
#[derive(Default)]
pub(super) struct Faults {
    produce: HashMap<String, VecDeque<ProduceFault>>,
    /// The number of payloads that arrive damaged.
    damaged: HashMap<String, usize>,
}

impl Faults {
    pub(super) fn fail_next(&mut self, topic: &str, fault: ProduceFault) {
        let faults = self.produce.entry(topic.to_owned()).or_default();
        faults.push_back(fault);
    }

    pub(super) fn damage_next(&mut self, topic: &str) {
        *self.damaged.entry(topic.to_owned()).or_default() += 1;
    }

    /// The fault of the next record that an app sends to a topic.
    pub(super) fn next(&mut self, topic: &str) -> Option<ProduceFault> {
        self.produce.get_mut(topic)?.pop_front()
    }

    /// The payload of a record as it arrives in its topic.
    pub(super) fn arriving(&mut self, topic: &str, payload: Option<Bytes>) -> Option<Bytes> {
        match self.damaged.get_mut(topic).filter(|left| **left > 0) {
            None => payload,
            Some(left) => {
                *left -= 1;
                payload.map(|bytes| damage(&bytes))
            }
        }
    }
}

/// The first half without its first byte: no codec reads that.
fn damage(bytes: &[u8]) -> Bytes {
    let mut damaged = vec![0xff];
    damaged.extend_from_slice(bytes.get(1..bytes.len().div_ceil(2)).unwrap_or_default());
    damaged.into()
}
