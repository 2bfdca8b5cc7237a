//! A handler that knows how many partitions its topic has.

use crate::Tester;
use crate::tests::bugs::Handler;
use fastkafka::{App, EventMetadata, State, Topic, consumes};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const PARTITIONS: usize = 3;

#[derive(Clone, Default)]
struct Three(Arc<Mutex<[u64; PARTITIONS]>>);

struct Careless;

#[consumes(app = Careless, topic = "visits", auto_offset_reset = "earliest")]
async fn counts_three(_: u64, record: EventMetadata, State(counts): State<Three>) {
    let partition = usize::try_from(record.partition()).unwrap();
    counts.0.lock().unwrap()[partition] += 1;
}

#[derive(Clone, Default)]
struct Any(Arc<Mutex<BTreeMap<i32, u64>>>);

struct Careful;

#[consumes(app = Careful, topic = "visits", auto_offset_reset = "earliest")]
async fn counts_any(_: u64, record: EventMetadata, State(counts): State<Any>) {
    *counts
        .0
        .lock()
        .unwrap()
        .entry(record.partition())
        .or_default() += 1;
}

async fn a_topic_that_grows<A: 'static, H: Handler<u64>>() {
    let app = App::scoped::<A>()
        .title("Visits")
        .topic("visits", Topic::new().partitions(3))
        .state(Three::default())
        .state(Any::default())
        .build();
    let tester = Tester::start(app).await.unwrap();
    tester.grow_topic("visits", 5);
    tester.mirror::<H>().send_all(0..10).await;
    assert_eq!(tester.lag("visits", "visits"), 0);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "`counts_three` panicked: index out of bounds")]
async fn new_partitions_show_it() {
    a_topic_that_grows::<Careless, counts_three>().await;
}

#[tokio::test(start_paused = true)]
async fn a_count_for_each_that_there_is_passes() {
    a_topic_that_grows::<Careful, counts_any>().await;
}
