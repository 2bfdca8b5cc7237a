//! Every form that an attribute takes, so that each name that expansions use is used once.
//!
//! The unit tests of `src/contract` expand the functions of this file, and compare the names with
//! those that `fastkafka::__private` lists. Add a function here when an expansion learns a new name.

use fastkafka::*;
use fastkafka_macros::{benchmark, consumes, produces, run_in_background};
use std::any::TypeId;
use std::time::Duration;

#[derive(Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Order {
    id: u64,
}

fn read_order(_bytes: &[u8]) -> Result<Order, String> {
    Ok(Order { id: 0 })
}

fn read_key(_bytes: &[u8]) -> Result<u64, String> {
    Ok(0)
}

fn write_order(_order: &Order) -> Result<Vec<u8>, String> {
    Ok(Vec::new())
}

fn write_key(_key: &u64) -> Result<Vec<u8>, String> {
    Ok(Vec::new())
}

fn partition(_key: Option<&[u8]>, _partitions: i32) -> i32 {
    0
}

async fn token() -> Result<OauthToken, String> {
    Err("no token".to_owned())
}

fn payments() -> Brokers {
    Brokers::new("payments").broker("localhost", Broker::new("localhost:9093"))
}

#[benchmark]
#[consumes(
    decoder = "json",
    key_decoder = "json",
    group_id = "billing",
    auto_offset_reset = "earliest",
    order = "key",
    executor = "dynamic",
    attempts = 3,
    on_failure = "skip",
    on_truncation = "reset",
    group_protocol = "consumer",
    isolation_level = "read_committed",
    client_id = "orders",
    brokers = payments,
    security_protocol = "ssl",
    sasl_mechanism = "PLAIN",
    sasl_plain_password = "secret".to_owned(),
    sasl_oauth_token_provider = token,
    config = { "fetch.error.backoff.ms": 5 }
)]
async fn on_words(_order: Order, _key: Key<u64>) {}

#[consumes(decoder = read_order, key_decoder = read_key, attempts = "forever", group_id = None)]
fn on_functions(_order: Order, _key: Key<u64>) {}

#[consumes(decoder = "bytes")]
fn on_bytes(_bytes: Bytes, _meta: EventMetadata) {}

#[consumes(batch)]
async fn on_plain(_orders: Vec<Order>) -> Result<(), String> {
    Ok(())
}

#[produces(
    encoder = "json",
    key_encoder = "json",
    acks = "all",
    compression_type = "gzip",
    partitioner = "murmur2"
)]
async fn to_words(id: u64) -> Result<KafkaEvent<Order, u64>, ProduceError> {
    Ok(KafkaEvent::new(Order { id }).with_key(id))
}

#[produces(encoder = write_order, key_encoder = write_key, partitioner = partition)]
fn to_functions(id: u64) -> Result<KafkaEvent<Order, u64>, ProduceError> {
    Ok(KafkaEvent::new(Order { id }).with_key(id))
}

#[produces]
async fn to_plain(id: u64) -> Result<u64, ProduceError> {
    Ok(id)
}

#[run_in_background(restart = "on_failure", backoff = Duration::from_secs(1))]
async fn tick(State(_interval): State<Duration>) {}

#[test]
fn they_are_all_registered() {
    let registry = Registry::linked(TypeId::of::<DefaultApp>());
    assert_eq!(registry.defs().len(), 8);
}
