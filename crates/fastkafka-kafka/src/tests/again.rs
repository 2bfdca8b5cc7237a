//! What the broker refuses with its batch: each record is sent again alone, in order.

use super::produce::{output, plan};
use super::*;
use fastkafka_core::{
    Closed, Collecting, FailureKind, ProduceError, ProducerSettings, Properties, RunTag, ScopeRef,
    Settle, StopFlag,
};
use rdkafka::types::RDKafkaErrorCode::{self, *};

const PRODUCE: i16 = 0;
const TOO_LARGE: RDKafkaErrorCode = MessageSizeTooLarge;

/// A sink whose client waits long for company, so that what is sent at once is one batch.
fn patient(address: &str) -> KafkaProducers {
    with(address, |settings| settings.linger_ms = Some(100))
}

fn with(address: &str, change: impl FnOnce(&mut ProducerSettings)) -> KafkaProducers {
    KafkaProducers::new(&clusters(address), &plan(output(change)), 1_000).unwrap()
}

fn ours<'a>(key: &'a [u8], payload: &'a [u8]) -> OutRecord<'a> {
    OutRecord {
        producer: Some(&produce::DEF),
        key: Some(key),
        ..record("orders", 0, payload)
    }
}

/// How each of them ended, sent at once.
fn ends(sink: &KafkaProducers, records: &[OutRecord<'_>]) -> Vec<Result<i64, Failure>> {
    let send = |record: &OutRecord<'_>| {
        let scope = DeliveryScope::collecting();
        sink.enqueue(*record, scope.token(0)).unwrap();
        scope
    };
    let scopes: Vec<_> = records.iter().map(send).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap();
    let end = |scope: Collecting| {
        let delivered = runtime.block_on(scope.reports())?;
        Ok(delivered[0].offset)
    };
    scopes.into_iter().map(end).collect()
}

/// How many were acknowledged, and how many lost.
fn counted(sink: &KafkaProducers) -> (u64, u64) {
    let clients = sink.outputs().into_iter();
    clients.fold((0, 0), |(acknowledged, lost), client| {
        (acknowledged + client.acknowledged, lost + client.lost)
    })
}

fn payloads(address: &str, records: usize) -> Vec<Vec<u8>> {
    let mut member = Member::join(address, &["orders"], OffsetReset::Earliest);
    member.until("the records", |member| member.records() >= records);
    let mut all = Vec::new();
    for (_, run) in &member.runs {
        let mut records = Vec::new();
        run.records(0..run.len(), &mut records);
        all.extend(
            records
                .iter()
                .map(|record| record.payload.unwrap().to_vec()),
        );
    }
    member.leave();
    all
}

#[test]
fn of_a_refused_batch_each_record_is_sent_again_alone_and_arrives_once_in_order() {
    for code in [TOO_LARGE, InvalidRecord, InvalidTimestamp] {
        let broker = broker(&[("orders", 1)]);
        let sink = patient(broker.address());
        ends(&sink, &[ours(b"first", b"first")])[0]
            .as_ref()
            .unwrap();
        broker.keep_requests();
        broker.refuse_next(PRODUCE, code);
        let numbers: Vec<_> = (0..20).map(|n: u8| [n]).collect();
        let records: Vec<_> = numbers.iter().map(|n| ours(n, n)).collect();
        let offsets: Vec<_> = ends(&sink, &records)
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(offsets, (1..21).collect::<Vec<_>>(), "{code:?}");
        assert_eq!(broker.requests(PRODUCE), 1 + 20, "{code:?}");
        assert_eq!(drain(&sink, PATIENCE), Ok(()));
        // Nothing is set aside any more: the next ones have company again.
        broker.keep_requests();
        for end in ends(&sink, &records) {
            end.unwrap();
        }
        assert_eq!(broker.requests(PRODUCE), 1, "{code:?}");
        assert_eq!(counted(&sink), (41, 0), "{code:?}: each once");
    }
}

