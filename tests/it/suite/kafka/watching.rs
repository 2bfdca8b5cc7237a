//! What the admin listener says of processes on Kafka, against what Kafka and the ledger say.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::kafka::fixture::{AppFixture, order};
use crate::kafka::process::{PATIENCE, Process, eventually};

/// A process with its admin listener, and where that is.
fn app(fixture: &AppFixture<'_>) -> (Process, String) {
    let variables = [("FASTKAFKA_ADMIN", "127.0.0.1:0")];
    let mut app = Process::orders_with(fixture.setting, fixture.kafka.bootstrap(), &variables);
    let line = app.says("admin listener on http://");
    let (_, address) = line.split_once("http://").unwrap();
    let address = address.trim_end_matches('/').to_owned();
    (app, address)
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// The values of a metric by partition.
fn by_partition(address: &str, metric: &str) -> BTreeMap<i32, f64> {
    let text = get(address, "/metrics");
    let lines = text.lines().filter_map(|line| {
        let labels = line.strip_prefix(metric)?.strip_prefix('{')?;
        let (labels, value) = labels.split_once("} ")?;
        let (_, partition) = labels.split_once("partition=\"")?;
        Some((
            partition.trim_end_matches('"').parse().ok()?,
            value.parse().ok()?,
        ))
    });
    lines.collect()
}

/// How many records of an outcome these processes have counted.
fn records(addresses: &[&str], outcome: &str) -> f64 {
    let wanted = format!("outcome=\"{outcome}\"");
    let counted = addresses.iter().flat_map(|address| {
        let text = get(address, "/metrics");
        let lines = text
            .lines()
            .filter(|line| line.starts_with("fastkafka_records_total{"));
        let lines = lines.filter(|line| line.contains(&wanted));
        let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        values.collect::<Vec<_>>()
    });
    counted.sum()
}

/// What Kafka says: the end of each partition less what is committed.
fn lag(fixture: &AppFixture<'_>) -> BTreeMap<i32, f64> {
    let ends = fixture.kafka.end_offsets(&fixture.topic).unwrap();
    let committed = fixture.committed();
    let lag = ends.into_iter().map(|(partition, end)| {
        let committed = committed.get(&partition).copied().unwrap_or_default();
        (
            partition,
            f64::from(u32::try_from(end - committed).unwrap()),
        )
    });
    lag.collect()
}

#[test]
fn counters_are_the_ledgers_and_lag_is_kafkas_also_after_a_move() {
    let fixture = AppFixture::new("watched", 4);
    let (mut first, at_first) = app(&fixture);
    first.is_started();
    for partition in 0..4 {
        let from = u64::try_from(partition).unwrap() * 100;
        fixture.send_to(partition, (from..from + 50).map(order));
    }
    // It stands still behind 50 records, with 20 behind it.
    let bad = json!({"id": 399, "fails": "rejected"});
    fixture.send_to(3, [bad]);
    fixture.send_to(3, (350..370).map(order));
    let expected = BTreeMap::from([(0, 0.0), (1, 0.0), (2, 0.0), (3, 21.0)]);
    eventually("Kafka's lag is what is left", || {
        (lag(&fixture) == expected).then_some(())
    });
    eventually("the lag that is shown is Kafka's", || {
        (by_partition(&at_first, "fastkafka_lag") == expected).then_some(())
    });
    let stopped = by_partition(&at_first, "fastkafka_partitions_stopped");
    assert_eq!(
        stopped,
        BTreeMap::from([(0, 0.0), (1, 0.0), (2, 0.0), (3, 1.0)])
    );
    let ages = || by_partition(&at_first, "fastkafka_lag_seconds");
    let age = eventually("what stands still grows old", || {
        Some(ages()[&3]).filter(|age| *age > 0.0)
    });
    assert!(age < PATIENCE.as_secs_f64(), "{age}");
    assert_eq!(ages()[&0], 0.0);
    assert_eq!(records(&[&at_first], "handled"), 200.0);
    assert_eq!(records(&[&at_first], "rejected"), 1.0);

    // The command asks the brokers.
    let command = Command::new(env!("CARGO_BIN_EXE_orders-app"))
        .args([
            "watched",
            "lag",
            "--kafka-broker",
            fixture.kafka.bootstrap(),
        ])
        .output()
        .unwrap();
    let printed = String::from_utf8(command.stdout).unwrap();
    let words = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let rows: Vec<_> = printed.lines().map(words).collect();
    assert_eq!(
        rows[0],
        ["group", "topic", "partition", "committed", "end", "lag"]
    );
    assert_eq!(rows[1], ["watched", "watched", "0", "50", "50", "0"]);
    assert_eq!(rows[4], ["watched", "watched", "3", "50", "71", "21"]);
    assert_eq!(rows.len(), 5, "{printed}");

    // Nothing is fetched of what is paused, or stands still: the leader is asked.
    assert_eq!(first.wish("pause 0"), "done");
    fixture.send_to(0, (500..507).map(order));
    fixture.send_to(3, (507..510).map(order));
    let expected = BTreeMap::from([(0, 7.0), (1, 0.0), (2, 0.0), (3, 24.0)]);
    eventually("the lag of what is not read is Kafka's", || {
        (by_partition(&at_first, "fastkafka_lag") == expected).then_some(())
    });
    assert_eq!(lag(&fixture), expected);
    assert_eq!(first.wish("resume 0"), "done");
    eventually("it is read", || {
        (by_partition(&at_first, "fastkafka_lag")[&0] == 0.0).then_some(())
    });

    let (mut second, at_second) = app(&fixture);
    second.is_started();
    fixture.await_members(2);
    eventually("each partition is shown by one process", || {
        let of_first = by_partition(&at_first, "fastkafka_lag");
        let of_second = by_partition(&at_second, "fastkafka_lag");
        let apart = !of_first
            .keys()
            .any(|partition| of_second.contains_key(partition));
        (apart && of_first.len() + of_second.len() == 4).then_some(())
    });
    for partition in 0..3 {
        let from = 1_000 + u64::try_from(partition).unwrap() * 100;
        fixture.send_to(partition, (from..from + 30).map(order));
    }
    eventually("all of it is counted", || {
        (records(&[&at_first, &at_second], "handled") >= 297.0).then_some(())
    });
    assert_eq!(records(&[&at_first, &at_second], "handled"), 297.0);
    assert_eq!(fixture.count(), 297, "and done once");
    // A partition that stands still makes the end of its process unclean.
    for app in [&mut first, &mut second] {
        app.terminate();
        app.exits_within(PATIENCE + Duration::from_secs(30));
    }
}

/// Of each partition: when its oldest record that is not settled was written, in seconds since 1970.
fn oldest(fixture: &AppFixture<'_>, settled: &BTreeMap<i32, i64>) -> BTreeMap<i32, f64> {
    let records = fixture.kafka.consume(&fixture.topic).unwrap();
    let open = records
        .iter()
        .filter(|record| record.offset >= settled[&record.partition]);
    let mut oldest = BTreeMap::new();
    for record in open {
        let written = u64::try_from(record.timestamp).unwrap();
        let written = Duration::from_millis(written).as_secs_f64();
        let first = oldest.entry(record.partition).or_insert(written);
        *first = written.min(*first);
    }
    oldest
}

fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs_f64()
}

