//! Records on their way to a broker that comes and goes.

use super::*;
use fastkafka_core::DeliveryScope;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// As with an idempotent producer: what waited is not overtaken by what is sent while it goes out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_arrive_in_the_order_of_the_calls_while_the_broker_comes_and_goes() {
    const RECORDS: u32 = 20_000;
    let broker = Broker::new();
    broker.state().cluster.create_topic("numbers", 1);
    let outputs = MemoryOutputs::new(broker.clone(), &[], usize::MAX);
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
            let record = OutRecord {
                producer: None,
                cluster: None,
                topic: "numbers",
                partition: None,
                payload: Some(&n.to_be_bytes()),
                key: None,
                headers: &[],
                timestamp: None,
            };
            outputs.enqueue(record, scope.token(0)).unwrap();
        }
        over.store(true, Relaxed);
    });
    let delivered = scope.reports().await.unwrap();
    assert_eq!(delivered.len(), 20_000, "all of them, each once");
    let records = broker.journal.records("numbers");
    let numbers = records.iter().map(|record| {
        let payload = record.payload.as_deref().unwrap();
        u32::from_be_bytes(payload.try_into().unwrap())
    });
    assert!(numbers.eq(0..RECORDS));
}