#[test]
fn what_is_refused_alone_is_the_only_one_that_fails() {
    let broker = broker(&[("orders", 1)]);
    let sink = patient(broker.address());
    ends(&sink, &[ours(b"first", b"first")])[0]
        .as_ref()
        .unwrap();
    // The batch, and of those that are sent again the first.
    broker.refuse_next(PRODUCE, TOO_LARGE);
    broker.refuse_next(PRODUCE, TOO_LARGE);
    let numbers: Vec<_> = (0..20).map(|n: u8| [n]).collect();
    let records: Vec<_> = numbers.iter().map(|n| ours(n, n)).collect();
    let mut ends = ends(&sink, &records).into_iter();
    assert_eq!(counted(&sink), (20, 1));
    let failure = ends.next().unwrap().unwrap_err();
    let error = failure.error().unwrap().downcast_ref::<ProduceError>();
    assert!(
        matches!(error, Some(ProduceError::TooLarge { .. })),
        "{failure:?}"
    );
    assert_eq!(failure.kind(), FailureKind::Rejected);
    let offsets: Vec<_> = ends.map(Result::unwrap).collect();
    assert_eq!(offsets, (1..20).collect::<Vec<_>>());
}

#[test]
fn a_record_is_sent_again_as_it_was() {
    let broker = broker(&[("orders", 3)]);
    let sink = patient(broker.address());
    let headers = [
        (
            "a".to_owned(),
            Some(fastkafka_core::Bytes::from_static(b"1")),
        ),
        ("none".to_owned(), None),
    ];
    let odd = OutRecord {
        partition: Some(2),
        payload: None,
        headers: &headers,
        timestamp: Some(1_234),
        ..ours(b"key", b"")
    };
    let empty = OutRecord {
        payload: Some(b""),
        key: None,
        ..odd
    };
    broker.refuse_next(PRODUCE, InvalidRecord);
    for end in ends(&sink, &[odd, empty]) {
        end.unwrap();
    }
    let mut member = Member::join(broker.address(), &["orders"], OffsetReset::Earliest);
    member.until("the records", |member| member.records() == 2);
    let mut all = Vec::new();
    for (place, run) in &member.runs {
        let mut records = Vec::new();
        run.records(0..run.len(), &mut records);
        for (n, record) in records.iter().enumerate() {
            // This broker answers with a time of its own, also where it refuses.
            assert_eq!(place.partition, 2);
            let headers: Vec<_> = run
                .headers(n)
                .iter()
                .map(|(k, v)| ((*k).to_owned(), v.map(<[u8]>::to_vec)))
                .collect();
            assert_eq!(
                headers,
                [
                    ("a".to_owned(), Some(b"1".to_vec())),
                    ("none".to_owned(), None)
                ]
            );
            all.push((
                record.key.map(<[u8]>::to_vec),
                record.payload.map(<[u8]>::to_vec),
            ));
        }
    }
    member.leave();
    assert_eq!(
        all,
        [(Some(b"key".to_vec()), None), (None, Some(Vec::new()))]
    );
}

/// Nobody is told of the end: the tests ask for what is lost.
struct Nobody;

impl Settle for Nobody {
    fn closed(&self, _: RunTag, _: Closed) {}
}

/// Sends the output of a record that a handler has in hand.
fn run(sink: &KafkaProducers, to: &Arc<Nobody>, part: u32, output: OutRecord<'_>) -> ScopeRef {
    let stop = Arc::new(StopFlag::whole());
    let scope = DeliveryScope::of_run(1, to.clone(), RunTag { part, run: 0 }, stop);
    sink.enqueue(output, scope.token(0)).unwrap();
    scope
}

