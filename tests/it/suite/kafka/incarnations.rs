//! Logs that are not the ones that were read: cut by an unclean election, made anew, damaged on the disk.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use kafka_lab::Kafka;
use serde_json::json;

use crate::kafka::fixture::{AppFixture, order, times};
use crate::kafka::process::{PATIENCE, Process, eventually, within};

const ENDS: Duration = Duration::from_secs(20);

/// Waits until each of these is handled, and the partition is committed up to there.
fn await_all(fixture: &AppFixture<'_>, ids: Range<u64>, committed: (i32, i64)) {
    eventually("every new record is handled", || {
        let times = times(&fixture.done());
        ids.clone().all(|id| times.contains_key(&id)).then_some(())
    });
    // Other partitions may have no leader, and so no end.
    let (partition, offset) = committed;
    eventually("the end is committed", || {
        (fixture.committed().get(&partition) == Some(&offset)).then_some(())
    });
}

/// A partition stands still: the process names it and ends with status 1.
fn ends_with_a_stopped_partition(mut app: Process) {
    app.terminate();
    assert_eq!(app.exits_within(ENDS), 1);
}

/// The folder of a log on a node.
fn folder(kafka: &Kafka, node: u32, topic: &str, partition: i32) -> PathBuf {
    let run = kafka.log().parent().unwrap();
    run.join(format!("data/{node}/{topic}-{partition}"))
}

/// The nodes that have a replica, once both have it.
fn replicas(kafka: &Kafka, topic: &str, partition: i32) -> Vec<u32> {
    eventually("a partition has its replicas", || {
        let has = |node: &u32| folder(kafka, *node, topic, partition).exists();
        let nodes: Vec<_> = (1..=3).filter(has).collect();
        (nodes.len() == 2).then_some(nodes)
    })
}

/// A cluster whose topics survive nodes 2 and 3, but for one partition: which it is. Node 1 was there first
/// and has the offsets of all groups.
fn cluster() -> (Kafka, i32) {
    let kafka = Kafka::builder()
        .brokers(3)
        .property("default.replication.factor", "2")
        .start()
        .unwrap();
    let fixture = AppFixture::named(&kafka, "shortened");
    for topic in [&fixture.out, &fixture.dead] {
        loop {
            kafka.create_topic(topic, 1, &[]).unwrap();
            if replicas(&kafka, topic, 0).contains(&1) {
                break;
            }
            kafka.delete_topic(topic).unwrap();
        }
    }
    let unclean = [("unclean.leader.election.enable", "true")];
    kafka.create_topic(&fixture.topic, 12, &unclean).unwrap();
    let partition = (0..12).find(|p| replicas(&kafka, "shortened", *p) == [2, 3]);
    (kafka, partition.unwrap())
}

#[test]
fn a_log_that_was_cut_and_has_grown_again_stops_its_partition_or_goes_on_where_it_was_cut() {
    let (mut kafka, partition) = cluster();
    let setting = "shortened";
    AppFixture::named(&kafka, setting).send_to(partition, (0..100).map(order));
    // What follows is on node 2 alone.
    kafka.kill_broker(3).unwrap();
    let mut app = {
        let fixture = AppFixture::named(&kafka, setting);
        fixture.send_to(partition, (100..150).map(order));
        let app = fixture.app();
        fixture.await_count(150);
        fixture.await_committed();
        app
    };
    kafka.kill_broker(2).unwrap();
    within(PATIENCE, "node 3 is back", || kafka.restart_broker(3).ok());
    let fixture = AppFixture::named(&kafka, setting);
    // At 100 and beyond the position.
    fixture.send_to(partition, (1_000..1_100).map(order));

    let named = format!("shortened[{partition}]");
    let told = |line: String| {
        assert!(
            line.contains(&named) && line.contains("position 150"),
            "{line}"
        );
    };
    told(app.says("was cut at 100"));
    ends_with_a_stopped_partition(app);
    let mut app = fixture.app();
    told(app.says("was cut at 100"));
    ends_with_a_stopped_partition(app);
    assert_eq!(fixture.committed()[&partition], 150);
    assert!(fixture.done().iter().all(|done| done.id < 1_000));

    let reset = [("FASTKAFKA_HANDLERS__ON_ORDER__ON_TRUNCATION", "reset")];
    let app = Process::orders_with(setting, kafka.bootstrap(), &reset);
    await_all(&fixture, 1_000..1_100, (partition, 200));
    app.stop();
}

/// Deletes the topic and makes it anew, and sends beyond the position.
fn make_anew(fixture: &AppFixture<'_>) {
    fixture.kafka.delete_topic(&fixture.topic).unwrap();
    fixture.kafka.create_topic(&fixture.topic, 1, &[]).unwrap();
    fixture.send_to(0, (100..120).map(order));
}

#[test]
fn a_topic_that_is_made_anew_while_it_is_read_stops_its_partitions() {
    let fixture = AppFixture::new("anew", 1);
    fixture.send_to(0, (0..5).map(order));
    let mut app = fixture.app();
    fixture.await_committed();
    make_anew(&fixture);
    let line = app.says("made anew");
    assert!(line.contains("anew[0]"), "{line}");
    ends_with_a_stopped_partition(app);
    // Whatever was committed since belongs to the one before.
    let reset = [("FASTKAFKA_HANDLERS__ON_ORDER__ON_TRUNCATION", "reset")];
    let app = Process::orders_with("anew", fixture.kafka.bootstrap(), &reset);
    await_all(&fixture, 100..120, (0, 20));
    app.stop();
}

