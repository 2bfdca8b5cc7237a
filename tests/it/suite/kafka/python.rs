//! Python's clients beside ours.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use kafka_lab::NewRecord;

use crate::kafka::fixture::{AppFixture, order};

const AIOKAFKA: &str = "aiokafka==0.12.0";

/// 1,000 different keys of all lengths up to 40 bytes, the empty one and others than ASCII among them.
fn keys() -> Vec<String> {
    let letters = ["a", "Z", "0", "-", " ", "é", "ß", "日", "🛫"];
    let key = |i: usize| {
        let mut key = String::new();
        let mut rest = i;
        while rest > 0 {
            key.push_str(letters[rest % letters.len()]);
            rest /= letters.len();
        }
        // The hash takes four bytes at a time.
        key + &"x".repeat(i % 27)
    };
    (0..1_000).map(key).collect()
}

#[test]
fn a_key_goes_to_the_partition_that_aiokafka_chooses() {
    let fixture = AppFixture::named(crate::kafka::fixture::kafka(), "keys");
    let theirs = "keys.python";
    for topic in [&fixture.topic, &fixture.out, &fixture.dead, theirs] {
        fixture.kafka.create_topic(topic, 7, &[]).unwrap();
    }
    let app = fixture.app();
    let keys = keys();
    let with_key =
        |(id, key): (u64, &String)| NewRecord::new(order(id).to_string()).key(key.as_str());
    let orders: Vec<_> = (0..).zip(&keys).map(with_key).collect();
    fixture.send(&orders);

    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/suite/kafka/python/send_keys.py"
    );
    let mut sender = Command::new(kafka_lab::python(&[AIOKAFKA]).unwrap())
        .args([script, fixture.kafka.bootstrap(), theirs])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = String::new();
    for key in &keys {
        for byte in key.bytes() {
            write!(lines, "{byte:02x}").unwrap();
        }
        lines.push('\n');
    }
    let mut stdin = sender.stdin.take().unwrap();
    stdin.write_all(lines.as_bytes()).unwrap();
    drop(stdin);
    assert!(sender.wait().unwrap().success());

    fixture.await_count(keys.len());
    app.stop();
    let partitions = |topic: &str| {
        let records = fixture.kafka.consume(topic).unwrap().into_iter();
        let pair = |r: kafka_lab::Record| (String::from_utf8(r.key.unwrap()).unwrap(), r.partition);
        records.map(pair).collect::<BTreeMap<_, _>>()
    };
    let (ours, theirs) = (partitions(&fixture.out), partitions(theirs));
    assert_eq!(ours.len(), keys.len(), "all keys differ");
    assert_eq!(ours, theirs);
}
