//! The flights example on two clusters: flights here, legs elsewhere. The addresses are said in the environment;
//! both may be the same.

use fastkafka::cluster::Brokers;
use fastkafka::{App, Broker, KafkaEvent, ProduceError, consumes, produces};
use flights::FlightError;
use flights::flight::{Flight, Leg, leg};

struct Apart;

fn at(variable: &str) -> Broker {
    Broker::new(std::env::var(variable).unwrap_or_else(|_| "127.0.0.1:1".to_owned()))
}

fn elsewhere() -> Brokers {
    Brokers::new("elsewhere").broker("lab", at("ELSEWHERE"))
}

fn is_refused(error: &FlightError) -> bool {
    matches!(error, FlightError::Refused(_))
}

/// As the example's, but that it hears of new partitions soon.
#[consumes(
    app = Apart,
    topic = "flights",
    group_id = "flights",
    auto_offset_reset = "earliest",
    order = "key",
    concurrency = 64,
    session_timeout_ms = 6_000,
    auto_commit_interval_ms = 1_000,
    metadata_max_age_ms = 1_000,
    reject_if = is_refused,
    dead_letter = "flights.dead"
)]
async fn on_flights(flight: Flight) -> Result<(), FlightError> {
    if let Some(leg) = leg(&flight)? {
        to_legs(leg).await?;
    }
    Ok(())
}

#[produces(app = Apart, topic = "legs", brokers = elsewhere)]
async fn to_legs(leg: Leg) -> Result<KafkaEvent<Leg>, ProduceError> {
    let key = leg.tailnum.clone();
    Ok(KafkaEvent::new(leg).key(key))
}

pub(crate) fn app() -> App {
    App::scoped::<Apart>()
        .title("Flights")
        .broker("lab", at("HERE"))
        .build()
}
