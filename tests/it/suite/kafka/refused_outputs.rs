//! One output of many is refused by the broker: it alone fails.

use std::collections::BTreeMap;
use std::time::Duration;

use fastkafka::record::Bytes;
use fastkafka::{App, Broker, KafkaEvent, Key, ProduceError, consumes, delivery_scope, produces};
use kafka_lab::NewRecord;
use tokio::task::JoinSet;

use crate::kafka::fixture::kafka;
use crate::kafka::process::eventually;

const RECORDS: usize = 1_000;
const END: i64 = 1_000;
/// The one that the broker refuses.
const BAD: usize = 500;

/// Topics of one partition.
fn create(prefix: &str, output: &[(&str, &str)]) {
    for topic in ["in", "dead"] {
        kafka()
            .create_topic(&format!("{prefix}.{topic}"), 1, &[])
            .unwrap();
    }
    kafka()
        .create_topic(&format!("{prefix}.out"), 1, output)
        .unwrap();
}

fn app<S: 'static>(title: &str) -> App {
    App::scoped::<S>()
        .title(title)
        .broker("lab", Broker::new(kafka().bootstrap().to_owned()))
        .start_timeout(Duration::from_secs(60))
        .build()
}

/// How often each payload is in a topic, and their order.
fn payloads(topic: &str) -> Vec<String> {
    let mut records = kafka().consume(topic).unwrap();
    records.sort_by_key(|record| (record.partition, record.offset));
    let text = |value: Option<Vec<u8>>| String::from_utf8(value.unwrap()).unwrap();
    records
        .into_iter()
        .map(|record| text(record.value))
        .collect()
}

fn times(payloads: &[String]) -> BTreeMap<&str, usize> {
    let mut times = BTreeMap::new();
    for payload in payloads {
        *times.entry(&**payload).or_default() += 1;
    }
    times
}

/// All but the bad one, once each.
fn assert_others_arrive_once(topic: &str) {
    let payloads = payloads(topic);
    let times = times(&payloads);
    let repeated: Vec<_> = times.iter().filter(|(_, n)| **n > 1).collect();
    assert!(
        repeated.is_empty(),
        "{} repeated: {repeated:?}",
        repeated.len()
    );
    assert_eq!(times.len(), RECORDS - 1);
}

async fn ended(app: &App, prefix: &str) {
    let committed = || {
        let committed = kafka().committed(prefix, &format!("{prefix}.in")).unwrap();
        (committed.get(&0) == Some(&END)).then_some(())
    };
    tokio::task::block_in_place(|| eventually("everything is committed", committed));
    assert!(app.health().is_ready(), "{}", app.health());
    app.stop().await.unwrap();
}

/// Each with a key, except for the bad one.
fn keyed() -> Vec<NewRecord> {
    let record = |n: usize| {
        let record = NewRecord::new(n.to_string()).partition(0);
        if n == BAD {
            record
        } else {
            record.key(format!("key {n}"))
        }
    };
    (0..RECORDS).map(record).collect()
}

struct Keyed;

#[consumes(
    app = Keyed,
    topic = "refused.keyed.in",
    group_id = "refused.keyed",
    auto_offset_reset = "earliest",
    auto_commit_interval_ms = 200,
    order = "key",
    attempts = 1,
    dead_letter = "refused.keyed.dead"
)]
async fn on_keyed(n: u64, key: Option<Key<&str>>) -> Result<(), ProduceError> {
    to_compacted(n, key.map(|Key(key)| key)).await.map(drop)
}

