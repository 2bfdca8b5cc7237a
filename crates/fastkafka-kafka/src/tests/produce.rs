use super::super::topics::Topics;
use super::*;
use fastkafka_core::__private::schemars;
use fastkafka_core::{
    Acks, CompressionType, FailureKind, Location, Output, PartitionFn, Partitioner, Plan,
    ProduceError, ProducerDef, ProducerSettings,
};
use std::future::poll_fn;

#[test]
fn a_record_that_is_too_large_is_refused_for_good() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(broker.address(), 100);
    let large = vec![0; 2_000_000];
    let scope = DeliveryScope::collecting();
    let error = sink.enqueue(record("orders", 0, &large), scope.token(0));
    let error = error.unwrap_err();
    assert!(error.is_permanent(), "{error}");
    assert_eq!(sink.in_flight(), 0);
}

#[test]
fn a_record_for_an_unknown_partition_is_lost_for_good() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(broker.address(), 100);
    let failure = send(&sink, &[record("orders", 7, b"x")]).unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Rejected, "{failure:?}");
    let error = failure.error().unwrap().downcast_ref::<ProduceError>();
    assert!(error.unwrap().is_permanent());
}

#[test]
fn a_sink_is_drained_or_says_how_much_is_left() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(broker.address(), 100);
    let scope = DeliveryScope::collecting();
    sink.enqueue(record("orders", 0, b"x"), scope.token(0))
        .unwrap();
    assert_eq!(drain(&sink, PATIENCE), Ok(()));
    assert!(sink.has_room());
    assert_eq!(sink.in_flight_bytes(), 0);
    drop(broker);
    sink.enqueue(record("orders", 0, b"xyz"), scope.token(0))
        .unwrap();
    assert_eq!(drain(&sink, Duration::from_millis(50)), Err(1));
    assert_eq!(sink.in_flight_bytes(), 3);
}

#[test]
fn a_sink_that_is_dropped_fails_what_is_on_its_way() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(broker.address(), 100);
    drop(broker);
    let scope = DeliveryScope::collecting();
    sink.enqueue(record("orders", 0, b"x"), scope.token(0))
        .unwrap();
    let dropped = Instant::now();
    drop(sink);
    assert!(dropped.elapsed() < Duration::from_secs(1));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let failure = runtime.unwrap().block_on(scope.reports()).unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Transient { after: None });
}

#[test]
fn a_missing_topic_is_told_from_one_that_is_there() {
    let broker = broker(&[("orders", 3)]);
    let topics = Topics::new(&access(broker.address())).unwrap();
    let names = ["missing".to_owned(), "orders".to_owned()];
    let states = topics.look_up(&names, PATIENCE).unwrap();
    assert_eq!(states["orders"], Ok(3));
    let missing = states["missing"].as_ref().unwrap_err();
    assert!(missing.is_refusal(), "{missing:?}");
}

#[test]
fn a_task_waits_for_room_and_nothing_more_than_the_bound_is_on_its_way() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(broker.address(), 10);
    let scope = DeliveryScope::collecting();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let delivered = runtime.unwrap().block_on(async {
        for _ in 0..500 {
            poll_fn(|cx| sink.poll_room(cx)).await;
            sink.enqueue(record("orders", 0, b"x"), scope.token(0))
                .unwrap();
            assert!(sink.in_flight() <= 10);
        }
        scope.reports().await.unwrap()
    });
    let offsets: Vec<_> = delivered.iter().map(|d| d.offset).collect();
    assert_eq!(offsets, (0..500).collect::<Vec<_>>());
}

#[test]
fn who_does_not_wait_is_refused_in_the_end_but_dead_letters_still_pass() {
    let broker = broker(&[("orders", 1)]);
    let sink = KafkaProducers::new(&clusters(broker.address()), &plan(output(|_| ())), 10).unwrap();
    drop(broker); // Nothing is reported any more.
    let scope = DeliveryScope::collecting();
    let ours = OutRecord {
        producer: Some(&DEF),
        ..record("orders", 0, b"x")
    };
    let enqueue = |record| sink.enqueue(record, scope.token(0));
    let refused = (0..100).find_map(|_| enqueue(ours).err()).unwrap();
    assert!(matches!(
        refused,
        ProduceError::QueueFull {
            producer: "to_orders"
        }
    ));
    assert!(!sink.has_room());
    enqueue(record("dead", 0, b"x")).unwrap();
}

#[test]
fn a_producers_settings_hold_for_its_own_records() {
    let broker = broker(&[("orders", 1), ("other", 1)]);
    let plan = plan(output(|s| s.max_request_size = Some(2_000)));
    let sink = KafkaProducers::new(&clusters(broker.address()), &plan, 10).unwrap();
    let large = [0; 3_000];
    let scope = DeliveryScope::collecting();
    for topic in ["orders", "other"] {
        let ours = OutRecord {
            producer: Some(&DEF),
            ..record(topic, 0, &large)
        };
        let refused = sink.enqueue(ours, scope.token(0)).unwrap_err();
        assert!(refused.is_permanent(), "{refused}");
    }
    // A dead letter has what is said of all.
    send(&sink, &[record("orders", 0, &large)]).unwrap();
}

