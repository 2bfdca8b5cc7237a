//! The lab itself, on the broker that it starts.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kafka_lab::{Kafka, LabError, NewRecord, Toxic};

const BIN: &str = env!("CARGO_BIN_EXE_kafka-lab");

fn shared() -> &'static Kafka {
    Kafka::shared().unwrap()
}

fn fill(kafka: &Kafka, topic: &str, count: u32) {
    let records: Vec<_> = (0..count)
        .map(|i| NewRecord::new(format!("value {i}")))
        .collect();
    kafka.produce(topic, &records).unwrap();
}

/// Whether nobody listens any more, or still does at the deadline.
fn goes_silent(bootstrap: &str) -> bool {
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(bootstrap).is_ok() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

#[test]
fn records_come_back_as_they_were_written() {
    let kafka = shared();
    kafka.create_topic("round-trip", 3, &[]).unwrap();
    let written: Vec<_> = (0..10_u8)
        .map(|i| {
            NewRecord::new(vec![i, 0, 0xff])
                .key(format!("key {i}"))
                .header("n", vec![i])
                .header("trace", "a b")
        })
        .collect();

    let places = kafka.produce("round-trip", &written).unwrap();
    let read = kafka.consume("round-trip").unwrap();

    assert_eq!(read.len(), 10);
    for (i, place) in (0..10_u8).zip(places) {
        let record = read
            .iter()
            .find(|record| (record.partition, record.offset) == place)
            .unwrap();
        assert_eq!(record.key, Some(format!("key {i}").into_bytes()));
        assert_eq!(record.value, Some(vec![i, 0, 0xff]));
        assert_eq!(
            record.headers,
            [
                ("n".to_owned(), Some(vec![i])),
                ("trace".to_owned(), Some(b"a b".to_vec()))
            ]
        );
    }
    assert!(read.is_sorted_by_key(|record| (record.partition, record.offset)));
    let ends: i64 = kafka.end_offsets("round-trip").unwrap().values().sum();
    assert_eq!(ends, 10);
}

#[test]
fn a_tombstone_has_no_value_and_a_chosen_partition_is_kept() {
    let kafka = shared();
    kafka
        .create_topic("tombstones", 4, &[("cleanup.policy", "compact")])
        .unwrap();

    let places = kafka
        .produce(
            "tombstones",
            &[NewRecord::tombstone().key("k").partition(3)],
        )
        .unwrap();

    assert_eq!(places, [(3, 0)]);
    let read = kafka.consume("tombstones").unwrap();
    assert_eq!((read.len(), &read[0].value), (1, &None));
}

#[test]
fn a_group_that_nobody_knows_is_dead_and_has_committed_nothing() {
    let kafka = shared();
    kafka.create_topic("unread", 2, &[]).unwrap();

    assert_eq!(
        kafka.committed("nobody", "unread").unwrap(),
        BTreeMap::new()
    );
    let group = kafka.group("nobody").unwrap();
    assert_eq!((group.state.as_str(), group.members.len()), ("Dead", 0));
}

#[test]
fn deleted_records_are_not_read_again() {
    let kafka = shared();
    kafka.create_topic("trimmed", 1, &[]).unwrap();
    fill(kafka, "trimmed", 10);

    kafka.delete_records("trimmed", 0, 7).unwrap();

    let offsets: Vec<_> = kafka
        .consume("trimmed")
        .unwrap()
        .iter()
        .map(|record| record.offset)
        .collect();
    assert_eq!(offsets, [7, 8, 9]);
}

#[test]
fn a_topic_grows_and_goes() {
    let kafka = shared();
    kafka.create_topic("growing", 1, &[]).unwrap();

    kafka.add_partitions("growing", 3).unwrap();
    assert_eq!(
        kafka.end_offsets("growing").unwrap(),
        BTreeMap::from([(0, 0), (1, 0), (2, 0)])
    );

    kafka.delete_topic("growing").unwrap();
    let error = kafka.end_offsets("growing").unwrap_err();
    assert!(
        matches!(&error, LabError::Refused { request, .. } if request == "end_offsets growing"),
        "{error}"
    );
}

#[test]
fn a_topic_config_holds_for_the_next_record() {
    let kafka = shared();
    kafka.create_topic("narrow", 1, &[]).unwrap();
    fill(kafka, "narrow", 1);

    kafka
        .alter_topic_config("narrow", "max.message.bytes", "100")
        .unwrap();
    let error = kafka
        .produce("narrow", &[NewRecord::new(vec![0; 1_000])])
        .unwrap_err()
        .to_string();
    assert!(error.contains("RecordTooLargeException"), "{error}");
}

#[test]
fn kill_and_restart_keep_the_data_and_the_address() {
    let mut kafka = Kafka::builder()
        .property("num.io.threads", "2")
        .start()
        .unwrap();
    let (bootstrap, pid) = (kafka.bootstrap().to_owned(), kafka.pid());
    kafka.create_topic("kept", 1, &[]).unwrap();
    fill(&kafka, "kept", 5);

    kafka.kill().unwrap();
    assert!(TcpStream::connect(&bootstrap).is_err());
    kafka.restart().unwrap();

    assert_eq!(kafka.bootstrap(), bootstrap);
    assert_ne!(kafka.pid(), pid);
    assert_eq!(kafka.consume("kept").unwrap().len(), 5);

    let unclean = "no clean shutdown file was found";
    let count = |kafka: &Kafka| {
        let log = std::fs::read_to_string(kafka.log()).unwrap();
        log.matches(unclean).count()
    };
    let before = count(&kafka);
    kafka.terminate().unwrap();
    assert!(TcpStream::connect(&bootstrap).is_err());
    kafka.restart().unwrap();
    assert_eq!(kafka.consume("kept").unwrap().len(), 5);
    assert_eq!((before, count(&kafka)), (1, 1));
}

/// Whether a server that has listened for connections answers to a request that it can not understand
/// by closing the connection, as Kafka does.
fn answers(address: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let patience = Some(Duration::from_millis(500));
    stream.set_read_timeout(patience).unwrap();
    // A length that Kafka refuses.
    let sent = stream.write_all(&[0xff; 4]);
    sent.is_ok() && matches!(stream.read(&mut [0; 1]), Ok(0))
}

#[test]
fn a_proxied_way_fails_as_it_is_told_while_the_others_do_not() {
    let kafka = Kafka::builder().proxied(2).start().unwrap();
    let [one, other] = kafka.proxies() else {
        panic!("two were asked for")
    };
    for toxic in [Toxic::Cut, Toxic::Silence { percent: 100 }, Toxic::Reset] {
        assert!(answers(one.bootstrap()), "before {toxic:?}");
        one.ail(toxic).unwrap();
        assert!(!answers(one.bootstrap()), "{toxic:?}");
        assert!(answers(other.bootstrap()), "beside {toxic:?}");
        one.cure().unwrap();
    }
    let delay = Duration::from_millis(200);
    let jitter = Duration::ZERO;
    one.ail(Toxic::Latency { delay, jitter }).unwrap();
    one.ail(Toxic::Bandwidth { rate: 100 }).unwrap();
    let began = Instant::now();
    assert!(answers(one.bootstrap()));
    assert!(began.elapsed() >= delay);
}

#[test]
fn a_topic_that_lacks_an_in_sync_replica_refuses_records_until_it_may() {
    let mut kafka = Kafka::builder()
        .brokers(2)
        .property("default.replication.factor", "2")
        .start()
        .unwrap();
    kafka
        .create_topic("safe", 1, &[("min.insync.replicas", "2")])
        .unwrap();
    fill(&kafka, "safe", 1);

    kafka.kill_broker(2).unwrap();
    let record = [NewRecord::new("late")];
    let error = kafka.produce("safe", &record).unwrap_err().to_string();
    assert!(error.contains("TimeoutException"), "{error}");

    kafka
        .alter_topic_config("safe", "min.insync.replicas", "1")
        .unwrap();
    kafka.produce("safe", &record).unwrap();
    kafka.restart_broker(2).unwrap();
    assert_eq!(kafka.committed("nobody", "safe").unwrap(), BTreeMap::new());
}

#[test]
fn a_group_can_be_denied_and_allowed_again_and_still_be_looked_at() {
    let kafka = Kafka::builder().authorized().start().unwrap();
    kafka.create_topic("orders", 1, &[]).unwrap();
    kafka.deny_group("orders").unwrap();
    let error = kafka.commit("orders", "orders", 0, 7).unwrap_err();
    assert!(
        error.to_string().contains("GroupAuthorizationException"),
        "{error}"
    );
    assert!(kafka.committed("orders", "orders").unwrap().is_empty());
    kafka.allow_group("orders").unwrap();
    // The broker hears of it from the controller.
    let deadline = Instant::now() + Duration::from_secs(10);
    while kafka.commit("orders", "orders", 0, 7).is_err() {
        assert!(Instant::now() < deadline, "it is allowed again");
        std::thread::yield_now();
    }
    assert_eq!(
        kafka.committed("orders", "orders").unwrap(),
        BTreeMap::from([(0, 7)])
    );
}

#[test]
fn a_bad_property_is_reported_with_the_end_of_the_log() {
    let error = Kafka::builder()
        .property("num.io.threads", "none")
        .start()
        .unwrap_err();
    let LabError::NotStarted { reason, log, tail } = &error else {
        panic!("{error}");
    };
    assert!(reason.contains("ended with status"), "{reason}");
    assert!(tail.contains("num.io.threads"), "{tail}");
    assert!(log.exists());
}

#[cfg(target_os = "linux")]
mod processes {
    use super::*;

    /// The state letter of a process, as in `ps`.
    fn state(pid: u32) -> Option<char> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.chars().next()
    }

    #[test]
    fn a_paused_broker_goes_on_and_one_that_is_dropped_while_paused_is_gone() {
        let kafka = Kafka::start().unwrap();
        let pid = kafka.pid();
        let directory = kafka.log().parent().unwrap().to_owned();
        kafka.create_topic("paused", 1, &[]).unwrap();

        kafka.pause().unwrap();
        assert_eq!(state(pid), Some('T'));
        kafka.resume().unwrap();
        fill(&kafka, "paused", 1);

        kafka.pause().unwrap();
        drop(kafka);
        assert_eq!(state(pid), None);
        assert!(!directory.exists());
    }
}