#[test]
fn a_topic_that_was_made_anew_is_named_until_a_seek_moves_it() {
    let fixture = AppFixture::new("anew_sought", 1);
    fixture.send_to(0, (0..5).map(order));
    let mut app = fixture.app();
    fixture.await_committed();
    make_anew(&fixture);
    let named = ["log-truncated anew-sought"];
    eventually("health names it", || {
        (app.problems() == named).then_some(())
    });
    assert_eq!(app.wish("seek 0 beginning"), "0@0");
    await_all(&fixture, 100..120, (0, 20));
    eventually("it is over", || app.problems().is_empty().then_some(()));
    app.stop();
}

/// It is read once more from the record at which it has stopped, which is the one before's.
#[test]
fn a_stopped_partition_that_is_resumed_when_its_topic_was_made_anew_stands_until_a_seek_moves_it() {
    let fixture = AppFixture::new("anew_stopped", 1);
    let fails = json!({"id": 5, "fails": "error", "times": 9});
    let orders = (0..5).map(order).chain([fails]);
    fixture.send_to(0, orders.chain((6..10).map(order)));
    let mut app = fixture.app();
    app.says("stands still at offset 5");
    fixture.await_count(5);
    make_anew(&fixture);
    let named = "log-truncated anew-stopped".to_owned();
    let is_named = |app: &mut Process| app.problems().contains(&named).then_some(());
    eventually("health names it", || is_named(&mut app));
    assert_eq!(app.wish("resume 0"), "done");
    // It stands at that record, and no longer because of it.
    eventually("health names that alone", || {
        (app.problems() == [&*named]).then_some(())
    });
    let line = app.says("made anew: position 5");
    assert!(line.contains("anew-stopped[0]"), "{line}");
    assert_eq!(fixture.count(), 5);
    assert_eq!(app.wish("seek 0 beginning"), "0@0");
    await_all(&fixture, 100..120, (0, 20));
    app.stop();
}

#[test]
fn a_topic_that_is_made_anew_while_it_is_read_is_read_from_its_beginning() {
    let fixture = AppFixture::new("anew_reset", 1);
    fixture.send_to(0, (0..5).map(order));
    let mut app = fixture.app();
    fixture.await_committed();
    make_anew(&fixture);
    app.says("made anew");
    await_all(&fixture, 100..120, (0, 20));
    app.stop();
}

/// Breaks the content of the second of three compressed batches of ten; its checksum stays.
fn damage(kafka: &mut Kafka, topic: &str) {
    kafka.terminate().unwrap();
    let path = folder(kafka, 1, topic, 0).join("00000000000000000000.log");
    let mut bytes = fs::read(&path).unwrap();
    let number = |at: usize, len: usize| {
        bytes[at..at + len]
            .iter()
            .fold(0, |n, b| n << 8 | usize::from(*b))
    };
    // A batch begins with its first offset and its length from there on.
    let first = 12 + number(8, 4);
    let end = first + 12 + number(first + 8, 4);
    assert_eq!(number(first, 8), 10, "one batch for each call");
    // Behind the header and the first bytes of the compressed frame.
    for byte in &mut bytes[first + 61 + 9..end] {
        *byte ^= 0x5a;
    }
    fs::write(&path, bytes).unwrap();
    within(PATIENCE, "the broker is back", || kafka.restart().ok());
}

#[test]
fn a_batch_that_cannot_be_read_is_named_and_a_seek_leaves_it() {
    let mut kafka = Kafka::start().unwrap();
    {
        let fixture = AppFixture::named(&kafka, "damaged");
        let zstd = [("compression.type", "zstd")];
        kafka.create_topic(&fixture.topic, 1, &zstd).unwrap();
        kafka.create_topic(&fixture.out, 1, &[]).unwrap();
        for batch in 0..3 {
            fixture.send_to(0, (batch * 10..batch * 10 + 10).map(order));
        }
    }
    damage(&mut kafka, "damaged");
    let fixture = AppFixture::named(&kafka, "damaged");
    for check_crcs in ["false", "true"] {
        let variables = [("FASTKAFKA_HANDLERS__ON_ORDER__CHECK_CRCS", check_crcs)];
        let mut app = Process::orders_with("damaged", kafka.bootstrap(), &variables);
        let line = app.says("cannot be read");
        assert!(line.contains("damaged[0]") && line.contains("10"), "{line}");
        fixture.await_count(10);
        if check_crcs == "true" {
            assert_eq!(app.wish("seek 0 20"), "0@20");
            fixture.await_committed();
            // Health is looked at now and then.
            eventually("it is over", || app.problems().is_empty().then_some(()));
            app.stop();
        } else {
            app.terminate();
            app.exits_within(ENDS);
            assert_eq!(fixture.committed()[&0], 10);
        }
    }
    let ids: Vec<_> = fixture.done().iter().map(|done| done.id).collect();
    assert_eq!(ids, (0..10).chain(20..30).collect::<Vec<_>>());
}