/// Sends a record without a partition through the producer of `output`.
fn send_keyed(output: Output, key: &[u8]) -> Result<Delivery, Failure> {
    let broker = broker(&[("orders", 4)]);
    let sink = KafkaProducers::new(&clusters(broker.address()), &plan(output), 10).unwrap();
    let ours = OutRecord {
        producer: Some(&DEF),
        partition: None,
        key: Some(key),
        ..record("orders", 0, b"x")
    };
    send(&sink, &[ours]).map(|mut delivered| delivered.remove(0))
}

#[test]
fn a_partitioner_of_ones_own_is_asked() {
    let by_length = output(|s| {
        s.partitioner = Some(Partitioner::Function(|key, partitions| {
            key.map_or(0, |key| i32::try_from(key.len()).unwrap() % partitions)
        }));
    });
    assert_eq!(send_keyed(by_length, b"seven !").unwrap().partition, 3);
}

#[test]
fn a_partitioner_that_is_wrong_or_panics_loses_the_record_for_good() {
    let wrong: [PartitionFn; 3] = [|_, n| n, |_, _| -1, |_, _| panic!("no idea")];
    for function in wrong {
        let output = output(|s| s.partitioner = Some(Partitioner::Function(function)));
        let failure = send_keyed(output, b"key").unwrap_err();
        assert_eq!(failure.kind(), FailureKind::Rejected, "{failure:?}");
    }
}

#[test]
fn what_nobody_acknowledges_is_known_and_still_reported() {
    let acks = |acks| output(move |s| s.acks = Some(acks));
    let broker = broker(&[("orders", 4)]);
    let sink =
        |output| KafkaProducers::new(&clusters(broker.address()), &plan(output), 10).unwrap();
    assert!(!sink(acks(Acks::Leader)).is_unacknowledged(&DEF));
    assert!(sink(acks(Acks::None)).is_unacknowledged(&DEF));
    send_keyed(acks(Acks::None), b"key").unwrap();
    send_keyed(acks(Acks::Leader), b"key").unwrap();
}

#[test]
fn every_compression_can_be_written_and_read() {
    use CompressionType::*;
    for codec in [None, Gzip, Snappy, Lz4, Zstd] {
        let broker = broker(&[("orders", 1)]);
        let output = output(|s| s.compression_type = Some(codec));
        let sink = KafkaProducers::new(&clusters(broker.address()), &plan(output), 10).unwrap();
        let text = [b'x'; 5_000];
        let ours = OutRecord {
            producer: Some(&DEF),
            ..record("orders", 0, &text)
        };
        send(&sink, &[ours]).unwrap();
        let mut member = Member::join(broker.address(), &["orders"], OffsetReset::Earliest);
        member.until("the record", |member| member.records() == 1);
        let mut records = Vec::new();
        member.runs[0].1.records(0..1, &mut records);
        assert_eq!(records[0].payload, Some(&text[..]), "{codec:?}");
        drop(records);
        member.leave();
    }
}

pub(super) static DEF: ProducerDef = ProducerDef {
    name: "to_orders",
    module: "tests",
    location: Location {
        file: "tests.rs",
        line: 1,
        column: 1,
    },
    topic: "orders",
    description: "",
    settings: ProducerSettings::default,
    content_type: "application/json",
    schema: |_| schemars::Schema::default(),
    key: None,
};

pub(super) fn output(change: impl FnOnce(&mut ProducerSettings)) -> Output {
    let mut settings = ProducerSettings::default();
    change(&mut settings);
    Output {
        def: &DEF,
        cluster: "".into(),
        settings,
    }
}

pub(super) fn plan(output: Output) -> Plan {
    Plan {
        outputs: vec![output],
        ..Plan::default()
    }
}

/// Two clusters at one address: they are two all the same.
#[test]
fn producers_of_different_clusters_never_share_a_client() {
    let broker = broker(&[("orders", 1)]);
    let options = KafkaOptions::new(broker.address());
    let on = |cluster: &str| {
        let mut output = output(|_| ());
        output.cluster = cluster.to_owned().into();
        output
    };
    let clients = |clusters: &[&str]| {
        let mut plan = Plan::empty("");
        plan.outputs = clusters.iter().map(|cluster| on(cluster)).collect();
        plan.clusters.extend(Plan::empty("payments").clusters);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let opened = runtime.unwrap().block_on(Clusters::open(&options, &plan));
        let sink = KafkaProducers::new(&opened.unwrap(), &plan, 10).unwrap();
        sink.clients.len()
    };
    assert_eq!(clients(&["", "", ""]), 1);
    assert_eq!(clients(&["", "payments", "payments"]), 2);
}
