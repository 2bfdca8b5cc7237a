//! Dead letters: they have a client of their own, which has no limit.

use super::*;
use fastkafka_core::__private::schemars;
use fastkafka_core::{ConsumerDef, Group, Handler, Location, ProduceError, ProducerSettings};
use rdkafka::types::RDKafkaErrorCode;

const PRODUCE: i16 = 0;

static DEF: ConsumerDef = ConsumerDef {
    name: "on_orders",
    module: "tests",
    location: Location {
        file: "tests.rs",
        line: 1,
        column: 1,
    },
    topic: "orders",
    topics: &["orders"],
    pattern: None,
    description: "",
    settings: ConsumerSettings::default,
    batch: false,
    tombstones: false,
    is_async: true,
    blocking: false,
    settles: false,
    content_type: "application/json",
    schema: |_| schemars::Schema::default(),
    key: None,
    requires: |_| (),
    run: |_, _| unreachable!("nobody reads"),
};

/// The producers of an app with dead letters, whose producers have this limit.
fn sink(address: &str, limit: u32) -> KafkaProducers {
    let settings = ConsumerSettings::default().dead_letter("dead");
    let mut plan = Plan::default();
    plan.clusters[0].dead_letters = ProducerSettings::default().max_request_size(limit);
    plan.groups.push(Group {
        cluster: "".into(),
        id: "group".into(),
        standalone: false,
        left_out: Vec::new(),
        settings: settings.clone(),
        handlers: vec![Handler {
            def: &DEF,
            settings,
        }],
    });
    KafkaProducers::new(&clusters(address), &plan, 100).unwrap()
}

fn letter(payload: &[u8]) -> OutRecord<'_> {
    OutRecord {
        cluster: Some(""),
        ..record("dead", 0, payload)
    }
}

#[test]
fn a_dead_letter_is_as_large_as_its_record_whatever_the_limit_of_producers() {
    let broker = broker(&[("dead", 1)]);
    let sink = sink(broker.address(), 2_000);
    send(&sink, &[letter(&vec![0; 5_000_000])]).unwrap();
}

#[test]
fn a_dead_letter_that_the_broker_finds_too_large_says_that_it_is() {
    let broker = broker(&[("dead", 1)]);
    let sink = sink(broker.address(), 2_000);
    // With its batch, and alone.
    for _ in 0..2 {
        broker.refuse_next(PRODUCE, RDKafkaErrorCode::MessageSizeTooLarge);
    }
    let failure = send(&sink, &[letter(b"x")]).unwrap_err();
    let error = failure.error().unwrap().downcast_ref::<ProduceError>();
    assert!(
        matches!(error, Some(ProduceError::TooLarge { .. })),
        "{failure:?}"
    );
}

/// The broker judges a batch: a letter in the company of others would be found too large with them.
#[test]
fn dead_letters_share_a_batch_and_go_alone_when_it_is_refused() {
    let broker = broker(&[("dead", 1)]);
    let sink = sink(broker.address(), 2_000);
    send(&sink, &[letter(b"x")]).unwrap();
    broker.keep_requests();
    broker.refuse_next(PRODUCE, RDKafkaErrorCode::MessageSizeTooLarge);
    send(&sink, &[letter(b"x"); 20]).unwrap();
    let requests = broker.requests(PRODUCE);
    assert!(requests > 1, "{requests} requests");
    broker.keep_requests();
    send(&sink, &[letter(b"x"); 20]).unwrap();
    let requests = broker.requests(PRODUCE);
    assert!(requests < 20, "{requests} requests for 20 letters");
}
