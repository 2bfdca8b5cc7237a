//! What comes in, what is done about it, and what goes out.

use fastkafka::{EventMetadata, Failure, KafkaEvent, Key};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

/// What comes in: a number, and what is to happen before it goes out again.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Order {
    id: u64,
    /// The handler takes this long, awaiting.
    #[serde(default)]
    sleep_ms: u64,
    /// The handler takes this long, blocking its thread.
    #[serde(default)]
    block_ms: u64,
    /// How its attempts end.
    #[serde(default)]
    fails: Option<Fails>,
    /// So many attempts fail, then one succeeds; without it all fail.
    #[serde(default)]
    times: Option<u32>,
    /// Bytes that the output carries along.
    #[serde(default)]
    bytes: usize,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Fails {
    Error,
    Rejected,
    Transient,
    Panic,
}

/// What goes out, under the same key.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Done {
    id: u64,
    /// The process.
    pid: u32,
    partition: i32,
    offset: i64,
    padding: String,
}

impl Done {
    pub(crate) fn new(order: &Order, meta: EventMetadata) -> Self {
        Self {
            id: order.id,
            pid: std::process::id(),
            partition: meta.partition(),
            offset: meta.offset(),
            padding: "x".repeat(order.bytes),
        }
    }
}

/// Does what the order says.
pub(crate) async fn attempt(order: &Order) -> Result<(), Failure> {
    static FAILED: LazyLock<Mutex<HashMap<u64, u32>>> = LazyLock::new(Mutex::default);
    // Even the shortest sleep of tokio's takes a millisecond.
    if order.sleep_ms > 0 {
        tokio::time::sleep(Duration::from_millis(order.sleep_ms)).await;
    }
    std::thread::sleep(Duration::from_millis(order.block_ms));
    let Some(fails) = order.fails else {
        return Ok(());
    };
    let failed = {
        let mut failed = FAILED.lock().expect("nobody panics with it");
        let failed = failed.entry(order.id).or_default();
        *failed += 1;
        *failed
    };
    if order.times.is_some_and(|times| failed > times) {
        return Ok(());
    }
    match fails {
        Fails::Error => Err(Failure::retry("told to fail")),
        Fails::Rejected => Err(Failure::reject("told to reject")),
        Fails::Transient => Err(Failure::transient("told to wait")),
        Fails::Panic => panic!("told to panic"),
    }
}

pub(crate) type Event = KafkaEvent<Done>;

pub(crate) fn event(done: Done, key: Option<Key<String>>) -> Event {
    match key {
        Some(Key(key)) => KafkaEvent::new(done).key(key),
        None => KafkaEvent::new(done),
    }
}
