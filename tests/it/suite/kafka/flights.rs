//! The flights example on Apache Kafka: nothing lost, nothing twice, order kept, also under fire.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use flights::data::{january, repeated};
use flights::flight::{Flight, leg};
use kafka_lab::{Kafka, NewRecord, Record};

use crate::kafka::process::{Process, eventually};

const SECOND: Duration = Duration::from_secs(1);

fn topics(kafka: &Kafka) {
    kafka.create_topic("flights", 4, &[]).unwrap();
    kafka.create_topic("legs", 4, &[]).unwrap();
    kafka.create_topic("flights.dead", 1, &[]).unwrap();
}

fn record(flight: &Flight) -> NewRecord {
    NewRecord::new(serde_json::to_vec(flight).unwrap())
        .key(flight.key())
        .header("source", "january")
}

fn await_end(kafka: &Kafka) {
    let ends = kafka.end_offsets("flights").unwrap();
    eventually("all flights are committed", || {
        (kafka.committed("flights", "flights").unwrap() == ends).then_some(())
    });
}

/// The ids of the legs per key, as they lie in the topic.
fn legs(kafka: &Kafka) -> Vec<(Vec<u8>, u64, i64)> {
    let legs = kafka.consume("legs").unwrap().into_iter();
    legs.map(|record| {
        let value: serde_json::Value = serde_json::from_slice(&record.value.unwrap()).unwrap();
        let id = value["id"].as_u64().unwrap();
        (record.key.unwrap(), id, record.timestamp)
    })
    .collect()
}

fn with_leg(flights: &[Flight]) -> HashSet<u64> {
    let flown = flights.iter().filter(|f| matches!(leg(f), Ok(Some(_))));
    flown.map(|flight| flight.id).collect()
}

fn header<'r>(record: &'r Record, name: &str) -> &'r str {
    let (_, value) = record.headers.iter().find(|(n, _)| n == name).unwrap();
    std::str::from_utf8(value.as_ref().unwrap()).unwrap()
}

#[test]
fn every_flight_becomes_one_leg_or_one_dead_letter() {
    let kafka = crate::kafka::fixture::kafka();
    topics(kafka);
    let flights = january();
    let records: Vec<_> = flights.iter().map(record).collect();
    let places = kafka.produce("flights", &records).unwrap();
    let app = Process::flights(kafka.bootstrap());
    await_end(kafka);
    println!("27,004 flights in {:.1?}", app.age());

    let mut last = HashMap::new();
    let mut done = HashSet::new();
    for (key, id, _) in legs(kafka) {
        assert!(done.insert(id), "leg {id} is there twice");
        assert_eq!(flights[usize::try_from(id).unwrap()].key().as_bytes(), key);
        let before = last.insert(key, id);
        assert!(before.is_none_or(|before| before < id), "{before:?}, {id}");
    }
    assert_eq!(done.len(), 26_398);
    assert_eq!(done, with_leg(&flights));

    // Then what is no flight at all, between two that are.
    let odd = [
        &b"{\"id\":"[..],
        b"",
        b"\xff\xfe",
        b"[1,2]",
        b"{\"id\":\"x\"}",
    ];
    let mut more = vec![record(&flights[0]).partition(1)];
    more.extend(odd.map(|bytes| {
        NewRecord::new(bytes)
            .key("odd")
            .header("n", "1")
            .partition(1)
    }));
    more.push(record(&flights[1]).partition(1));
    let more_places = kafka.produce("flights", &more).unwrap();
    await_end(kafka);
    assert_eq!(legs(kafka).len(), 26_400);

    let refused = flights.iter().zip(&records).zip(&places);
    let refused = refused.filter(|((flight, _), _)| flight.tailnum.is_none());
    let mut expected: BTreeMap<(i32, i64), Vec<u8>> = refused
        .map(|((flight, _), place)| (*place, serde_json::to_vec(flight).unwrap()))
        .collect();
    assert_eq!(expected.len(), 155);
    expected.extend(
        more_places[1..6]
            .iter()
            .copied()
            .zip(odd.map(<[u8]>::to_vec)),
    );

    let dead = kafka.consume("flights.dead").unwrap();
    assert_eq!(dead.len(), 160);
    for record in &dead {
        let partition = header(record, "fastkafka-dead-letter-partition");
        let offset = header(record, "fastkafka-dead-letter-offset");
        let place = (partition.parse().unwrap(), offset.parse().unwrap());
        let value = expected.remove(&place).expect("not dead-lettered twice");
        assert_eq!(record.value.as_deref(), Some(&*value));
        assert_eq!(header(record, "fastkafka-dead-letter-topic"), "flights");
        assert_eq!(header(record, "fastkafka-dead-letter-group"), "flights");
        assert_eq!(header(record, "fastkafka-dead-letter-attempts"), "1");
        let error = header(record, "fastkafka-dead-letter-error");
        if record.key.as_deref() == Some(b"odd") {
            assert_eq!(header(record, "n"), "1");
        } else {
            assert_eq!(record.key.as_deref(), Some(&b"unknown"[..]));
            assert_eq!(header(record, "source"), "january");
            assert!(error.ends_with("has no tail number"), "{error}");
        }
    }
    app.stop();
}