#[test]
fn records_of_a_key_that_come_later_stand_behind_what_is_sent_again() {
    let broker = broker(&[("orders", 1)]);
    let sink = patient(broker.address());
    ends(&sink, &[ours(b"first", b"0")])[0].as_ref().unwrap();
    broker.refuse_next(PRODUCE, TOO_LARGE);
    broker.answer_after(Duration::from_millis(500));
    broker.keep_requests();
    let scope = DeliveryScope::collecting();
    let numbers: Vec<_> = (1..16_u32).map(|n| n.to_string()).collect();
    let (first, later) = numbers.split_at(5);
    let enqueue = |number: &String| {
        let record = ours(b"key", number.as_bytes());
        sink.enqueue(record, scope.token(0)).unwrap();
    };
    first.iter().for_each(enqueue);
    // The batch was refused, and its records are on their way alone.
    let deadline = Instant::now() + PATIENCE;
    while broker.requests(PRODUCE) < 2 {
        assert!(Instant::now() < deadline, "nothing is sent again");
        std::thread::park_timeout(Duration::from_millis(5));
    }
    later.iter().for_each(enqueue);
    broker.answer_after(Duration::ZERO);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let delivered = runtime.unwrap().block_on(scope.reports()).unwrap();
    assert_eq!(delivered.len(), numbers.len());
    // They were never refused: they go together.
    assert_eq!(broker.requests(PRODUCE), 1 + first.len() + 1);
    let all = payloads(broker.address(), 1 + numbers.len());
    let all: Vec<u32> = all
        .iter()
        .map(|n| std::str::from_utf8(n).unwrap().parse().unwrap())
        .collect();
    assert_eq!(all, (0..16).collect::<Vec<_>>());
}

/// The broker in memory writes what stood behind a refused batch at once, as Kafka does after the client has
/// asked for a new epoch.
#[test]
fn a_record_whose_later_one_was_written_meanwhile_is_handled_again_and_uses_up_no_attempt() {
    let broker = broker(&[("orders", 1)]);
    let sink = with(broker.address(), |settings| {
        settings.linger_ms = Some(100);
        settings.config = Some(Properties::new().set("batch.num.messages", 2));
    });
    ends(&sink, &[ours(b"first", b"first")])[0]
        .as_ref()
        .unwrap();
    broker.refuse_next(PRODUCE, TOO_LARGE);
    broker.answer_after(Duration::from_millis(200));
    let to = Arc::new(Nobody);
    // Two batches: the first is refused while the second is on its way.
    let scopes = [
        run(&sink, &to, 0, ours(b"key", b"0")),
        run(&sink, &to, 0, ours(b"other key", b"1")),
        run(&sink, &to, 0, ours(b"key", b"2")),
        // Of another partition: they have no order among themselves.
        run(&sink, &to, 1, ours(b"other key", b"3")),
    ];
    assert_eq!(drain(&sink, PATIENCE), Ok(()));
    broker.answer_after(Duration::ZERO);
    let lost = |scope: &ScopeRef| scope.lost().map(|(_, kind, _)| kind);
    let again = FailureKind::Transient { after: None };
    assert_eq!(scopes.each_ref().map(lost), [Some(again), None, None, None]);
    let mut all = payloads(broker.address(), 4);
    all.sort();
    assert_eq!(all, [&b"1"[..], b"2", b"3", b"first"]);
}

/// All outputs of a record, of one key and in batches of two: how it ended.
fn outputs(sink: &KafkaProducers, to: &Arc<Nobody>, payloads: &[&[u8]]) -> Option<FailureKind> {
    let stop = Arc::new(StopFlag::whole());
    let scope = DeliveryScope::of_run(1, to.clone(), RunTag { part: 0, run: 0 }, stop);
    for payload in payloads {
        sink.enqueue(ours(b"key", payload), scope.token(0)).unwrap();
    }
    assert_eq!(drain(sink, PATIENCE), Ok(()));
    scope.lost().map(|(_, kind, _)| kind)
}

/// A sink with batches of two, and a record whose first batch was refused while the second was written.
fn overtaken_by_itself(broker: &EmbeddedBroker, to: &Arc<Nobody>) -> KafkaProducers {
    let sink = with(broker.address(), |settings| {
        settings.linger_ms = Some(100);
        settings.config = Some(Properties::new().set("batch.num.messages", 2));
    });
    ends(&sink, &[ours(b"first", b"first")])[0]
        .as_ref()
        .unwrap();
    broker.answer_after(Duration::from_millis(200));
    broker.refuse_next(PRODUCE, TOO_LARGE);
    let end = outputs(&sink, to, &[b"0", b"1", b"2", b"3"]);
    assert_eq!(end, Some(FailureKind::Transient { after: None }));
    assert_eq!(drain(&sink, PATIENCE), Ok(()));
    let (acknowledged, lost) = counted(&sink);
    assert_eq!(acknowledged + lost, 1 + 4, "what became of each is counted");
    sink
}

