//! Handlers that read several topics, or those that match a pattern.

use crate::Tester;
use fastkafka::{App, EventMetadata, Failure, ProduceError, Topic, consumes, produces};
use std::panic::AssertUnwindSafe;

struct Regions;

#[consumes(
    app = Regions,
    pattern = "^orders\\..+",
    auto_offset_reset = "earliest",
    dead_letter = "orders.dead"
)]
async fn on_orders(order: u64, meta: EventMetadata) -> Result<(), Failure> {
    if order == 13 {
        return Err(Failure::reject("unlucky"));
    }
    let sent = to_counted(meta.topic().to_owned()).await;
    sent.map(drop).map_err(Failure::from_error)
}

#[consumes(app = Regions, topics = ["returns", "eu.returns"], group_id = "returns", auto_offset_reset = "earliest")]
async fn on_returns(_: u64) {}

/// Begins where it finds a topic.
#[consumes(app = Regions, pattern = "^news", group_id = "news")]
async fn on_news(_: u64) {}

#[produces(app = Regions)]
async fn to_counted(topic: String) -> Result<String, ProduceError> {
    Ok(topic)
}

fn app() -> App {
    App::scoped::<Regions>()
        .title("Regions")
        .topic("orders.eu", Topic::new().partitions(2))
        .topic("stock", Topic::new())
        .build()
}

async fn start() -> Tester {
    let tester = Tester::builder().in_memory_broker();
    tester.start_with(app).await.unwrap()
}

fn panic_of(f: impl FnOnce()) -> String {
    let panic = std::panic::catch_unwind(AssertUnwindSafe(f)).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn a_handler_by_pattern_reads_the_topics_that_match_and_no_dead_letter() {
    let tester = start().await;
    let orders = tester.mirror::<on_orders>().topic("orders.eu");
    orders.send(1).await;
    orders.send(13).await;
    tester
        .on_counted()
        .assert_called_once_with(&"orders.eu".to_owned());
    assert_eq!(tester.records("orders.dead").len(), 1);
    assert_eq!(tester.spy::<on_orders>().count(), 2);
    assert_eq!(tester.lag("regions", "orders.eu"), 0);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_appears_later_is_found_by_every_member() {
    let tester = start().await;
    tester.add_member().await.unwrap();
    tester.create_topic("orders.asia", 4);
    let orders = tester.mirror::<on_orders>().topic("orders.asia");
    orders.send_all(0..12).await;
    tester.grow_topic("orders.asia", 6);
    orders.send_all(20..32).await;
    assert_eq!(tester.on_counted().count(), 24);
    assert_eq!(tester.committed("regions", "orders.asia").len(), 6);
    tester.crash_and_restart().await.unwrap();
    orders.send(40).await;
    assert_eq!(tester.on_counted().count(), 25);
    tester.stop().await;
}

/// As on Kafka: `auto_offset_reset` is "latest".
#[tokio::test(start_paused = true)]
async fn what_is_sent_before_a_topic_is_found_may_be_skipped() {
    let tester = start().await;
    tester.create_topic("news", 1);
    let news = tester.mirror::<on_news>().topic("news");
    news.send(1).await;
    tester.spy::<on_news>().assert_not_called();
    news.send(2).await;
    tester.spy::<on_news>().assert_called_once_with(&2);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn chaos_keeps_its_promises_by_pattern() {
    for seed in 0..3 {
        let tester = start().await;
        tester.create_topic("orders.asia", 2);
        for topic in ["orders.eu", "orders.asia"] {
            let orders = tester.mirror::<on_orders>().topic(topic);
            orders.send_all(20..70).unsettled().await;
        }
        tester.chaos(seed).await;
        for topic in ["orders.eu", "orders.asia"] {
            let counted = tester.on_counted().messages();
            let counted = counted.iter().filter(|counted| *counted == topic).count();
            assert!(counted >= 50, "{counted} of {topic} with seed {seed}");
        }
        tester.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_of_several_topics_has_a_mirror() {
    let tester = start().await;
    tester.to_returns(1).await;
    tester.to_eu_returns(2).await;
    let returns = tester.mirror::<on_returns>();
    returns.topic("eu.returns").send(3).await;
    let topics = tester.spy::<on_returns>().records();
    let topics: Vec<_> = topics.into_iter().map(|record| record.topic).collect();
    assert_eq!(topics, ["returns", "eu.returns", "eu.returns"]);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_the_handler_does_not_read_is_an_error_that_says_what_it_reads() {
    let tester = start().await;
    for (topic, why) in [
        (
            "stock",
            "`on_orders` does not read `stock`: it reads topics that match `^orders\\..+`, without `orders.dead`",
        ),
        (
            "orders.dead",
            "`on_orders` does not read `orders.dead`: it reads topics that match `^orders\\..+`, without `orders.dead`",
        ),
    ] {
        let mirror = || drop(tester.mirror::<on_orders>().topic(topic));
        assert_eq!(panic_of(mirror), why);
    }
    assert_eq!(
        panic_of(|| drop(tester.mirror::<on_returns>().topic("stock"))),
        "`on_returns` does not read `stock`: it reads `returns`, `eu.returns`"
    );
    assert_eq!(
        panic_of(|| drop(tester.mirror::<on_orders>().send(1))),
        "`on_orders` reads topics that match `^orders\\..+`, without `orders.dead`: say which, `tester.mirror::<on_orders>().topic(\"..\")`"
    );
    assert_eq!(
        panic_of(|| drop(tester.mirror::<on_returns>().send(1))),
        "`on_returns` reads `returns`, `eu.returns`: say which, `tester.mirror::<on_returns>().topic(\"..\")`"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_assertion_shows_the_records_of_all_topics_that_match() {
    let tester = start().await;
    tester.create_topic("orders.asia", 1);
    for topic in ["orders.eu", "orders.asia"] {
        let orders = tester.mirror::<on_orders>().topic(topic);
        orders.send(7).partition(0).await;
    }
    let text = panic_of(|| tester.spy::<on_orders>().assert_called_once());
    let (_, records) = text
        .split_once("records of topics that match `^orders\\..+`, without `orders.dead`:\n")
        .unwrap();
    assert!(records.contains("orders.eu[0] offset 0: 7\n"), "{records}");
    assert!(
        records.contains("orders.asia[0] offset 0: 7\n"),
        "{records}"
    );
}

struct Wrong;

#[consumes(app = Wrong, pattern = "^orders\\.\\d")]
async fn on_wrong(_: u64) {}

#[tokio::test(start_paused = true)]
async fn a_pattern_that_means_something_else_on_a_server_is_refused() {
    let app = App::scoped::<Wrong>().title("wrong").build();
    let error = Tester::builder().in_memory_broker().start(app).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("`\\d` is not in POSIX's"), "{error}");
}
