//! The references: what a careful user of rdkafka writes by hand.

use crate::data::{IN, OUT, Order, PARTITIONS};
use crate::keys::{CONCURRENCY, Times, Work};
use anyhow::Context;
use rdkafka::consumer::{BaseConsumer, Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientConfig, ClientContext};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Records on their way at which the pipe waits.
const IN_FLIGHT: i32 = 30_000;

fn consumer(bootstrap: &str, group: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.offset.store", "false")
        .set("fetch.queue.backoff.ms", "10");
    config
}

/// `StreamConsumer` and serde_json, offsets stored after each record.
pub(crate) async fn consume(
    bootstrap: &str,
    group: &str,
    records: u64,
) -> anyhow::Result<Duration> {
    let consumer: StreamConsumer = consumer(bootstrap, group).create()?;
    consumer.subscribe(&[IN])?;
    let mut began = None;
    for _ in 0..records {
        let message = consumer.recv().await?;
        began.get_or_insert_with(Instant::now);
        let order: Order = serde_json::from_slice(message.payload().context("a tombstone")?)?;
        std::hint::black_box(order);
        consumer.store_offset_from_message(&message)?;
    }
    Ok(began.context("no record came")?.elapsed())
}

/// Reports per partition: an offset may be stored when all before it are acknowledged.
struct Reports(Mutex<Vec<Partition>>);

#[derive(Default)]
struct Partition {
    next: i64,
    acknowledged: BTreeSet<i64>,
}

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<(usize, i64)>;

    fn delivery(&self, result: &DeliveryResult<'_>, source: Self::DeliveryOpaque) {
        let (partition, offset) = *source;
        if result.is_err() {
            return; // its offset is never stored
        }
        let mut partitions = self.0.lock().expect("nobody panics with it");
        let p = &mut partitions[partition];
        if offset == p.next {
            p.next += 1;
            while p.acknowledged.remove(&p.next) {
                p.next += 1;
            }
        } else {
            p.acknowledged.insert(offset);
        }
    }
}

/// Reads, transforms and sends in order; stores offsets of what is acknowledged.
pub(crate) fn pipe(bootstrap: &str, group: &str, records: u64) -> anyhow::Result<Duration> {
    let consumer: BaseConsumer = consumer(bootstrap, group).create()?;
    consumer.subscribe(&[IN])?;
    let partitions = (0..PARTITIONS).map(|_| Partition::default()).collect();
    let producer: BaseProducer<Reports> = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("enable.idempotence", "true")
        .set("linger.ms", "5")
        .create_with_context(Reports(Mutex::new(partitions)))?;
    let (mut began, mut stored) = (None, vec![0; PARTITIONS as usize]);
    let mut left = records;
    while left > 0 {
        let Some(message) = consumer.poll(Duration::from_millis(100)) else {
            continue;
        };
        let message = message?;
        began.get_or_insert_with(Instant::now);
        left -= 1;
        let order: Order = serde_json::from_slice(message.payload().context("a tombstone")?)?;
        let invoice = serde_json::to_vec(&order.invoice())?;
        let source = Box::new((usize::try_from(message.partition())?, message.offset()));
        let mut record: BaseRecord<'_, [u8], [u8], _> =
            BaseRecord::with_opaque_to(OUT, source).payload(&invoice);
        while let Err((error, back)) = producer.send(record) {
            match error {
                KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) => record = back,
                other => return Err(other.into()),
            }
            producer.poll(Duration::from_millis(1));
        }
        if left.is_multiple_of(1_000) {
            producer.poll(Duration::ZERO);
            while producer.in_flight_count() > IN_FLIGHT {
                producer.poll(Duration::from_millis(1));
            }
            store(&consumer, &producer, &mut stored)?;
        }
    }
    while producer.in_flight_count() > 0 {
        producer.poll(Duration::from_millis(1));
    }
    store(&consumer, &producer, &mut stored)?;
    Ok(began.context("no record came")?.elapsed())
}

fn store(
    consumer: &BaseConsumer,
    producer: &BaseProducer<Reports>,
    stored: &mut [i64],
) -> anyhow::Result<()> {
    let partitions = producer.context().0.lock().expect("nobody panics with it");
    for (number, (p, stored)) in partitions.iter().zip(stored).enumerate() {
        if p.next > *stored {
            *stored = p.next;
            consumer.store_offset(IN, i32::try_from(number)?, p.next - 1)?;
        }
    }
    Ok(())
}

/// Handles records by hand at most [`CONCURRENCY`] at once, those of one key one after another if
/// `ordered`. It stores no offsets: what makes them safe is the hard part, and costs time.
pub(crate) async fn keyed(
    bootstrap: &str,
    group: &str,
    topic: &str,
    ordered: bool,
    work: Arc<Work>,
) -> anyhow::Result<Times> {
    let consumer: StreamConsumer = consumer(bootstrap, group).create()?;
    consumer.subscribe(&[topic])?;
    let at_once = Arc::new(Semaphore::new(CONCURRENCY as usize));
    let mut lanes: HashMap<u64, UnboundedSender<u64>> = HashMap::new();
    let read = async {
        loop {
            let message = consumer.recv().await?;
            let key: u64 = serde_json::from_slice(message.payload().context("a tombstone")?)?;
            let (at_once, work) = (at_once.clone(), work.clone());
            if !ordered {
                let permit = at_once.acquire_owned().await?;
                tokio::spawn(async move {
                    work.handle(key).await;
                    drop(permit);
                });
                continue;
            }
            let lane = lanes.entry(key).or_insert_with(|| {
                let (lane, mut records) = unbounded_channel();
                tokio::spawn(async move {
                    while let Some(key) = records.recv().await {
                        let permit = at_once.acquire().await;
                        work.handle(key).await;
                        drop(permit);
                    }
                });
                lane
            });
            lane.send(key)?;
        }
    };
    tokio::select! {
        ended = read => ended,
        times = work.times(ordered) => times,
    }
}
