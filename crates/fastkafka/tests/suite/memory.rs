//! What does not grow, however often it happens. Each is measured in a process of its own, by the bytes that are
//! allocated; librdkafka's own memory is C's and is not counted.

use crate::allocations::{alone, bytes};
use fastkafka::{App, ProduceError, Topic, delivery_scope, produces};
use std::future::pending;
use std::time::Duration;

const TIMES: usize = 10_000;
/// Much less than a byte each would be.
const SLACK: i64 = 9_000;

struct Outputs;

#[produces(app = Outputs, topic = "outputs", max_request_size = 2_000)]
async fn to_outputs(text: String) -> Result<String, ProduceError> {
    Ok(text)
}

#[produces(app = Outputs, topic = "outputs")]
fn to_outputs_at_once(all: Vec<u32>) -> Result<Vec<u32>, ProduceError> {
    Ok(all)
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
        to_outputs("x".to_owned()).await?;
        pending::<Result<(), ProduceError>>().await
    });
    let polled = tokio::time::timeout(Duration::ZERO, sends).await;
    assert!(polled.is_err());
}

/// How much the memory grows when it happens so often, once buffers have grown.
async fn growth(once: impl AsyncFn()) -> i64 {
    let app = start().await;
    for _ in 0..TIMES {
        once().await;
    }
    // What was on its way is reported.
    to_outputs("between".to_owned()).await.unwrap();
    let before = bytes();
    for _ in 0..TIMES {
        once().await;
    }
    to_outputs("last".to_owned()).await.unwrap();
    let grown = bytes() - before;
    app.stop().await.unwrap();
    grown
}

#[test]
fn calls_that_are_refused_leave_nothing_behind() {
    let name = "memory::calls_that_are_refused_leave_nothing_behind";
    alone(name, async {
        let grown = growth(refused).await;
        assert!(grown < SLACK, "{grown} bytes after {TIMES} calls");
    });
}

#[test]
fn scopes_that_are_cancelled_leave_nothing_behind() {
    let name = "memory::scopes_that_are_cancelled_leave_nothing_behind";
    alone(name, async {
        let grown = growth(cancelled).await;
        assert!(grown < SLACK, "{grown} bytes after {TIMES} scopes");
    });
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
