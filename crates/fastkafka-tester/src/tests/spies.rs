//! The calls of handlers and producers as a test sees them.

use crate::tests::support::*;
use crate::{Call, CallOutcome, Tester};
use fastkafka::error::FailureKind;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_call_has_arguments_metadata_attempt_outcome_and_duration() {
    let tester = virtual_time(app()).await;
    tester.to_eu_orders_v1(order(1)).key("k").partition(1).await;
    let calls = tester.spy::<on_orders>().calls();
    let [call] = &calls[..] else {
        panic!("{calls:?}");
    };
    assert_eq!(call.args(), order(1));
    let metadata = call.metadata();
    assert_eq!(
        (metadata.topic(), metadata.partition(), metadata.offset()),
        ("eu.orders-v1", 1, 0)
    );
    assert_eq!(call.attempt(), 1);
    assert_eq!(call.outcome(), CallOutcome::Done);
    assert_eq!(call.duration(), Some(Duration::ZERO));
    assert_eq!(call.records()[0].key.as_deref(), Some(&b"k"[..]));
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_a_call_with_its_error() {
    let tester = Tester::start(app()).await.unwrap();
    let empty = Order {
        id: 1,
        items: Vec::new(),
    };
    tester.to_eu_orders_v1(empty.clone()).await;
    let calls = tester.spy::<on_orders>().calls();
    let attempts: Vec<_> = calls.iter().map(Call::attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
    let failed = CallOutcome::Failed {
        error: "the order is empty".to_owned(),
        kind: FailureKind::Retry { after: None },
    };
    assert!(calls.iter().all(|call| call.outcome() == failed));
    assert_eq!(tester.records("orders.dead").len(), 1);
    tester.spy::<to_invoices>().assert_not_called();
}

#[tokio::test(start_paused = true)]
async fn assertions_mean_what_they_mean_in_python() {
    let tester = Tester::start(app()).await.unwrap();
    let spy = tester.spy::<on_orders>();
    spy.assert_not_called();
    tester
        .mirror::<on_orders>()
        .send_all((1..=3).map(order))
        .key("one partition")
        .await;
    spy.assert_called();
    spy.assert_called_with(&order(3));
    spy.assert_any_call(&order(1));
    spy.assert_has_calls(&[order(1), order(2)]);
    spy.assert_has_calls(&[]);
    spy.assert_awaited().await;
    spy.assert_awaited_with(&order(3)).await;
    spy.assert_any_await(&order(2)).await;
    spy.assert_has_awaits(&[order(2), order(3)]).await;
    let bytes = tester.spy::<on_bytes>();
    bytes.assert_not_awaited().await;
    tester.to_bytes("b".into()).await;
    bytes.assert_called_once();
    bytes.assert_awaited_once().await;
    bytes.assert_awaited_once_with(&"b".into()).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_producer_hands_over_is_seen() {
    let tester = Tester::start(app()).await.unwrap();
    tester.to_eu_orders_v1(order(4)).key("k").await;
    let spy = tester.spy::<to_invoices>();
    spy.assert_called_once_with(&invoice(4));
    let calls = spy.calls();
    assert_eq!(calls[0].topic(), "invoices");
    assert_eq!(calls[0].key().map(|key| &key[..]), Some(&b"k"[..]));
    assert_eq!(calls[0].error(), None);
}

#[tokio::test(start_paused = true)]
async fn an_assertion_waits_as_long_as_it_is_told() {
    let tester = virtual_time(app()).await;
    let before = tokio::time::Instant::now();
    let spy = tester.spy::<on_bytes>();
    spy.assert_not_awaited()
        .within(Duration::from_secs(60))
        .await;
    assert_eq!(before.elapsed(), Duration::from_secs(60));
}
