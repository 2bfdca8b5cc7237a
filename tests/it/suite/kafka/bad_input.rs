//! What can not be handled, sent or written: retried, dead-lettered or stopped, never lost, never in the way.

use std::collections::BTreeMap;
use std::time::Duration;

use kafka_lab::{Kafka, NewRecord};
use serde_json::{Value, json};

use crate::kafka::fixture::{AppFixture, assert_at_least_once, keyed, order, record};
use crate::kafka::process::{eventually, within};

/// The dead letters: value, and error and attempts as their headers say.
fn dead_letters(fixture: &AppFixture<'_>) -> Vec<(Vec<u8>, String, u32)> {
    let records = fixture.kafka.consume(&fixture.dead).unwrap().into_iter();
    records
        .map(|record| {
            let headers: BTreeMap<_, _> = record.headers.into_iter().collect();
            let text = |name: &str| {
                let value = headers[&format!("fastkafka-dead-letter-{name}")].clone();
                String::from_utf8(value.unwrap()).unwrap()
            };
            assert_eq!(text("topic"), fixture.topic);
            assert_eq!(text("group"), fixture.topic);
            (
                record.value.unwrap(),
                text("error"),
                text("attempts").parse().unwrap(),
            )
        })
        .collect()
}

fn ids(fixture: &AppFixture<'_>) -> Vec<u64> {
    let mut done = fixture.done();
    done.sort_by_key(|done| (done.partition, done.offset));
    done.into_iter().map(|done| done.id).collect()
}

#[test]
fn each_kind_of_failure_meets_its_rule_and_keeps_its_place() {
    let fixture = AppFixture::new("bad", 1);
    let long = json!({"id": 8, "bytes": 2_000_000});
    let orders = [
        order(0),
        json!({"id": 1, "fails": "error"}),
        json!({"id": 2, "fails": "error", "times": 2}),
        json!({"id": 3, "fails": "rejected"}),
        json!({"id": 4, "fails": "panic"}),
        json!({"id": 5, "fails": "panic", "times": 1}),
        json!({"id": 6, "fails": "transient", "times": 5}),
        json!({"id": 7, "sleep_ms": 2_000}),
        long.clone(),
        order(9),
    ];
    let mut records: Vec<_> = orders
        .iter()
        .map(|order| record(order).partition(0))
        .collect();
    records.insert(1, NewRecord::new("no order").partition(0));
    fixture.send(&records);
    let app = fixture.app();
    fixture.await_committed();
    app.stop();

    assert_eq!(ids(&fixture), [0, 2, 5, 6, 9]);
    let dead = dead_letters(&fixture);
    let expected: [(Vec<u8>, &str, u32); 6] = [
        (b"no order".to_vec(), "expected ident", 1),
        (orders[1].to_string().into_bytes(), "told to fail", 3),
        (orders[3].to_string().into_bytes(), "told to reject", 1),
        (orders[4].to_string().into_bytes(), "told to panic", 3),
        (orders[7].to_string().into_bytes(), "500", 3),
        (long.to_string().into_bytes(), "too large", 1),
    ];
    for (dead, (value, error, attempts)) in dead.iter().zip(&expected) {
        assert_eq!(dead.0, *value);
        assert!(dead.1.contains(error), "{dead:?}");
        assert_eq!(dead.2, *attempts, "{}", dead.1);
    }
    assert_eq!(dead.len(), expected.len());
}

#[test]
fn of_a_batch_only_the_bad_records_are_dead_lettered() {
    let fixture = AppFixture::new("batch", 1);
    let bad = json!({"id": 30, "fails": "error"});
    let orders = (0..60).map(|id| match id {
        10 => NewRecord::new("no order"),
        20 => record(&json!({"id": 20, "fails": "error", "times": 1})),
        30 => record(&bad),
        id => record(&order(id)),
    });
    fixture.send(&orders.map(|record| record.partition(0)).collect::<Vec<_>>());
    let app = fixture.app();
    fixture.await_committed();
    app.stop();

    let done = fixture.done();
    let once: std::collections::BTreeSet<_> = done.iter().map(|done| done.id).collect();
    let expected = (0..60).filter(|id| ![10, 30].contains(id)).collect();
    assert_eq!(once, expected);
    let dead = dead_letters(&fixture);
    assert_eq!(dead.len(), 2, "{dead:?}");
    assert_eq!(dead[0].0, b"no order");
    assert_eq!(
        (dead[1].0.clone(), &*dead[1].1),
        (bad.to_string().into_bytes(), "told to fail")
    );
}

