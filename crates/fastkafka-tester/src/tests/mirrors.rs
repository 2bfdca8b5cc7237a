//! Records that a test sends by mirrors, and records that it receives from producers.

use crate::tests::support::*;
use crate::{CallOutcome, Tester};
use fastkafka::record::Delivery;

#[tokio::test(start_paused = true)]
async fn a_record_is_sent_by_the_name_of_its_topic_and_returns_when_all_is_settled() {
    let tester = Tester::start(app()).await.unwrap();
    let delivery = tester.to_eu_orders_v1(order(1)).key("k").await;
    assert_eq!(delivery.topic, "eu.orders-v1");
    assert_eq!(tester.records("invoices").len(), 1);
    tester
        .mirror::<to_invoices>()
        .assert_called_once_with(&invoice(1));
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_record_has_key_headers_partition_and_time() {
    let tester = Tester::start(app()).await.unwrap();
    let delivery = tester
        .to_eu_orders_v1(order(1))
        .key(7)
        .header("trace", "a")
        .headers([("null".to_owned(), None)])
        .partition(2)
        .timestamp(1_000)
        .await;
    assert_eq!(delivery, Delivery::new("eu.orders-v1", 2, 0));
    let records = tester.records("eu.orders-v1");
    let record = &records[0];
    assert_eq!(record.key.as_deref(), Some(&b"7"[..]));
    assert_eq!((record.partition, record.timestamp), (2, 1_000));
    assert_eq!(
        record.headers,
        [
            ("trace".to_owned(), Some("a".into())),
            ("null".to_owned(), None)
        ]
    );
    assert_eq!(record.producer, None);
}

#[tokio::test(start_paused = true)]
async fn what_a_producer_sent_has_its_key_and_headers() {
    let tester = Tester::start(app()).await.unwrap();
    tester.to_eu_orders_v1(order(1)).key("k").await;
    let records = tester.mirror::<to_invoices>().records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].key.as_deref(), Some(&b"k"[..]));
    assert_eq!(
        records[0].headers,
        [("source".to_owned(), Some("orders".into()))]
    );
    assert_eq!(records[0].producer.map(|f| f.name()), Some("to_invoices"));
}

#[tokio::test(start_paused = true)]
async fn two_producers_of_one_topic_are_told_apart() {
    let tester = Tester::start(app()).await.unwrap();
    tester.to_eu_orders_v1(order(1)).await;
    to_corrections(2).await.unwrap();
    to_corrections(0).await.unwrap();
    assert_eq!(tester.records("invoices").len(), 2);
    assert_eq!(tester.mirror::<to_invoices>().last(), Some(invoice(1)));
    let corrections = tester.mirror::<to_corrections>().messages();
    assert_eq!(corrections, [Invoice { order: 2, total: 0 }]);
}

#[tokio::test(start_paused = true)]
async fn many_records_are_sent_before_any_is_waited_for() {
    let tester = virtual_time(app()).await;
    let orders: Vec<_> = (1..=20).map(order).collect();
    let sent = tester.mirror::<on_batches>().send_all(orders).await;
    assert_eq!(sent.len(), 20);
    let calls = tester.spy::<on_batches>().calls();
    assert_eq!(
        calls.iter().map(|call| call.args().len()).sum::<usize>(),
        20
    );
    assert!(calls.len() < 20, "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_batch_handler_gets_what_its_mirror_sends_one_by_one() {
    let tester = Tester::start(app()).await.unwrap();
    tester.to_batches(order(1)).await;
    tester
        .spy::<on_batches>()
        .assert_called_once_with(&vec![order(1)]);
}

#[tokio::test(start_paused = true)]
async fn a_tombstone_is_sent_and_seen() {
    let tester = Tester::start(app()).await.unwrap();
    tester.mirror::<on_profiles>().tombstone().key("k").await;
    tester.spy::<on_profiles>().assert_called_with(&None);
    to_gone(7).await.unwrap();
    let gone = tester.on_gone();
    gone.assert_called_once();
    assert_eq!(gone.messages(), []);
    assert_eq!(gone.records()[0].payload, None);
}

#[tokio::test(start_paused = true)]
async fn a_custom_decoder_is_sent_bytes() {
    let tester = Tester::start(app()).await.unwrap();
    let mirror = tester.mirror::<on_degrees>();
    mirror.raw("20").await;
    mirror.raw("warm").await;
    let spy = tester.spy::<on_degrees>();
    spy.assert_called_once_with(&Degrees(20));
    let refused = spy.refused();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].1, "`warm` is no temperature");
}

#[tokio::test(start_paused = true)]
async fn bytes_are_sent_as_they_are() {
    let tester = Tester::start(app()).await.unwrap();
    tester.to_bytes("raw".into()).await;
    tester.to_lines(b"line").await;
    tester
        .spy::<on_bytes>()
        .assert_called_once_with(&"raw".into());
    let lines = tester.spy::<on_lines>();
    lines.assert_called_once();
    assert_eq!(lines.records()[0].payload.as_deref(), Some(&b"line"[..]));
}

#[tokio::test(start_paused = true)]
async fn two_handlers_of_one_topic_are_told_apart_by_their_function() {
    let tester = Tester::start(app()).await.unwrap();
    tester.mirror::<audit>().send(order(1)).await;
    tester.spy::<audit>().assert_called_once();
    tester.spy::<on_profiles>().assert_called_once();
    AuditMirror::to_profiles(&tester, order(2)).await;
    assert_eq!(tester.spy::<audit>().count(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_unsettled_record_is_waited_for_by_an_assertion() {
    let tester = virtual_time(app()).await;
    let invoices = tester.mirror::<to_invoices>();
    tester.to_eu_orders_v1(order(1)).unsettled().await;
    invoices.assert_not_called();
    invoices.assert_awaited_with(&invoice(1)).await;
    let spy = tester.spy::<on_orders>();
    assert_eq!(spy.calls()[0].outcome(), CallOutcome::Done);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "has no partition 9: it has 1")]
async fn a_partition_that_does_not_exist_is_reported_at_the_place() {
    let tester = Tester::start(app()).await.unwrap();
    tester.to_batches(order(1)).partition(9).await;
}
