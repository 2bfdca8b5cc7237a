//! Records for a broker that comes and goes.

use super::*;
use crate::topology::Topology;
use fastkafka_core::DeliveryScope;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

fn enqueue(outputs: &MemoryProducers, scope: &DeliveryScope, n: u32) {
    try_enqueue(outputs, scope, n).unwrap();
}

fn try_enqueue(
    outputs: &MemoryProducers,
    scope: &DeliveryScope,
    n: u32,
) -> Result<(), ProduceError> {
    let record = OutRecord {
        producer: None,
        cluster: None,
        topic: "numbers",
        partition: None,
        payload: Some(&n.to_be_bytes()),
        key: None,
        headers: &[],
        timestamp: None,
        rest: false,
    };
    outputs.enqueue(record, scope.token(0))
}

fn start() -> (Arc<MemoryCluster>, Arc<MemoryProducers>) {
    let clusters = MemoryClusters::new(
        &Topology::new(&[], [("numbers".to_owned(), 1)].into()),
        &crate::watching::journal::Journal::default(),
    );
    let broker = clusters.named("").clone();
    let outputs = MemoryProducers::new(clusters, &[], Clients::none(), usize::MAX);
    (broker, outputs)
}

fn numbers(broker: &MemoryCluster) -> Vec<u32> {
    let records = broker.journal.records("", "numbers");
    let number = |record: &Arc<crate::TopicRecord>| {
        let payload = record.payload.as_deref().unwrap();
        u32::from_be_bytes(payload.try_into().unwrap())
    };
    records.iter().map(number).collect()
}

/// As with an idempotent producer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_arrive_in_the_order_of_the_calls_while_the_broker_comes_and_goes() {
    const RECORDS: u32 = 20_000;
    let (broker, outputs) = start();
    let scope = DeliveryScope::collecting();
    let over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !over.load(Relaxed) {
                broker.set_down(true);
                broker.set_down(false);
            }
        });
        for n in 0..RECORDS {
            enqueue(&outputs, &scope, n);
        }
        over.store(true, Relaxed);
    });
    let delivered = scope.reports().await.unwrap();
    assert_eq!(delivered.len(), 20_000, "all of them, each once");
    assert!(numbers(&broker).into_iter().eq(0..RECORDS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_while_the_last_that_waited_is_on_its_way_waits_behind_it() {
    /// Looks at another thread before it counts as blocked.
    const LOOKS: usize = 1_000_000;
    let (broker, outputs) = start();
    let scope = DeliveryScope::collecting();
    broker.set_down(true);
    enqueue(&outputs, &scope, 0);
    std::thread::scope(|threads| {
        // The lock of the cluster holds up the thread that sends.
        let mut state = broker.state();
        state.down = false;
        let flush = threads.spawn(|| outputs.flush(""));
        while outputs.queues().len() > 0 {
            std::thread::yield_now();
        }
        let next = threads.spawn(|| enqueue(&outputs, &scope, 1));
        for _ in 0..LOOKS {
            if next.is_finished() {
                break;
            }
            std::thread::yield_now();
        }
        let queued = next.is_finished();
        drop(state);
        flush.join().unwrap();
        assert!(queued, "it waits for the lock of the cluster");
    });
    scope.reports().await.unwrap();
    assert_eq!(numbers(&broker), [0, 1]);
}

/// As the clients of an app that has ended do on Kafka.
#[tokio::test(start_paused = true)]
async fn what_comes_after_the_end_is_refused_and_what_waits_then_fails() {
    let (broker, outputs) = start();
    let scope = DeliveryScope::collecting();
    broker.set_down(true);
    enqueue(&outputs, &scope, 0);
    outputs.close().await;
    let failure = scope.reports().await.unwrap_err();
    let error = failure.error().unwrap().downcast_ref::<ProduceError>();
    let ended = matches!(error, Some(ProduceError::ClientEnded { .. }));
    assert!(ended, "{failure:?}");
    broker.set_down(false);
    let refused = try_enqueue(&outputs, &DeliveryScope::collecting(), 1);
    let ended = matches!(refused, Err(ProduceError::NoApp { .. }));
    assert!(ended, "{refused:?}");
    assert!(numbers(&broker).is_empty());
    assert_eq!(outputs.in_flight(), 0);
}
