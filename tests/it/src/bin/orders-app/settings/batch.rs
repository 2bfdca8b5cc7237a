//! The only setting whose handler takes batches.

use crate::orders::{Done, Event, Order, attempt};
use fastkafka::error::BatchFailure;
use fastkafka::{App, EventMetadata, KafkaEvent, ProduceError, consumes, produces};
use std::time::Duration;

struct Scope;

#[consumes(
    app = Scope,
    topic = "batch",
    group_id = "batch",
    auto_offset_reset = "earliest",
    attempts = 2,
    backoff = Duration::from_millis(20),
    dead_letter = "batch.dead"
)]
async fn on_orders(orders: Vec<Order>, metas: Vec<EventMetadata>) -> Result<(), BatchFailure> {
    for (at, (order, meta)) in orders.iter().zip(metas).enumerate() {
        let done = attempt(order).await;
        done.map_err(|failure| BatchFailure::at(at, failure))?;
        let sent = to_done(Done::new(order, meta)).await;
        sent.map_err(|error| BatchFailure::at(at, error))?;
    }
    Ok(())
}

#[produces(app = Scope, topic = "batch.out")]
async fn to_done(done: Done) -> Result<Event, ProduceError> {
    Ok(KafkaEvent::new(done))
}

pub(crate) fn app() -> App {
    super::app::<Scope>("batch", "batch.out", "batch.dead")
}
