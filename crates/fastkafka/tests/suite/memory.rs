//! What does not grow, however often it happens. Each is measured in a process of its own: by the bytes that are
//! allocated, to which librdkafka's own memory does not count, and by the memory that is resident, to which all does.

use crate::allocations::{alone, bytes};
use fastkafka::record::Bytes;
use fastkafka::{App, KafkaEvent, ProduceError, Topic, consumes, delivery_scope, produces};
use std::future::pending;
use std::time::{Duration, Instant};

const TIMES: usize = 10_000;
/// Much less than a byte each would be.
const SLACK: i64 = 9_000;
/// Much less than what is sent: an allocator keeps some of what it is given back.
const RESIDENT_SLACK: u64 = 12 << 20;

struct Outputs;

#[produces(app = Outputs, topic = "outputs", max_request_size = 2_000)]
async fn to_outputs(text: String) -> Result<String, ProduceError> {
    Ok(text)
}

#[produces(app = Outputs, topic = "outputs")]
fn to_outputs_at_once(all: Vec<u32>) -> Result<Vec<u32>, ProduceError> {
    Ok(all)
}

/// 10 KB of them.
#[produces(app = Outputs, topic = "outputs")]
async fn to_outputs_with_headers(text: String) -> Result<KafkaEvent<String>, ProduceError> {
    Ok(KafkaEvent::new(text).header("large", "x".repeat(10_000)))
}

async fn start() -> App {
    let app = App::scoped::<Outputs>()
        .topic("outputs", Topic::new())
        .max_in_flight(100)
        .build();
    app.start().await.unwrap();
    to_outputs("first".to_owned()).await.unwrap();
    app
}

async fn refused() {
    let error = to_outputs("x".repeat(3_000)).await.unwrap_err();
    assert!(matches!(error, ProduceError::TooLarge { .. }), "{error}");
}

async fn cancelled() {
    let sends = delivery_scope(async {
        to_outputs("x".repeat(1_900)).await?;
        pending::<Result<(), ProduceError>>().await
    });
    let polled = tokio::time::timeout(Duration::ZERO, sends).await;
    assert!(polled.is_err());
}

async fn with_headers() {
    let sends = delivery_scope(async {
        for _ in 0..100 {
            to_outputs_with_headers("x".to_owned()).await?;
        }
        Ok::<_, ProduceError>(())
    });
    sends.await.unwrap();
}

/// The resident memory of the process, in bytes; 0 where the system does not tell.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    kib.map_or(0, |kib| kib.parse::<u64>().unwrap() * 1_024)
}

/// What happens so often makes the memory no larger, once buffers have grown and the broker in the process, which
/// keeps the last 5 MiB, is full.
async fn stays_flat(times: usize, once: impl AsyncFn()) {
    let app = start().await;
    for _ in 0..times {
        once().await;
    }
    // What was on its way is reported.
    to_outputs("between".to_owned()).await.unwrap();
    let before = (bytes(), resident());
    for _ in 0..times {
        once().await;
    }
    to_outputs("last".to_owned()).await.unwrap();
    let grown = bytes() - before.0;
    let resident = resident().saturating_sub(before.1);
    app.stop().await.unwrap();
    assert!(grown < SLACK, "{grown} bytes are allocated");
    assert!(resident < RESIDENT_SLACK, "{resident} bytes are resident");
}

#[test]
fn calls_that_are_refused_leave_nothing_behind() {
    let name = "memory::calls_that_are_refused_leave_nothing_behind";
    alone(name, stays_flat(TIMES, refused));
}

#[test]
fn scopes_that_are_cancelled_leave_nothing_behind() {
    let name = "memory::scopes_that_are_cancelled_leave_nothing_behind";
    alone(name, stays_flat(TIMES, cancelled));
}

#[test]
fn a_hundred_megabytes_of_headers_leave_nothing_behind() {
    let name = "memory::a_hundred_megabytes_of_headers_leave_nothing_behind";
    alone(name, stays_flat(TIMES / 100, with_headers));
}

/// Far more than there is ever room for at once.
#[test]
fn a_call_of_any_number_of_records_is_sent_whole() {
    let name = "memory::a_call_of_any_number_of_records_is_sent_whole";
    alone(name, async {
        let app = start().await;
        let sent = delivery_scope(async { to_outputs_at_once((0..5_000).collect()) });
        let (_, deliveries) = sent.await.unwrap();
        assert_eq!(deliveries.len(), 5_000);
        app.stop().await.unwrap();
    });
}

struct Standing;

#[consumes(app = Standing, topic = "large", auto_offset_reset = "earliest", attempts = 1)]
async fn on_large(_: &[u8]) -> Result<(), &'static str> {
    Err("it stands still")
}

/// Into one batch.
#[produces(
    app = Standing,
    topic = "large",
    compression_type = "gzip",
    linger_ms = 500,
    max_batch_size = 200_000_000,
    max_request_size = 200_000_000
)]
async fn to_large(payload: Bytes) -> Result<Bytes, ProduceError> {
    Ok(payload)
}

/// It is a hundredth of that on its way.
#[test]
fn a_partition_that_has_stopped_at_a_batch_of_a_hundred_megabytes_holds_nothing_of_it() {
    let name = "memory::a_partition_that_has_stopped_at_a_batch_of_a_hundred_megabytes_holds_nothing_of_it";
    alone(name, async {
        let app = App::scoped::<Standing>()
            .topic("large", Topic::new())
            .build();
        app.start().await.unwrap();
        let before = resident();
        let sent = delivery_scope(async {
            let payload = Bytes::from(vec![0; 1_000_000]);
            for _ in 0..100 {
                to_large(payload.clone()).await?;
            }
            Ok::<_, ProduceError>(())
        });
        sent.await.unwrap();
        let stopped = || !app.health().groups[0].stopped.is_empty();
        let holds_nothing = || resident().saturating_sub(before) < 50 << 20;
        let begun = Instant::now();
        while !(stopped() && holds_nothing()) {
            let held = resident().saturating_sub(before);
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{held} bytes: {}",
                app.health()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let told = app.stop().await.unwrap_err().to_string();
        assert!(told.contains("stands still at offset 0"), "{told}");
    });
}
