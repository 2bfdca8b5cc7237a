//! The app's producers on the cluster in memory.
//!
//! A record is acknowledged before the call returns, unless the broker is down: then it waits until
//! the broker is back or its time is over. Records arrive in the order of the calls, as those of an
//! idempotent producer do: what is sent while others wait, or are on their way from there, waits too.

#[cfg(test)]
mod tests;

use crate::broker::{Broker, NewRecord, Refusal};
use crate::function::Function;
use bytes::Bytes;
use fastkafka_core::{
    DeliveryToken, Failure, FailureKind, OutRecord, Output, ProduceError, Sink, Wake,
};
use fastkafka_runtime::medium::Outputs;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// The default of `delivery_timeout_ms`.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(60);

/// See the module.
pub(crate) struct MemoryOutputs {
    broker: Arc<Broker>,
    /// By producer: how long a record may wait.
    timeouts: Vec<(&'static str, &'static str, Duration)>,
    most: usize,
    waiting: Mutex<Waiting>,
    tokio: Handle,
    me: Weak<Self>,
}

#[derive(Default)]
struct Waiting {
    records: VecDeque<Held>,
    next: u64,
    /// Somebody sends what waits; until that is over, whoever comes queues up behind it.
    sending: bool,
    wakers: Vec<Waker>,
    room: Vec<Wake>,
}

struct Held {
    id: u64,
    record: NewRecord,
    token: DeliveryToken,
    /// Its time is over then; `None`: never.
    until: Option<Instant>,
}

impl Held {
    fn time_out(self) {
        let failure = failure(&self.record.topic, &Refusal::TimedOut);
        self.token.fail(failure);
    }
}

impl Waiting {
    /// Nothing waits or is on its way.
    fn is_over(&self) -> bool {
        self.records.is_empty() && !self.sending
    }
}

