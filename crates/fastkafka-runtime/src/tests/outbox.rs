//! A sink in memory whose reports the test controls.

use super::cluster::{Entry, lock};
use fastkafka_core::{
    Bytes, Delivery, DeliveryToken, Failure, OutRecord, ProduceError, RecordSink,
};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// A record that was sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sent {
    pub(super) topic: String,
    pub(super) entry: Entry,
}

impl Sent {
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(self.entry.payload.as_deref().unwrap_or_default()).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.entry.headers.iter();
        let (_, value) = headers.rfind(|(n, _)| n == name)?;
        value
            .as_deref()
            .map(|value| std::str::from_utf8(value).unwrap())
    }
}

/// What becomes of a record that is sent.
pub(super) enum Fate {
    Ack,
    /// Reported when the test says so.
    Hold,
    Lose(Failure),
    Refuse(ProduceError),
}

type Decide = Box<dyn FnMut(&Sent) -> Fate + Send>;

pub(super) struct Outbox {
    sent: Mutex<Vec<Sent>>,
    held: Mutex<VecDeque<(Sent, DeliveryToken)>>,
    decide: Mutex<Decide>,
    full: Mutex<Option<Vec<Waker>>>,
}

impl Outbox {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            sent: Mutex::default(),
            held: Mutex::default(),
            decide: Mutex::new(Box::new(|_| Fate::Ack)),
            full: Mutex::default(),
        })
    }

    pub(super) fn decide(&self, decide: impl FnMut(&Sent) -> Fate + Send + 'static) {
        *lock(&self.decide) = Box::new(decide);
    }

    pub(super) fn sent(&self) -> Vec<Sent> {
        lock(&self.sent).clone()
    }

    pub(super) fn texts(&self) -> Vec<String> {
        lock(&self.sent)
            .iter()
            .map(|sent| sent.text().to_owned())
            .collect()
    }

    pub(super) fn held(&self) -> usize {
        lock(&self.held).len()
    }

    /// The oldest reports that were held back.
    pub(super) fn report(&self, n: usize, how: impl Fn(DeliveryToken)) {
        for _ in 0..n {
            let (_, token) = self.take_held().expect("so many are held");
            how(token);
        }
    }

    pub(super) fn take_held(&self) -> Option<(Sent, DeliveryToken)> {
        lock(&self.held).pop_front()
    }

    pub(super) fn set_room(&self, room: bool) {
        let waiting = std::mem::replace(&mut *lock(&self.full), (!room).then(Vec::new));
        waiting.into_iter().flatten().for_each(Waker::wake);
    }

    pub(super) fn has_room(&self) -> bool {
        lock(&self.full).is_none()
    }
}

pub(super) fn ack(token: DeliveryToken) {
    token.ack(|| Delivery::new("out", 0, 0));
}

impl RecordSink for Outbox {
    fn enqueue(&self, record: OutRecord<'_>, token: DeliveryToken) -> Result<(), ProduceError> {
        let sent = Sent {
            topic: record.topic.to_owned(),
            entry: Entry {
                key: record.key.map(Bytes::copy_from_slice),
                payload: record.payload.map(Bytes::copy_from_slice),
                headers: record.headers.to_vec(),
                timestamp: record.timestamp,
            },
        };
        let fate = (lock(&self.decide))(&sent);
        if let Fate::Refuse(error) = fate {
            token.cancel();
            return Err(error);
        }
        lock(&self.sent).push(sent.clone());
        match fate {
            Fate::Ack => ack(token),
            Fate::Hold => lock(&self.held).push_back((sent, token)),
            Fate::Lose(failure) => token.fail(failure),
            Fate::Refuse(_) => unreachable!("returned above"),
        }
        Ok(())
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *lock(&self.full) {
            None => Poll::Ready(()),
            Some(waiting) => {
                waiting.push(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}
