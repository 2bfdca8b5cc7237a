//! Clients that librdkafka gives up, and clusters that are away: what follows, and what is told of it.

use super::*;
use crate::producer::clients::Client;
use crate::producer::condition::{BOUND, Kind};
use crate::producer::delivery_reports::Producer;
use crate::producer::life::Life;
use fastkafka_core::{FailureKind, ProduceError};
use rdkafka::producer::Producer as _;
use rdkafka::types::RDKafkaRespErr::{self, *};

/// As an event it is what a right that is missing is to any request.
const CAUSE: RDKafkaRespErr = RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;

/// Between two looks at what another thread does.
const LOOK: Duration = Duration::from_millis(10);

/// Its client of librdkafka.
fn producer(client: &Client) -> Arc<Producer> {
    client.live().as_ref().unwrap().producer.clone()
}

fn give_up(client: &Client) {
    ffi::give_up(producer(client).client().native_ptr(), CAUSE);
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::park_timeout(LOOK);
    }
}

/// Those of the client that would be told after the bound.
fn kinds(client: &Client) -> Vec<Kind> {
    let troubles = client.watch.troubles_in(BOUND);
    troubles.into_iter().map(|trouble| trouble.kind).collect()
}

/// One record; how it ends.
fn send_one(sink: &KafkaProducers) -> Result<(), Failure> {
    let scope = DeliveryScope::collecting();
    sink.enqueue(record("orders", 0, b"x"), scope.token(0))
        .map_err(Failure::from)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(scope.reports()).map(drop)
}

#[test]
fn another_client_takes_the_place_of_one_that_has_ended() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(broker.address(), 100);
    send_one(&sink).unwrap();
    for _ in 0..2 {
        give_up(&sink.clients[0]);
        until("a delivery by the next client", || match send_one(&sink) {
            Ok(()) => true,
            Err(failure) => {
                let error = failure.error().unwrap().downcast_ref::<ProduceError>();
                let ended = matches!(error, Some(ProduceError::ClientEnded { .. }));
                assert!(ended, "{failure:?}");
                // It uses up no attempt of the record that it is an output of.
                assert_eq!(failure.kind(), FailureKind::Transient { after: None });
                false
            }
        });
    }
    until("the count", || sink.in_flight() == 0);
}

#[test]
fn what_a_client_has_on_its_way_when_it_ends_is_reported_soon() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(broker.address(), 100);
    send_one(&sink).unwrap();
    drop(broker);
    let scope = DeliveryScope::collecting();
    for _ in 0..20 {
        sink.enqueue(record("orders", 0, b"x"), scope.token(0))
            .unwrap();
    }
    give_up(&sink.clients[0]);
    until("the reports", || sink.in_flight() == 0);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let failure = runtime.unwrap().block_on(scope.reports()).unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Transient { after: None });
}

/// It came in between the look whether the client has ended, and the purge.
#[test]
fn a_record_that_comes_late_to_a_client_that_has_ended_does_not_wait_for_the_next_one() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(broker.address(), 100);
    let client = &sink.clients[0];
    broker.set_down(true);
    let (alive, _ended) = tokio::sync::mpsc::channel(1);
    let mut life = Life::new(client, producer(client), alive);
    std::thread::scope(|threads| {
        let waits = threads.spawn(move || life.wait_long());
        let scope = DeliveryScope::collecting();
        sink.enqueue(record("orders", 0, b"x"), scope.token(0))
            .unwrap();
        until("the report", || sink.in_flight() == 0);
        assert!(!waits.is_finished(), "the next one is not due");
        client.close();
        assert_eq!(waits.join().unwrap(), None);
    });
}

#[test]
fn a_client_that_is_closed_leaves_nothing_and_takes_nothing() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(broker.address(), 100);
    send_one(&sink).unwrap();
    let former = Arc::downgrade(&producer(&sink.clients[0]));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap();
    // It takes a record while it is closed: that has its report, too.
    let scope = DeliveryScope::collecting();
    sink.enqueue(record("orders", 0, b"x"), scope.token(0))
        .unwrap();
    runtime.block_on(sink.close());
    assert_eq!(sink.in_flight(), 0);
    assert_eq!(former.strong_count(), 0);
    let scope = DeliveryScope::collecting();
    let refused = sink.enqueue(record("orders", 0, b"x"), scope.token(0));
    assert!(
        matches!(refused, Err(ProduceError::NoApp { .. })),
        "{refused:?}"
    );
    assert_eq!(sink.in_flight(), 0);
    runtime.block_on(sink.close());
}

#[test]
fn the_end_of_a_client_is_told_until_the_next_has_delivered() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(broker.address(), 100);
    let client = &sink.clients[0];
    give_up(client);
    until("the trouble", || kinds(client) == [Kind::Ended]);
    let trouble = &client.watch.troubles()[0];
    assert!(trouble.error.contains("for a test"), "{trouble:?}");
    until("a delivery", || send_one(&sink).is_ok());
    until("the end of the trouble", || kinds(client).is_empty());
}

#[test]
fn a_cluster_that_is_away_is_told_until_a_broker_answers_and_no_record_is_needed_for_it() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(broker.address(), 100);
    let client = &sink.clients[0];
    send_one(&sink).unwrap();
    broker.set_down(true);
    until("the trouble", || kinds(client) == [Kind::Away]);
    // Before the bound it is none.
    assert_eq!(client.watch.troubles(), []);
    broker.set_down(false);
    until("the end of the trouble", || kinds(client).is_empty());
}

#[test]
fn a_record_that_nobody_acknowledges_is_told() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(broker.address(), 100);
    let client = &sink.clients[0];
    send_one(&sink).unwrap();
    broker.answer_after(BOUND);
    let scope = DeliveryScope::collecting();
    sink.enqueue(record("orders", 0, b"x"), scope.token(0))
        .unwrap();
    until("the trouble", || kinds(client) == [Kind::Unacknowledged]);
    broker.answer_after(Duration::ZERO);
}

#[test]
fn a_consumer_that_has_ended_says_so() {
    let broker = broker(&[("orders", 1)]);
    let mut member = Member::join(broker.address(), &["orders"], OffsetReset::Earliest);
    member.until("the assignment", |member| !member.assigned.is_empty());
    member.consumer.give_up(CAUSE);
    member.until("the end", |member| {
        let fatal = |notice: &Notice| matches!(notice, Notice::Error(error) if error.is_fatal());
        member.notices.iter().any(fatal)
    });
}
