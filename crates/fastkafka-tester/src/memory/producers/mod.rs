//! The app's producers on the clusters in memory.
//!
//! A record is acknowledged before the call returns, unless the broker is down: then it waits until
//! the broker is back or its time is over. Records arrive in the order of the calls, as those of an
//! idempotent producer do: a record that is sent while others wait, or while the last of them is being
//! sent, waits behind them. Each cluster has a queue of its own; one bound holds for all of them.

mod health;
mod queues;
#[cfg(test)]
mod tests;

pub(crate) use self::health::Clients;
use self::queues::{Queues, WaitingRecord};
use crate::function::Function;
use crate::lock::lock;
use crate::memory::cluster::MemoryCluster;
use crate::memory::clusters::MemoryClusters;
use crate::record::{NewRecord, Refusal};
use crate::topology::{ClusterName, intern};
use crate::watching::in_hand::in_hand;
use bytes::Bytes;
use fastkafka_core::{
    DeliveryToken, Failure, FailureKind, OutRecord, Output, ProduceError, RecordSink,
};
use fastkafka_runtime::platform::{ProducerHealth, Producers, Wake};
use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// The default of `delivery_timeout_ms`.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(60);

/// The producers of one app.
pub(crate) struct MemoryProducers {
    clusters: Arc<MemoryClusters>,
    routes: BTreeMap<Function, Route>,
    /// The most records that may wait.
    most: usize,
    queues: Mutex<Queues>,
    clients: Mutex<Clients>,
    tokio: Handle,
    me: Weak<Self>,
}

/// The cluster of a producer's records, and how long they may wait for it.
#[derive(Clone, Copy)]
struct Route {
    cluster: ClusterName,
    timeout: Duration,
}

impl MemoryProducers {
    /// Panics outside a tokio runtime.
    pub(crate) fn new(
        clusters: Arc<MemoryClusters>,
        outputs: &[Output],
        clients: Clients,
        most: usize,
    ) -> Arc<Self> {
        let routes = outputs.iter().map(|output| {
            let millis = output.settings.delivery_timeout_ms;
            let route = Route {
                cluster: intern(&output.cluster),
                timeout: millis.map_or(DELIVERY_TIMEOUT, Duration::from_millis),
            };
            (Function::from(output.def), route)
        });
        let routes = routes.collect();
        Arc::new_cyclic(|me| Self {
            clusters,
            routes,
            most,
            queues: Mutex::default(),
            clients: Mutex::new(clients),
            tokio: Handle::current(),
            me: me.clone(),
        })
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        lock(&self.queues)
    }

    /// The route of the record's producer. A dead letter has none: it goes to the cluster of its record.
    fn route(&self, record: &OutRecord<'_>) -> Route {
        let route = record
            .producer
            .and_then(|def| self.routes.get(&def.into()).copied());
        route.unwrap_or_else(|| Route {
            cluster: intern(record.cluster.unwrap_or_default()),
            timeout: DELIVERY_TIMEOUT,
        })
    }

    /// Lets a record wait for its cluster, at most for `timeout`.
    fn wait(
        &self,
        mut queues: MutexGuard<'_, Queues>,
        mut waiting: WaitingRecord,
        timeout: Duration,
    ) {
        if queues.closed {
            drop(queues);
            return end(waiting);
        }
        let (id, cluster) = (waiting.id, waiting.record.cluster);
        waiting.timeout = timeout;
        waiting.deadline = Instant::now().checked_add(timeout);
        let queue = queues.queue(cluster);
        let first = queue.is_idle();
        queue.records.push_back(waiting);
        drop(queues);
        if first {
            self.send_when_up(cluster);
        }
        let me = self.me.clone();
        self.tokio.spawn(async move {
            tokio::time::sleep(timeout).await;
            if let Some(me) = me.upgrade() {
                me.expire(cluster, id);
            }
        });
    }

