//! The records: 121 bytes of JSON with four strings.

use anyhow::Context;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub(crate) const IN: &str = "bench-in";
pub(crate) const OUT: &str = "bench-out";
pub(crate) const PARTITIONS: u32 = 4;

/// What is read.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) customer: String,
    pub(crate) product: String,
    pub(crate) currency: String,
    pub(crate) note: String,
    pub(crate) amount: f64,
}

/// What is written.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
pub(crate) struct Invoice {
    pub(crate) id: u64,
    pub(crate) customer: String,
    pub(crate) total: f64,
    pub(crate) currency: String,
}

impl Order {
    pub(crate) fn new(id: u64) -> Self {
        Self {
            id,
            customer: format!("customer-{:05}", id % 50_000),
            product: format!("product-{:04}", id % 5_000),
            currency: "EUR".to_owned(),
            note: "leave at the door".to_owned(),
            amount: 12.5,
        }
    }

    pub(crate) fn invoice(self) -> Invoice {
        Invoice {
            id: self.id,
            customer: self.customer,
            total: self.amount * 1.19,
            currency: self.currency,
        }
    }

    pub(crate) fn key(id: u64) -> String {
        format!("customer-{:05}", id % 50_000)
    }
}

/// Writes `records` orders.
pub(crate) fn fill(bootstrap: &str, records: u64) -> anyhow::Result<()> {
    let orders = (0..records).map(|id| {
        let value = serde_json::to_vec(&Order::new(id)).expect("an order is plain data");
        (Order::key(id), value)
    });
    write(bootstrap, IN, orders)
}

/// Writes records, each where librdkafka's partitioner puts its key.
pub(crate) fn write(
    bootstrap: &str,
    topic: &str,
    records: impl IntoIterator<Item = (String, Vec<u8>)>,
) -> anyhow::Result<()> {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("linger.ms", "20")
        .set("batch.num.messages", "10000")
        .set("queue.buffering.max.messages", "500000")
        .create()?;
    for (key, value) in records {
        let mut record = BaseRecord::to(topic).key(&key).payload(&value);
        while let Err((error, back)) = producer.send(record) {
            match error {
                KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) => record = back,
                other => return Err(other.into()),
            }
            producer.poll(Duration::from_millis(10));
        }
    }
    producer
        .flush(Duration::from_secs(60))
        .context("cannot fill the topic")
}