#[test]
fn a_broker_does_not_outlive_an_owner_that_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let mut owner = Command::new(BIN)
        .args(["serve", "1", "--pid-file"])
        .arg(directory.path().join("pid"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut bootstrap = String::new();
    BufReader::new(owner.stdout.as_mut().unwrap())
        .read_line(&mut bootstrap)
        .unwrap();
    assert!(TcpStream::connect(bootstrap.trim()).is_ok());

    owner.kill().unwrap();
    owner.wait().unwrap();

    assert!(goes_silent(bootstrap.trim()));
}

#[test]
fn brokers_by_hand_start_and_stop() {
    let directory = tempfile::tempdir().unwrap();
    let pid_file = directory.path().join("pid");
    let run = |action: &[&str]| run(action, &pid_file);

    let started = run(&["start", "--count", "2"]);
    let printed = String::from_utf8(started.stdout).unwrap();
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines.len(), 3, "{printed}");
    assert_eq!(Path::new(lines[2]), pid_file);
    assert!(
        lines[..2]
            .iter()
            .all(|address| TcpStream::connect(address).is_ok())
    );
    assert!(!run(&["start"]).status.success());

    assert!(run(&["stop"]).status.success());
    assert!(lines[..2].iter().all(|address| goes_silent(address)));
    assert!(!run(&["stop"]).status.success());
}

fn run(action: &[&str], pid_file: &Path) -> std::process::Output {
    Command::new(BIN)
        .args(action)
        .arg("--pid-file")
        .arg(pid_file)
        .output()
        .unwrap()
}