    fn send_when_up(&self, cluster: ClusterName) {
        let me = self.me.clone();
        self.clusters.named(cluster).on_up(Box::new(move || {
            if let Some(me) = me.upgrade() {
                me.flush(cluster);
            }
        }));
    }

    /// Sends the records that wait for a cluster. The lock is not kept meanwhile, because a report may
    /// make its receiver send the next record.
    fn flush(&self, cluster: ClusterName) {
        if std::mem::replace(&mut self.queues().queue(cluster).sending, true) {
            return;
        }
        let memory = self.clusters.named(cluster);
        let is_down = loop {
            let next = {
                let mut queues = self.queues();
                let queue = queues.queue(cluster);
                let next = queue.records.pop_front();
                queue.sending = next.is_some();
                next
            };
            let Some(next) = next else { break false };
            let Some(refused) = self.send(memory, next) else {
                continue;
            };
            // Its timer has passed without effect if it fired while the record was out of the queue.
            if refused.is_expired() {
                time_out(refused);
                continue;
            }
            let mut queues = self.queues();
            queues.queue(cluster).sending = false;
            if queues.closed {
                drop(queues);
                end(refused);
                break false;
            }
            queues.queue(cluster).records.push_front(refused);
            break true;
        };
        if is_down {
            self.send_when_up(cluster);
        }
        self.notify_room();
    }

    /// Sends a record and reports the result. Gives the record back when the broker is down.
    fn send(&self, cluster: &MemoryCluster, waiting: WaitingRecord) -> Option<WaitingRecord> {
        match cluster.produce(&waiting.record) {
            Ok(delivery) => {
                // Before its record may be settled.
                waiting.call.iter().for_each(|call| call.output_over());
                let record = &waiting.record;
                let place = (&*delivery.topic, delivery.partition);
                lock(&self.clients).delivered(record.producer, record.cluster, place);
                waiting.token.ack(|| delivery);
            }
            Err(Refusal::Down) => return Some(waiting),
            Err(Refusal::TimedOut) => {
                self.note_late(&waiting.record, Duration::ZERO);
                let after = cluster.state().losses_tell_after;
                match after {
                    Some(after) => self.time_out_later(waiting, after),
                    None => time_out(waiting),
                }
            }
            Err(refusal) => {
                if let Refusal::UnknownTopic(_) | Refusal::UnknownPartition { .. } = &refusal {
                    cluster.state().complaints.push(refusal.to_string());
                }
                waiting.token.fail(failure(&waiting.record.topic, &refusal));
            }
        }
        None
    }

    /// The time of a record is over. On Kafka its partition is known; here it is where the app has chosen it.
    fn note_late(&self, record: &NewRecord, in_time: Duration) {
        if let Some(partition) = record.partition {
            let place = (&*record.topic, partition);
            lock(&self.clients).late(record.producer, record.cluster, in_time, place);
        }
    }

    /// Its producer hears of the loss when it has gone on, as on Kafka.
    fn time_out_later(&self, waiting: WaitingRecord, after: Duration) {
        self.queues().lost += 1;
        let me = self.me.clone();
        self.tokio.spawn(async move {
            tokio::time::sleep(after).await;
            time_out(waiting);
            if let Some(me) = me.upgrade() {
                me.queues().lost -= 1;
                me.notify_room();
            }
        });
    }

    fn expire(&self, cluster: ClusterName, id: u64) {
        let expired = self.queues().queue(cluster).remove(id);
        if let Some(expired) = expired {
            self.note_late(&expired.record, expired.timeout);
            time_out(expired);
            self.notify_room();
        }
    }

    fn notify_room(&self) {
        let wakers = std::mem::take(&mut self.queues().wakers);
        wakers.into_iter().for_each(Waker::wake);
        // Under the lock, which is safe because these only wake drivers.
        self.queues().on_room.iter().for_each(|wake| wake());
        self.clusters.notify();
    }
}