/// What follows a kill repeats at most what was handled since the last commit: librdkafka commits every
/// second what was settled, settled prefixes are stored every 0.2 s, and the commit takes its way.
const SINCE_COMMIT: Duration = Duration::from_millis(1_000 + 200 + 300);

#[test]
fn processes_killed_under_load_lose_nothing_and_repeat_one_commit_interval() {
    const RATE: usize = 500;
    const SECONDS: usize = 60;
    // Longer than the session timeout of 6 s: until it is over the group rebalances, and in a rebalance a
    // classic group takes no commits.
    const KILL_EVERY: usize = 10;

    let kafka = Kafka::start().unwrap();
    topics(&kafka);
    let flights: Vec<_> = repeated(2).take(RATE * SECONDS).collect();
    let mut processes: Vec<_> = (0..3)
        .map(|_| Process::flights(kafka.bootstrap()))
        .collect();
    processes.iter_mut().for_each(Process::is_started);

    let sum = || -> i64 {
        kafka
            .committed("flights", "flights")
            .unwrap()
            .values()
            .sum()
    };
    let (mut kills, mut committed) = (Vec::new(), vec![sum()]);
    for (tick, part) in flights.chunks(RATE / 10).enumerate() {
        // The pace of the load, and no more: what a slow machine does not send in time is not sent faster later.
        let due = Instant::now() + SECOND / 10;
        let records: Vec<_> = part.iter().map(record).collect();
        kafka.produce("flights", &records).unwrap();
        let second = tick / 10;
        if tick % 10 == 5 && second % KILL_EVERY == KILL_EVERY - 1 {
            committed.push(sum());
            let victim = kills.len() % processes.len();
            processes[victim].kill();
            kills.push(now_ms());
            processes[victim] = Process::flights(kafka.bootstrap());
        }
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    await_end(&kafka);
    committed.push(sum());
    for process in processes {
        process.stop();
    }

    let legs = legs(&kafka);
    let done: HashSet<_> = legs.iter().map(|(_, id, _)| *id).collect();
    let expected = with_leg(&flights);
    let missing: Vec<_> = expected.difference(&done).collect();
    assert!(missing.is_empty(), "{} missing: {missing:?}", missing.len());

    let mut first = HashMap::new();
    let mut per_kill = vec![0_usize; kills.len()];
    let mut late = Vec::new();
    for (_, id, at) in legs {
        let Some(first) = first.insert(id, at) else {
            continue;
        };
        let window = i64::try_from(SINCE_COMMIT.as_millis()).unwrap();
        // A millisecond of the other clock is given.
        match kills
            .iter()
            .position(|kill| (kill - window..=kill + 1).contains(&first))
        {
            Some(kill) => per_kill[kill] += 1,
            None => late.push((id, first, at)),
        }
    }
    println!(
        "{} kills; repeated after each: {per_kill:?}; committed before each: {committed:?}",
        kills.len()
    );
    assert!(
        late.is_empty(),
        "{} repeated, but handled longer than {SINCE_COMMIT:?} before a kill: {:?}..; kills at {kills:?}",
        late.len(),
        &late[..late.len().min(5)]
    );
    assert!(committed.is_sorted_by(|a, b| a < b), "{committed:?}");
}

fn now_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.unwrap().as_millis()).unwrap()
}
