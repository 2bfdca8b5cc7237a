//! Several topics, topics by pattern, and reading without a group.

use kafka_lab::{Kafka, NewRecord};
use serde_json::json;

use crate::kafka::fixture::{AppFixture, kafka, order};
use crate::kafka::process::eventually;

pub(crate) fn send(kafka: &Kafka, topic: &str, partition: i32, order: &serde_json::Value) {
    let record = NewRecord::new(order.to_string()).partition(partition);
    kafka.produce(topic, &[record]).unwrap();
}

pub(crate) fn create(kafka: &Kafka, topics: &[&str]) {
    for topic in topics {
        kafka.create_topic(topic, 1, &[]).unwrap();
    }
}

#[test]
fn a_handler_reads_every_topic_of_its_list() {
    let fixture = AppFixture::named(kafka(), "listed");
    create(kafka(), &["listed.a", "listed.b", &fixture.out]);
    let mut app = fixture.app();
    app.is_started();
    send(kafka(), "listed.a", 0, &order(0));
    send(kafka(), "listed.b", 0, &order(1));
    fixture.await_count(2);
    for topic in ["listed.a", "listed.b"] {
        eventually("both are committed", || {
            let committed = kafka().committed("listed", topic).unwrap();
            (committed.get(&0) == Some(&1)).then_some(())
        });
    }
    app.stop();
}

#[test]
fn a_pattern_finds_topics_that_appear_later_and_leaves_out_dead_letters() {
    let fixture = AppFixture::named(kafka(), "matching");
    let dead = "matching.in.dead";
    create(kafka(), &["matching.in.one", dead, &fixture.out]);
    let mut app = fixture.app();
    app.is_started();
    send(kafka(), "matching.in.one", 0, &order(0));
    fixture.await_count(1);
    create(kafka(), &["matching.in.two"]);
    send(kafka(), "matching.in.two", 0, &order(1));
    fixture.await_count(2);
    let bad = json!({"id": 9, "fails": "rejected"});
    send(kafka(), "matching.in.one", 0, &bad);
    let buried = || kafka().end_offsets(dead).unwrap()[&0];
    eventually("a dead letter", || (buried() == 1).then_some(()));
    send(kafka(), "matching.in.one", 0, &order(2));
    fixture.await_count(3);
    // Nobody of the group has it.
    let group = kafka().group("matching").unwrap();
    let assigned: Vec<_> = group.members.iter().flat_map(|m| &m.assigned).collect();
    assert_eq!(assigned.len(), 2, "{assigned:?}");
    assert!(assigned.iter().all(|(topic, _)| topic != dead));
    app.stop();
    let mut ids: Vec<_> = fixture.done().iter().map(|done| done.id).collect();
    ids.sort_unstable();
    assert_eq!(ids, [0, 1, 2]);
}

/// The broker matches whole names by another language, and knows nothing of dead letters.
#[test]
fn a_pattern_means_the_same_where_the_broker_finds_the_topics() {
    let fixture = AppFixture::named(kafka(), "matching_848");
    let (dead, longer) = ("matching_848.in.dead", "matching_848.in.deadly");
    let others = ["my.matching_848.in.x", "matching_848xin.x"];
    create(
        kafka(),
        &["matching_848.in.one", dead, longer, &fixture.out],
    );
    create(kafka(), &others);
    let mut app = fixture.app();
    app.is_started();
    send(kafka(), "matching_848.in.one", 0, &order(0));
    send(kafka(), longer, 0, &order(1));
    fixture.await_count(2);
    let bad = json!({"id": 9, "fails": "rejected"});
    send(kafka(), "matching_848.in.one", 0, &bad);
    let buried = || kafka().end_offsets(dead).unwrap()[&0];
    eventually("a dead letter", || (buried() == 1).then_some(()));
    let group = kafka().group("matching_848").unwrap();
    let assigned = group.members.iter().flat_map(|m| &m.assigned);
    let mut topics: Vec<_> = assigned.map(|(topic, _)| topic.as_str()).collect();
    topics.sort_unstable();
    assert_eq!(topics, [longer, "matching_848.in.one"]);
    app.stop();
}

#[test]
fn a_pattern_without_a_topic_waits_for_one() {
    let fixture = AppFixture::named(kafka(), "awaited");
    create(kafka(), &[&fixture.out]);
    let mut app = fixture.app();
    app.is_started();
    create(kafka(), &["awaited.in.one"]);
    send(kafka(), "awaited.in.one", 0, &order(0));
    fixture.await_count(1);
    app.stop();
}

#[test]
fn without_a_group_every_process_reads_all_also_new_partitions_and_commits_nothing() {
    // Nobody else commits here.
    let kafka = Kafka::start().unwrap();
    let fixture = AppFixture::named(&kafka, "alone");
    kafka.create_topic(&fixture.topic, 2, &[]).unwrap();
    create(&kafka, &[&fixture.out]);
    fixture.send_to(0, [order(0)]);
    fixture.send_to(1, [order(1)]);
    let commits = || kafka.end_offsets("__consumer_offsets").unwrap();
    let before = commits();
    let mut apps = [fixture.app(), fixture.app()];
    for app in &mut apps {
        app.is_started();
    }
    fixture.await_count(4);
    kafka.add_partitions(&fixture.topic, 3).unwrap();
    fixture.send_to(2, [order(2)]);
    fixture.await_count(6);
    fixture.send_to(0, [order(3)]);
    fixture.await_count(8);
    // A restart begins where the policy says, again.
    let [first, second] = apps;
    first.stop();
    second.stop();
    let mut again = fixture.app();
    again.is_started();
    fixture.await_count(12);
    again.stop();
    let done = fixture.done();
    for id in 0..4 {
        let times = done.iter().filter(|done| done.id == id).count();
        assert_eq!(times, 3, "order {id}");
    }
    assert_eq!(commits(), before);
}