fn time_out(waiting: WaitingRecord) {
    let failure = failure(&waiting.record.topic, &Refusal::TimedOut);
    waiting.token.fail(failure);
}

/// Its app has ended: the client that it waits in goes with that.
fn end(waiting: WaitingRecord) {
    let ended = ProduceError::ClientEnded {
        topic: waiting.record.topic,
        reason: "its app has ended".to_owned(),
    };
    waiting.token.fail(Failure::from(ended));
}

/// The failure as the runtime makes it from a report of librdkafka.
fn failure(topic: &str, refusal: &Refusal) -> Failure {
    let permanent = !matches!(refusal, Refusal::Down | Refusal::TimedOut);
    let failure = Failure::from_error(ProduceError::NotDelivered {
        topic: topic.to_owned(),
        reason: refusal.to_string(),
        permanent,
    });
    if permanent {
        failure.with_kind(FailureKind::Rejected)
    } else {
        failure
    }
}

impl RecordSink for MemoryProducers {
    fn enqueue(&self, record: OutRecord<'_>, token: DeliveryToken) -> Result<(), ProduceError> {
        let Route { cluster, timeout } = self.route(&record);
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
        let mut queues = self.queues();
        if queues.closed {
            drop(queues);
            token.cancel();
            let producer = record.producer.map_or("dead letter", |def| def.name);
            return Err(ProduceError::NoApp { producer });
        }
        let mut waiting = WaitingRecord {
            id: queues.next_id(),
            record: new,
            call: in_hand().filter(|_| token.is_of_run()),
            token,
            timeout,
            deadline: None,
        };
        waiting.call.iter().for_each(|call| call.output_begun());
        if queues.queue(cluster).is_idle() {
            drop(queues);
            match self.send(self.clusters.named(cluster), waiting) {
                None => return Ok(()),
                Some(refused) => waiting = refused,
            }
            queues = self.queues();
        }
        // A dead letter is taken in any case: its sender cannot wait for room. So is the rest of a call.
        if queues.len() >= self.most
            && !record.rest
            && let Some(producer) = record.producer
        {
            drop(queues);
            // The producer hears of it, and its handler with it.
            waiting.call.iter().for_each(|call| call.output_over());
            waiting.token.cancel();
            return Err(ProduceError::QueueFull {
                producer: producer.name,
            });
        }
        self.wait(queues, waiting, timeout);
        Ok(())
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self
            .clusters
            .journal()
            .transcript()
            .steps()
            .pause(cx)
            .is_pending()
        {
            return Poll::Pending;
        }
        let mut queues = self.queues();
        if queues.len() < self.most {
            return Poll::Ready(());
        }
        queues.wakers.push(cx.waker().clone());
        Poll::Pending
    }
}

impl Producers for MemoryProducers {
    fn in_flight(&self) -> usize {
        self.queues().in_flight()
    }

    fn has_room(&self) -> bool {
        self.in_flight() < self.most
    }

    fn on_room(&self, wake: Wake) {
        self.queues().on_room.push(wake);
    }

    fn health(&self) -> Vec<ProducerHealth> {
        lock(&self.clients).health(&self.clusters)
    }

    fn drain(
        &self,
        _: std::time::Instant,
    ) -> Pin<Box<dyn Future<Output = Result<(), usize>> + Send>> {
        // What is lost is told by itself, as a drain on Kafka would wait for. The rest waits for a broker
        // that nobody brings back meanwhile.
        let drained = match self.queues().unsent() {
            0 => Ok(()),
            left => Err(left),
        };
        Box::pin(std::future::ready(drained))
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let left = self.queues().close();
        left.into_iter().for_each(end);
        self.notify_room();
        Box::pin(std::future::ready(()))
    }
}

impl fmt::Debug for MemoryProducers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryProducers")
            .field("waiting", &self.in_flight())
            .finish_non_exhaustive()
    }
}
