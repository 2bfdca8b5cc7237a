//! Partitions whose starts cannot be worked out, because their leaders are away.

use std::time::{Duration, Instant};

use kafka_lab::Kafka;

use crate::kafka::fixture::{AppFixture, order};
use crate::kafka::process::{Process, eventually, within};

/// A topic of one partition, which node 1 leads: with one replica a partition is where its log is.
fn create_on_node_1(kafka: &Kafka, topic: &str) {
    let data = kafka.log().parent().unwrap().join("data");
    for attempt in 0.. {
        assert!(attempt < 20, "`{topic}` is never on node 1");
        kafka.create_topic(topic, 1, &[]).unwrap();
        let log = format!("{topic}-0");
        let node = eventually("the log of the topic", || {
            (1..=2).find(|node| data.join(format!("{node}/{log}")).exists())
        });
        if node == 1 {
            return;
        }
        kafka.delete_topic(topic).unwrap();
        eventually("the topic is gone", || {
            (!data.join(format!("2/{log}")).exists()).then_some(())
        });
    }
}

/// Its partitions whose leader node 2 is.
fn on_node_2(kafka: &Kafka, topic: &str, partitions: i32) -> Vec<i32> {
    let data = kafka.log().parent().unwrap().join("data");
    let exists = |node, n| data.join(format!("{node}/{topic}-{n}")).exists();
    eventually("the logs of the topic", || {
        let all = (0..partitions).all(|n| exists(1, n) || exists(2, n));
        all.then_some(())
    });
    (0..partitions).filter(|n| exists(2, *n)).collect()
}

/// Partition 0, on node 1, goes on while others have no leader, and those follow when they have.
fn grows_while_a_broker_is_away(is_running: bool) {
    let mut kafka = Kafka::builder().brokers(2).start().unwrap();
    let named = AppFixture::named(&kafka, "growing");
    for topic in [&named.topic, &named.out, &named.dead] {
        create_on_node_1(&kafka, topic);
    }
    let mut app = is_running.then(|| {
        let mut app = named.app();
        app.is_started();
        named.send_to(0, [order(0)]);
        named.await_count(1);
        app
    });
    kafka.add_partitions(&named.topic, 6).unwrap();
    let away = on_node_2(&kafka, &named.topic, 6);
    assert!(!away.is_empty());
    kafka.kill_broker(2).unwrap();

    let fixture = AppFixture::named(&kafka, "growing");
    let mut app: Process = app.take().unwrap_or_else(|| {
        let mut app = fixture.app();
        app.is_started();
        fixture.send_to(0, [order(0)]);
        fixture.await_count(1);
        app
    });
    app.says("cannot work out where to start");
    for id in 1..6 {
        let sent = Instant::now();
        fixture.send_to(0, [order(id)]);
        let count = usize::try_from(id).unwrap() + 1;
        within(Duration::from_secs(10), "partition 0 goes on", || {
            (fixture.count() >= count).then_some(())
        });
        println!("order {id} was handled after {:.1?}", sent.elapsed());
    }
    app.lives();

    kafka.restart_broker(2).unwrap();
    let fixture = AppFixture::named(&kafka, "growing");
    for partition in &away {
        fixture.send_to(
            *partition,
            [order(100 + u64::try_from(*partition).unwrap())],
        );
    }
    fixture.await_count(6 + away.len());
    app.stop();
}

/// The problems that name a partition of the topic, as code and error.
fn silent(app: &mut Process, topic: &str) -> Vec<(i64, String)> {
    let health = app.health();
    let problems = health["problems"].as_array().unwrap().iter();
    let of_topic = problems.filter(|problem| problem["topic"] == *topic);
    let silent = of_topic.filter(|problem| problem["code"] == "partition-silent");
    let named = silent.map(|problem| {
        let error = problem["error"].as_str().unwrap().to_owned();
        (problem["partition"].as_i64().unwrap(), error)
    });
    named.collect()
}

/// Nothing of it can be fetched, and the client does not tell.
#[test]
fn a_partition_whose_leader_goes_away_while_it_is_read_is_named_until_it_is_back() {
    let mut kafka = Kafka::builder().brokers(2).start().unwrap();
    let fixture = AppFixture::named(&kafka, "growing");
    for topic in [&fixture.topic, &fixture.out, &fixture.dead] {
        create_on_node_1(&kafka, topic);
    }
    kafka.add_partitions(&fixture.topic, 6).unwrap();
    let away = on_node_2(&kafka, &fixture.topic, 6);
    assert!(!away.is_empty());
    let mut app = fixture.app();
    app.is_started();
    let all = (0..6).map(|partition| (partition, u64::try_from(partition).unwrap()));
    for (partition, id) in all {
        fixture.send_to(partition, [order(id)]);
    }
    fixture.await_count(6);
    assert_eq!(silent(&mut app, &fixture.topic), []);
    let topic = fixture.topic.clone();
    kafka.kill_broker(2).unwrap();

    let expected: Vec<_> = away.iter().map(|partition| i64::from(*partition)).collect();
    let named = within(Duration::from_secs(60), "they are named", || {
        let named = silent(&mut app, &topic);
        (named.len() == expected.len()).then_some(named)
    });
    println!("{named:?}");
    let partitions: Vec<_> = named.iter().map(|(partition, _)| *partition).collect();
    assert_eq!(partitions, expected);
    // The others go on.
    let fixture = AppFixture::named(&kafka, "growing");
    fixture.send_to(0, [order(6)]);
    fixture.await_count(7);

    kafka.restart_broker(2).unwrap();
    within(Duration::from_secs(60), "they are well again", || {
        silent(&mut app, &topic).is_empty().then_some(())
    });
    let fixture = AppFixture::named(&kafka, "growing");
    fixture.send_to(away[0], [order(7)]);
    fixture.await_count(8);
    app.stop();
}

#[test]
fn a_new_partition_without_a_leader_does_not_hold_up_the_others() {
    grows_while_a_broker_is_away(true);
}

#[test]
fn a_service_starts_though_a_partition_of_its_topic_has_no_leader() {
    grows_while_a_broker_is_away(false);
}
