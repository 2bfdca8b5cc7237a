//! Tests on a real broker, and the records that they wait for: here on the broker in the process.

use crate::Tester;
use fastkafka::{App, Failure, KafkaEvent, ProduceError, State, Topic, consumes, produces};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

struct Sources;

type Sum = Arc<AtomicU64>;

/// Takes its time, so that who does not wait for it comes too early.
#[consumes(app = Sources, topic = "rates", group_id = None, auto_offset_reset = "earliest")]
async fn on_rates(rate: u64, State(sum): State<Sum>) {
    tokio::time::sleep(Duration::from_millis(200)).await;
    sum.fetch_add(rate, Relaxed);
}

#[consumes(
    app = Sources,
    pattern = "^orders",
    group_id = "orders",
    auto_offset_reset = "earliest",
    attempts = 1,
    dead_letter = "orders.dead"
)]
async fn on_orders(order: u64) -> Result<(), Failure> {
    match order {
        13 => Err(Failure::reject("unlucky")),
        _ => Ok(()),
    }
}

async fn start(sum: &Sum) -> Tester {
    let app = App::scoped::<Sources>()
        .title("Sources")
        .topic("rates", Topic::new().partitions(2))
        .topic("orders.eu", Topic::new().partitions(2))
        .state(sum.clone())
        .build();
    Tester::builder().embedded().start(app).await.unwrap()
}

#[tokio::test]
async fn what_is_read_without_a_group_is_waited_for() {
    let sum = Sum::default();
    let tester = start(&sum).await;
    tester.mirror::<on_rates>().send_all(1..=4).await;
    assert_eq!(sum.load(Relaxed), 10);
    tester.to_rates(5).await;
    assert_eq!(sum.load(Relaxed), 15);
    tester.stop().await;
}

#[tokio::test]
async fn a_pattern_finds_the_topics_of_the_test_and_no_dead_letters() {
    let tester = start(&Sum::default()).await;
    let orders = tester.mirror::<on_orders>().topic("orders.eu");
    orders.send_all([1, 13, 2]).await;
    assert_eq!(tester.spy::<on_orders>().count(), 3);
    assert_eq!(tester.records("orders.dead").len(), 1);
    assert_eq!(tester.lag("orders", "orders.eu"), 0);
    tester.stop().await;
}

struct Timed;

#[produces(app = Timed, topic = "timed")]
async fn to_timed((millis, partition): (i64, i32)) -> Result<KafkaEvent<u64>, ProduceError> {
    Ok(KafkaEvent::new(1).timestamp(millis).partition(partition))
}

/// On Kafka the first was the present and the last any partition; in memory they were 0, and refused.
#[tokio::test]
async fn a_time_or_a_partition_that_clients_do_not_write_is_refused_in_memory_and_on_a_broker() {
    for is_embedded in [false, true] {
        let app = App::scoped::<Timed>()
            .title("Timed")
            .topic("timed", Topic::new().partitions(2))
            .build();
        let builder = Tester::builder();
        let builder = if is_embedded {
            builder.embedded()
        } else {
            builder
        };
        let tester = builder.start(app).await.unwrap();
        for refused in [(0, 0), (-1, 0), (1, -1)] {
            let error = to_timed(refused).await.unwrap_err();
            assert!(error.is_permanent(), "{refused:?}: {error}");
        }
        to_timed((1, 1)).await.unwrap();
        tester.settle().await.unwrap();
        let records = tester.records("timed");
        assert_eq!(records.len(), 1, "embedded: {is_embedded}");
        assert_eq!((records[0].timestamp, records[0].partition), (1, 1));
        tester.stop().await;
    }
}