#[test]
fn a_record_that_overtakes_itself_is_repeated_alone_and_fails_by_its_bad_output() {
    let (broker, to) = (broker(&[("orders", 1)]), Arc::new(Nobody));
    let sink = overtaken_by_itself(&broker, &to);
    // Its first output is refused in any company, and without.
    broker.refuse_next(PRODUCE, TOO_LARGE);
    let end = outputs(&sink, &to, &[b"0", b"1", b"2", b"3"]);
    assert_eq!(end, Some(FailureKind::Rejected));
    broker.answer_after(Duration::ZERO);
    let mut all = payloads(broker.address(), 1 + 2 + 3);
    all[1..3].sort();
    assert_eq!(all, [&b"first"[..], b"2", b"3", b"1", b"2", b"3"]);
}

#[test]
fn a_record_that_overtakes_itself_arrives_where_only_its_batch_was_too_large() {
    let (broker, to) = (broker(&[("orders", 1)]), Arc::new(Nobody));
    let sink = overtaken_by_itself(&broker, &to);
    broker.answer_after(Duration::ZERO);
    broker.keep_requests();
    // Each alone, also where the handler takes its time.
    for payload in [b"0", b"1", b"2", b"3"] {
        assert_eq!(outputs(&sink, &to, &[payload]), None);
    }
    for _ in 0..3 {
        assert_eq!(outputs(&sink, &to, &[b"0", b"1", b"2", b"3"]), None);
    }
    assert_eq!(broker.requests(PRODUCE), 16);
    // After a while they have company again.
    broker.keep_requests();
    assert_eq!(outputs(&sink, &to, &[b"0", b"1", b"2", b"3"]), None);
    assert_eq!(broker.requests(PRODUCE), 2);
}

#[test]
fn records_without_a_key_do_not_wait_for_those_of_another_topic() {
    let broker = broker(&[("orders", 1), ("leaderless", 1)]);
    let sink = patient(broker.address());
    let keyless = |topic, payload| OutRecord {
        topic,
        key: None,
        ..ours(b"", payload)
    };
    broker.set_leader("leaderless", 0, false);
    ends(&sink, &[keyless("orders", b"first")])[0]
        .as_ref()
        .unwrap();
    let waits = DeliveryScope::collecting();
    sink.enqueue(keyless("leaderless", b"waits"), waits.token(0))
        .unwrap();
    broker.refuse_next(PRODUCE, TOO_LARGE);
    let numbers: Vec<_> = (0..5).map(|n: u8| [n]).collect();
    let records: Vec<_> = numbers.iter().map(|n| keyless("orders", n)).collect();
    for end in ends(&sink, &records) {
        end.unwrap();
    }
    // That one has not timed out meanwhile.
    broker.set_leader("leaderless", 0, true);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(waits.reports()).unwrap();
}

#[test]
fn what_is_set_aside_at_the_end_of_an_app_is_given_up() {
    let broker = broker(&[("orders", 1)]);
    let sink = patient(broker.address());
    ends(&sink, &[ours(b"first", b"first")])[0]
        .as_ref()
        .unwrap();
    broker.refuse_next(PRODUCE, TOO_LARGE);
    let scope = DeliveryScope::collecting();
    for n in 0..20_u8 {
        sink.enqueue(ours(&[n], b"x"), scope.token(0)).unwrap();
    }
    broker.answer_after(PATIENCE);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap();
    runtime.block_on(sink.close());
    assert_eq!(sink.in_flight(), 0);
    broker.answer_after(Duration::ZERO);
    runtime.block_on(scope.reports()).unwrap_err();
}