/// The ledger is the topic: Kafka keeps when each record was written.
#[test]
fn lag_in_seconds_is_the_age_of_the_oldest_record_that_is_open() {
    let fixture = AppFixture::new("aged", 4);
    let (mut app, address) = app(&fixture);
    app.is_started();
    for partition in 0..4 {
        fixture.send_to(partition, [order(u64::try_from(partition).unwrap())]);
    }
    fixture.await_committed();
    assert_eq!(app.wish("pause 2"), "done");
    // It is read to its end; a handler is at it; nothing reads it; it is tried again and again, with more behind it.
    fixture.send_to(1, [json!({"id": 10, "sleep_ms": 3_600_000}), order(11)]);
    fixture.send_to(2, [order(20), order(21)]);
    fixture.send_to(3, [json!({"id": 30, "fails": "transient"}), order(31)]);
    let settled = fixture.committed();
    assert_eq!(settled, BTreeMap::from([(0, 1), (1, 1), (2, 1), (3, 1)]));
    let written = oldest(&fixture, &settled);
    assert_eq!(written.keys().copied().collect::<Vec<_>>(), [1, 2, 3]);
    let lag = BTreeMap::from([(0, 0.0), (1, 2.0), (2, 2.0), (3, 2.0)]);
    eventually("all of it is seen", || {
        (by_partition(&address, "fastkafka_lag") == lag).then_some(())
    });
    for _ in 0..10 {
        let before = now();
        let ages = by_partition(&address, "fastkafka_lag_seconds");
        let after = now();
        assert_eq!(ages[&0], 0.0);
        for partition in [1, 3] {
            let (age, written) = (ages[&partition], written[&partition]);
            let bounds = before - written..=after - written;
            assert!(bounds.contains(&age), "{partition}: {age}, not {bounds:?}");
        }
        // Of what nobody has read it is not known when it was written: it has been seen for so long.
        let (age, written) = (ages[&2], written[&2]);
        assert!(0.0 < age && age <= after - written, "{age}");
    }
    // It is known as soon as it is read.
    assert_eq!(app.wish("resume 2"), "done");
    eventually("it is read", || {
        (by_partition(&address, "fastkafka_lag_seconds")[&2] == 0.0).then_some(())
    });
}