impl MemoryOutputs {
    /// Inside a tokio runtime.
    pub(crate) fn new(broker: Arc<Broker>, outputs: &[Output], most: usize) -> Arc<Self> {
        let timeouts = outputs.iter().filter_map(|output| {
            let millis = output.settings.delivery_timeout_ms?;
            let def = output.def;
            Some((def.module, def.name, Duration::from_millis(millis)))
        });
        let timeouts = timeouts.collect();
        Arc::new_cyclic(|me| Self {
            broker,
            timeouts,
            most,
            waiting: Mutex::default(),
            tokio: Handle::current(),
            me: me.clone(),
        })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a record for the time that its producer gives it.
    fn hold(&self, mut waiting: MutexGuard<'_, Waiting>, mut held: Held, patience: Duration) {
        let (id, first) = (held.id, waiting.is_over());
        held.until = Instant::now().checked_add(patience);
        waiting.records.push_back(held);
        drop(waiting);
        if first {
            self.send_when_up();
        }
        let me = self.me.clone();
        self.tokio.spawn(async move {
            tokio::time::sleep(patience).await;
            if let Some(me) = me.upgrade() {
                me.expire(id);
            }
        });
    }

    fn send_when_up(&self) {
        let me = self.me.clone();
        self.broker.on_up(Box::new(move || {
            if let Some(me) = me.upgrade() {
                me.flush();
            }
        }));
    }

    /// Sends what waits. The lock is not kept meanwhile: whoever hears of a record may send the next.
    fn flush(&self) {
        {
            let mut waiting = self.waiting();
            if std::mem::replace(&mut waiting.sending, true) {
                return;
            }
        }
        let is_down = loop {
            let held = {
                let mut waiting = self.waiting();
                let held = waiting.records.pop_front();
                waiting.sending = held.is_some();
                held
            };
            let Some(held) = held else { break false };
            let Some(held) = conclude(&self.broker, held) else {
                continue;
            };
            // Nobody could find it meanwhile.
            if held.until.is_some_and(|until| until <= Instant::now()) {
                held.time_out();
                continue;
            }
            let mut waiting = self.waiting();
            waiting.records.push_front(held);
            waiting.sending = false;
            break true;
        };
        if is_down {
            self.send_when_up();
        }
        self.tell_room();
    }

    fn expire(&self, id: u64) {
        let held = {
            let mut waiting = self.waiting();
            let at = waiting.records.iter().position(|held| held.id == id);
            at.and_then(|at| waiting.records.remove(at))
        };
        if let Some(held) = held {
            held.time_out();
            self.tell_room();
        }
    }

    fn tell_room(&self) {
        let wakers = std::mem::take(&mut self.waiting().wakers);
        wakers.into_iter().for_each(Waker::wake);
        // What is called only rings bells.
        self.waiting().room.iter().for_each(|wake| wake());
        self.broker.notify();
    }

    fn timeout(&self, record: &OutRecord<'_>) -> Duration {
        let own = record.producer.and_then(|def| {
            let mut timeouts = self.timeouts.iter();
            timeouts.find(|(module, name, _)| (*module, *name) == (def.module, def.name))
        });
        own.map_or(DELIVERY_TIMEOUT, |(_, _, timeout)| *timeout)
    }
}

/// Sends a record and reports what came of it. Gives it back when the broker is down.
fn conclude(broker: &Broker, held: Held) -> Option<Held> {
    match broker.produce(&held.record) {
        Ok(delivery) => held.token.ack(|| delivery),
        Err(Refusal::Down) => return Some(held),
        Err(refusal) => {
            if let Refusal::UnknownTopic(_) | Refusal::UnknownPartition { .. } = &refusal {
                broker.state().complaints.push(refusal.to_string());
            }
            held.token.fail(failure(&held.record.topic, &refusal));
        }
    }
    None
}

/// As the runtime makes it from what librdkafka reports.
fn failure(topic: &str, refusal: &Refusal) -> Failure {
    let permanent = !matches!(refusal, Refusal::Down | Refusal::TimedOut);
    let failure = Failure::from_error(ProduceError::NotDelivered {
        topic: topic.to_owned(),
        reason: refusal.to_string(),
        permanent,
    });
    match permanent {
        true => failure.with_kind(FailureKind::Rejected),
        false => failure,
    }
}

impl Sink for MemoryOutputs {
    fn enqueue(&self, record: OutRecord<'_>, token: DeliveryToken) -> Result<(), ProduceError> {
        let new = NewRecord {
            topic: record.topic.to_owned(),
            partition: record.partition,
            key: record.key.map(Bytes::copy_from_slice),
            payload: record.payload.map(Bytes::copy_from_slice),
            headers: record.headers.to_vec(),
            timestamp: record.timestamp,
            producer: record.producer.map(Function::from),
        };
        let mut waiting = self.waiting();
        let mut held = Held {
            id: waiting.next,
            record: new,
            token,
            until: None,
        };
        waiting.next += 1;
        if waiting.is_over() {
            drop(waiting);
            match conclude(&self.broker, held) {
                None => return Ok(()),
                Some(back) => held = back,
            }
            waiting = self.waiting();
        }
        // Dead letters have no room of their own to wait for.
        if waiting.records.len() >= self.most && record.producer.is_some() {
            drop(waiting);
            held.token.cancel();
            return Err(ProduceError::QueueFull {
                producer: record.producer.map_or("dead letter", |def| def.name),
            });
        }
        self.hold(waiting, held, self.timeout(&record));
        Ok(())
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut waiting = self.waiting();
        if waiting.records.len() < self.most {
            return Poll::Ready(());
        }
        waiting.wakers.push(cx.waker().clone());
        Poll::Pending
    }
}

impl Outputs for MemoryOutputs {
    fn in_flight(&self) -> usize {
        let waiting = self.waiting();
        waiting.records.len() + usize::from(waiting.sending)
    }

    fn has_room(&self) -> bool {
        self.in_flight() < self.most
    }

    fn on_room(&self, wake: Wake) {
        self.waiting().room.push(wake);
    }

    fn fatal(&self) -> Option<String> {
        None
    }

    fn drain(&self, _: std::time::Instant) -> Result<(), usize> {
        // Whatever is left waits for a broker that nobody brings back while this blocks.
        match self.in_flight() {
            0 => Ok(()),
            left => Err(left),
        }
    }
}

impl fmt::Debug for MemoryOutputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryOutputs")
            .field("waiting", &self.in_flight())
            .finish_non_exhaustive()
    }
}