#[produces(app = Keyed, topic = "refused.keyed.out")]
async fn to_compacted(n: u64, key: Option<&str>) -> Result<KafkaEvent<u64>, ProduceError> {
    let event = KafkaEvent::new(n);
    Ok(match key {
        Some(key) => event.key(key),
        None => event,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_without_a_key_for_a_compacted_topic_is_the_only_dead_letter() {
    create("refused.keyed", &[("cleanup.policy", "compact")]);
    kafka().produce("refused.keyed.in", &keyed()).unwrap();
    let app = app::<Keyed>("keyed");
    app.start().await.unwrap();
    ended(&app, "refused.keyed").await;
    assert_eq!(payloads("refused.keyed.dead"), [BAD.to_string()]);
    assert_others_arrive_once("refused.keyed.out");
}

struct InOrder;

#[consumes(
    app = InOrder,
    topic = "refused.ordered.in",
    group_id = "refused.ordered",
    auto_offset_reset = "earliest",
    auto_commit_interval_ms = 200,
    attempts = 1,
    dead_letter = "refused.ordered.dead"
)]
async fn on_ordered(payload: Bytes) -> Result<(), ProduceError> {
    to_ordered(payload).await.map(drop)
}

#[produces(app = InOrder, topic = "refused.ordered.out")]
async fn to_ordered(payload: Bytes) -> Result<Bytes, ProduceError> {
    Ok(payload)
}

/// Numbers of three digits; one of them is far too long for a topic that takes 2,000 bytes.
fn number(n: usize) -> String {
    match n {
        BAD => format!("{n:04}").repeat(1_000),
        _ => format!("{n:04}"),
    }
}

/// In the order of a partition what stands behind a record that fails is handled again, as behind any other.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_too_large_for_its_topic_is_the_only_dead_letter_and_the_order_holds() {
    create("refused.ordered", &[("max.message.bytes", "2000")]);
    let records: Vec<_> = (0..RECORDS)
        .map(|n| NewRecord::new(number(n)).partition(0))
        .collect();
    kafka().produce("refused.ordered.in", &records).unwrap();
    let app = app::<InOrder>("ordered");
    app.start().await.unwrap();
    ended(&app, "refused.ordered").await;
    let dead = payloads("refused.ordered.dead");
    assert!(dead == [number(BAD)], "{} dead letters", dead.len());
    let payloads = payloads("refused.ordered.out");
    let mut last = BTreeMap::new();
    for (at, payload) in payloads.iter().enumerate() {
        last.insert(payload, at);
    }
    assert_eq!(last.len(), RECORDS - 1);
    assert!(last.values().is_sorted(), "the last ones are in order");
}

struct Outside;

#[produces(app = Outside, topic = "refused.outside.out")]
async fn to_outside(
    payload: Bytes,
    key: Option<String>,
) -> Result<KafkaEvent<Bytes>, ProduceError> {
    let event = KafkaEvent::new(payload);
    Ok(match key {
        Some(key) => event.key(key),
        None => event,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_handlers_the_call_of_the_bad_one_is_the_only_one_that_fails() {
    create("refused.outside", &[("max.message.bytes", "2000")]);
    let app = app::<Outside>("outside");
    app.start().await.unwrap();
    let mut calls = JoinSet::new();
    for n in 0..RECORDS {
        calls.spawn(async move { (n, to_outside(number(n).into(), None).await.map(drop)) });
    }
    let mut failed = Vec::new();
    while let Some(ended) = calls.join_next().await {
        if let (n, Err(error)) = ended.unwrap() {
            failed.push((n, error));
        }
    }
    assert!(
        matches!(&*failed, [(BAD, ProduceError::TooLarge { .. })]),
        "{} failed, such as {:?}",
        failed.len(),
        failed.first()
    );
    assert_others_arrive_once("refused.outside.out");

    // In one scope, where each has a key: the records of a key stay in order.
    let sent = delivery_scope(async {
        for n in 0..RECORDS {
            to_outside(number(RECORDS + n).into(), Some(format!("key {}", n % 7))).await?;
            if n == BAD {
                to_outside(number(BAD).into(), Some("bad".to_owned())).await?;
            }
        }
        Ok::<_, ProduceError>(())
    });
    let lost = sent.await.unwrap_err();
    assert!(matches!(lost, ProduceError::TooLarge { .. }), "{lost:?}");
    app.stop().await.unwrap();
    let payloads = payloads("refused.outside.out");
    assert_eq!(times(&payloads).len(), payloads.len(), "each arrives once");
    assert_eq!(payloads.len(), 2 * RECORDS - 1);
}
