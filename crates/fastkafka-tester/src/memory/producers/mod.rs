//! The app's producers on the clusters in memory.
//!
//! A record is acknowledged before the call returns, unless the broker is down: then it waits until
//! the broker is back or its time is over. Records arrive in the order of the calls, as those of an
//! idempotent producer do: what is sent while others wait, or are on their way from there, waits too. Each
//! cluster has a queue of its own; what waits in all of them is bounded together.

#[cfg(test)]
mod tests;

use crate::function::Function;
use crate::memory::cluster::Broker;
use crate::memory::clusters::Clusters;
use crate::record::{NewRecord, Refusal};
use crate::topology::{Name, intern};
use bytes::Bytes;
use fastkafka_core::{
    DeliveryToken, Failure, FailureKind, OutRecord, Output, ProduceError, RecordSink,
};
use fastkafka_runtime::platform::{Producers, Wake};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// The default of `delivery_timeout_ms`.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(60);

/// See the module.
pub(crate) struct MemoryProducers {
    clusters: Arc<Clusters>,
    ways: BTreeMap<Function, Way>,
    most: usize,
    waiting: Mutex<Waiting>,
    tokio: Handle,
    me: Weak<Self>,
}

/// Where a producer's records go.
struct Way {
    cluster: Name,
    /// How long a record may wait.
    timeout: Duration,
}

#[derive(Default)]
struct Waiting {
    queues: BTreeMap<Name, Queue>,
    next: u64,
    wakers: Vec<Waker>,
    room: Vec<Wake>,
}

/// What waits for a cluster.
#[derive(Default)]
struct Queue {
    records: VecDeque<Held>,
    /// Somebody sends what waits; until that is over, whoever comes queues up behind it.
    sending: bool,
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

impl Queue {
    /// Nothing waits or is on its way.
    fn is_over(&self) -> bool {
        self.records.is_empty() && !self.sending
    }
}

impl Waiting {
    fn queue(&mut self, cluster: Name) -> &mut Queue {
        self.queues.entry(cluster).or_default()
    }

    fn len(&self) -> usize {
        let queues = self.queues.values();
        queues.map(|queue| queue.records.len()).sum()
    }
}

impl MemoryProducers {
    /// Inside a tokio runtime.
    pub(crate) fn new(clusters: Arc<Clusters>, outputs: &[Output], most: usize) -> Arc<Self> {
        let ways = outputs.iter().map(|output| {
            let millis = output.settings.delivery_timeout_ms;
            let way = Way {
                cluster: intern(&output.cluster),
                timeout: millis.map_or(DELIVERY_TIMEOUT, Duration::from_millis),
            };
            (Function::from(output.def), way)
        });
        let ways = ways.collect();
        Arc::new_cyclic(|me| Self {
            clusters,
            ways,
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
        let (id, cluster) = (held.id, held.record.cluster);
        held.until = Instant::now().checked_add(patience);
        let queue = waiting.queue(cluster);
        let first = queue.is_over();
        queue.records.push_back(held);
        drop(waiting);
        if first {
            self.send_when_up(cluster);
        }
        let me = self.me.clone();
        self.tokio.spawn(async move {
            tokio::time::sleep(patience).await;
            if let Some(me) = me.upgrade() {
                me.expire(cluster, id);
            }
        });
    }

    fn send_when_up(&self, cluster: Name) {
        let me = self.me.clone();
        self.clusters.named(cluster).on_up(Box::new(move || {
            if let Some(me) = me.upgrade() {
                me.flush(cluster);
            }
        }));
    }

    /// Sends what waits for a cluster. The lock is not kept meanwhile: whoever hears of a record may send
    /// the next.
    fn flush(&self, cluster: Name) {
        {
            let mut waiting = self.waiting();
            if std::mem::replace(&mut waiting.queue(cluster).sending, true) {
                return;
            }
        }
        let broker = self.clusters.named(cluster);
        let is_down = loop {
            let held = {
                let mut waiting = self.waiting();
                let queue = waiting.queue(cluster);
                let held = queue.records.pop_front();
                queue.sending = held.is_some();
                held
            };
            let Some(held) = held else { break false };
            let Some(held) = conclude(broker, held) else {
                continue;
            };
            // Nobody could find it meanwhile.
            if held.until.is_some_and(|until| until <= Instant::now()) {
                held.time_out();
                continue;
            }
            let mut waiting = self.waiting();
            let queue = waiting.queue(cluster);
            queue.records.push_front(held);
            queue.sending = false;
            break true;
        };
        if is_down {
            self.send_when_up(cluster);
        }
        self.tell_room();
    }

    fn expire(&self, cluster: Name, id: u64) {
        let held = {
            let mut waiting = self.waiting();
            let queue = waiting.queue(cluster);
            let at = queue.records.iter().position(|held| held.id == id);
            at.and_then(|at| queue.records.remove(at))
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
        self.clusters.notify();
    }

    /// The producer's, or of a dead letter that of its record.
    fn way(&self, record: &OutRecord<'_>) -> (Name, Duration) {
        let way = record.producer.and_then(|def| self.ways.get(&def.into()));
        match way {
            Some(way) => (way.cluster, way.timeout),
            None => (intern(record.cluster.unwrap_or_default()), DELIVERY_TIMEOUT),
        }
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

impl RecordSink for MemoryProducers {
    fn enqueue(&self, record: OutRecord<'_>, token: DeliveryToken) -> Result<(), ProduceError> {
        let (cluster, timeout) = self.way(&record);
        let new = NewRecord {
            cluster,
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
        if waiting.queue(cluster).is_over() {
            drop(waiting);
            match conclude(self.clusters.named(cluster), held) {
                None => return Ok(()),
                Some(back) => held = back,
            }
            waiting = self.waiting();
        }
        // Dead letters have no room of their own to wait for.
        if waiting.len() >= self.most && record.producer.is_some() {
            drop(waiting);
            held.token.cancel();
            return Err(ProduceError::QueueFull {
                producer: record.producer.map_or("dead letter", |def| def.name),
            });
        }
        self.hold(waiting, held, timeout);
        Ok(())
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut waiting = self.waiting();
        if waiting.len() < self.most {
            return Poll::Ready(());
        }
        waiting.wakers.push(cx.waker().clone());
        Poll::Pending
    }
}

impl Producers for MemoryProducers {
    fn in_flight(&self) -> usize {
        let waiting = self.waiting();
        let sending = waiting.queues.values().filter(|queue| queue.sending);
        waiting.len() + sending.count()
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

impl fmt::Debug for MemoryProducers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryProducers")
            .field("waiting", &self.in_flight())
            .finish_non_exhaustive()
    }
}
