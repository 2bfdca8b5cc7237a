//! Flights that left New York City come in, the legs that were flown go out.
//!
#![doc = include_str!("../asyncapi.md")]
#![forbid(unsafe_code)]

pub mod data;
pub mod feed;
pub mod flight;
#[cfg(test)]
mod tests;

use fastkafka::{App, Broker, KafkaEvent, ProduceError, Topic, consumes, produces};
use flight::{Flight, Leg, Refused, leg};

/// Why a flight was not handled.
#[derive(Debug, thiserror::Error)]
pub enum FlightError {
    /// The record itself is wrong.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Its leg was not sent.
    #[error(transparent)]
    Produce(#[from] ProduceError),
}

impl FlightError {
    fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

/// Works out the leg of a flight and sends it on. What cannot be a flight goes to `flights.dead`;
/// cancelled and diverted flights have no leg. The flights of one aircraft are handled one after another,
/// aircraft side by side.
#[consumes(
    topic = "flights",
    group_id = "flights",
    auto_offset_reset = "earliest",
    order = "key",
    concurrency = 64,
    session_timeout_ms = 6_000,
    auto_commit_interval_ms = 1_000,
    reject_if = FlightError::is_refused,
    dead_letter = "flights.dead"
)]
pub async fn on_flights(flight: Flight) -> Result<(), FlightError> {
    if let Some(leg) = leg(&flight)? {
        to_legs(leg).await?;
    }
    Ok(())
}

/// A leg, under the tail number as key: the legs of an aircraft stay in order.
#[produces(topic = "legs")]
pub async fn to_legs(leg: Leg) -> Result<KafkaEvent<Leg>, ProduceError> {
    let key = leg.tailnum.clone();
    Ok(KafkaEvent::new(leg).key(key))
}

/// The service.
pub fn app() -> App {
    App::builder()
        .title("Flights")
        .broker("localhost", Broker::new("localhost:9092"))
        .default_broker("embedded")
        .topic("flights", Topic::new().partitions(4))
        .topic("legs", Topic::new().partitions(4))
        .topic("flights.dead", Topic::new().partitions(1))
        .build()
}