#[test]
fn an_output_whose_topic_is_gone_stops_its_partition_and_no_other() {
    let fixture = AppFixture::new("stopping", 2);
    let mut app = fixture.app();
    app.is_started();
    fixture.send_to(0, [order(0)]);
    fixture.await_committed();
    fixture.send_to(0, [json!({"id": 1, "fails": "error"}), order(2)]);
    let line = app.says("stopping[0] stands still at offset 1");
    assert!(line.contains("told to fail"), "{line}");
    fixture.send_to(1, (3..13).map(order));
    fixture.await_count(11);
    app.terminate();
    assert_eq!(app.exits_within(Duration::from_secs(10)), 1);
    assert_eq!(fixture.committed()[&0], 1);
    assert_eq!(fixture.committed()[&1], 10);
    assert_eq!(ids(&fixture), [0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);

    // A restart tries it again. This time it is the output's topic that is gone.
    fixture.kafka.delete_records(&fixture.topic, 0, 2).unwrap();
    let mut app = fixture.app();
    app.is_started();
    fixture.await_count(12);
    fixture.kafka.delete_topic(&fixture.out).unwrap();
    fixture.send_to(0, [order(13)]);
    let line = app.says("stopping[0] stands still at offset 3");
    assert!(line.contains("stopping.out"), "{line}");
    app.terminate();
    assert_eq!(app.exits_within(Duration::from_secs(10)), 1);
    assert_eq!(fixture.committed()[&0], 3);
}

/// Larger than what a producer takes unless it is told otherwise, and as large as a topic does.
const LARGE: usize = 1_030_000;

#[test]
fn a_dead_letter_is_as_large_as_its_record_and_of_what_its_topic_refuses_the_payload_is_left_out() {
    let fixture = AppFixture::new("large", 1);
    let app = fixture.app();
    let payload = "x".repeat(LARGE);
    let letter = |count: usize| {
        fixture.send(&[NewRecord::new(payload.clone()).partition(0)]);
        fixture.await_committed();
        let mut letters = fixture.kafka.consume(&fixture.dead).unwrap();
        assert_eq!(letters.len(), count);
        letters.pop().unwrap()
    };
    assert_eq!(letter(1).value.unwrap().len(), LARGE);

    let limit = ("max.message.bytes", "10000");
    let kafka = fixture.kafka;
    kafka
        .alter_topic_config(&fixture.dead, limit.0, limit.1)
        .unwrap();
    let without = letter(2);
    assert_eq!(without.value.as_deref(), Some(&b""[..]));
    let headers: BTreeMap<_, _> = without.headers.into_iter().collect();
    let says = [
        ("topic", &*fixture.topic),
        ("partition", "0"),
        ("offset", "1"),
        ("left-out", "payload"),
        ("size", "1030000"),
    ];
    for (name, value) in says {
        let header = headers[&format!("fastkafka-dead-letter-{name}")].clone();
        assert_eq!(header.as_deref(), Some(value.as_bytes()), "{name}");
    }
    app.stop();
}

/// The dead-letter topic needs two replicas, and one broker is down.
#[test]
fn a_dead_letter_that_can_not_be_written_waits_and_is_written_in_the_end() {
    let mut kafka = Kafka::builder()
        .brokers(2)
        .property("default.replication.factor", "2")
        .start()
        .unwrap();
    {
        let fixture = AppFixture::on(&kafka, "quorum", 2);
        let both = ("min.insync.replicas", "2");
        kafka
            .alter_topic_config(&fixture.dead, both.0, both.1)
            .unwrap();
    }
    kafka.kill_broker(2).unwrap();
    let fixture = AppFixture::named(&kafka, "quorum");
    fixture.send_to(
        0,
        [order(0), json!({"id": 1, "fails": "rejected"}), order(2)],
    );
    let app = fixture.app();
    // The other partition goes on, this one waits.
    for id in 3..10 {
        fixture.send_to(1, [order(id)]);
        fixture.await_count(usize::try_from(id).unwrap() - 1);
    }
    assert_eq!(kafka.consume(&fixture.dead).unwrap().len(), 0);
    eventually("the other is committed", || {
        (fixture.committed().get(&1) == Some(&7)).then_some(())
    });
    // Longer than the client tries one write, so that it is written anew.
    within(Duration::from_secs(100), "a write is given up", || {
        app.line("dead letter")
    });
    assert_eq!(fixture.committed()[&0], 1);

    kafka
        .alter_topic_config(&fixture.dead, "min.insync.replicas", "1")
        .unwrap();
    fixture.await_committed();
    app.stop();
    // What stands behind a letter that is lost is handled again when it is written.
    let mut ids = ids(&fixture);
    ids.dedup();
    assert_eq!(ids, [0, 2, 3, 4, 5, 6, 7, 8, 9]);
    let dead = dead_letters(&fixture);
    assert!(
        dead.iter().all(|dead| dead.1 == "told to reject"),
        "{dead:?}"
    );
    println!("{} copies of the dead letter", dead.len());
}

/// The broker stops answering for longer than `delivery_timeout_ms`, then is away altogether and comes back.
#[test]
fn a_broker_that_hangs_or_is_away_loses_nothing() {
    let mut kafka = Kafka::start().unwrap();
    drop(AppFixture::on(&kafka, "away", 4));
    let mut sent = 0;
    let mut send = |kafka: &Kafka, more: &Value| {
        AppFixture::named(kafka, "away").send(&keyed(sent..sent + 2_000, 40, more));
        sent += 2_000;
        sent
    };
    send(&kafka, &json!({"sleep_ms": 2}));
    let mut app = AppFixture::named(&kafka, "away").app();
    AppFixture::named(&kafka, "away").await_count(200);
    kafka.pause().unwrap();
    app.says("not settled");
    kafka.resume().unwrap();
    AppFixture::named(&kafka, "away").await_committed();

    send(&kafka, &json!({"sleep_ms": 2}));
    AppFixture::named(&kafka, "away").await_count(2_200);
    kafka.kill().unwrap();
    app.says("GroupCoordinator");
    kafka.restart().unwrap();
    app.says("a broker answers again");
    let sent = send(&kafka, &order(0));
    let fixture = AppFixture::named(&kafka, "away");
    fixture.await_committed();
    app.stop();
    let done = fixture.done();
    println!(
        "{} repeated of {sent}",
        done.len() - usize::try_from(sent).unwrap()
    );
    assert_at_least_once(&done, 0..sent);
}
