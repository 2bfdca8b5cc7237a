//! Members that come and go while something else goes wrong.

use crate::Tester;
use fastkafka::{App, Topic, consumes};
use std::time::Duration;

struct Slow;

#[consumes(app = Slow, topic = "orders", auto_offset_reset = "earliest", attempts = 3, backoff = Duration::from_secs(1), handler_timeout = Duration::from_secs(5), on_failure = "skip")]
async fn on_slow(n: u64) {
    // Some never return by themselves.
    let seconds = if n.is_multiple_of(3) { 3_600 } else { 1 };
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

async fn start() -> Tester {
    let app = || {
        App::scoped::<Slow>()
            .title("Slow")
            .topic("orders", Topic::new().partitions(6))
            .build()
    };
    let tester = Tester::builder().in_memory_broker();
    tester.start_with(app).await.unwrap()
}

/// Each would do its part of the rebalance, and none can. They must not wake each other meanwhile: time
/// would stand still.
#[tokio::test(start_paused = true)]
async fn members_in_a_rebalance_wait_for_a_broker_that_is_down() {
    let tester = start().await;
    for _ in 0..2 {
        tester.add_member().await.unwrap();
    }
    tester.settle().await.unwrap();
    for n in 0..12 {
        tester
            .mirror::<on_slow>()
            .raw(n.to_string())
            .unsettled()
            .await;
    }
    tester.advance(Duration::from_millis(1)).await;
    // Another topic partition: all members have to join again, and hold records.
    tester.grow_topic("orders", 7);
    tester.broker_down();
    tester.advance(Duration::from_secs(60)).await;
    tester.broker_up();
    tester.settle().await.unwrap();
    tester.stop().await;
}

/// It has been given partitions by the group, and is on its way out before it has taken them.
#[tokio::test(start_paused = true)]
async fn a_member_that_drains_declines_what_it_is_given() {
    let tester = start().await;
    tester.add_member().await.unwrap();
    for n in 0..60 {
        tester
            .mirror::<on_slow>()
            .raw(n.to_string())
            .unsettled()
            .await;
    }
    tester.advance(Duration::from_millis(1)).await;
    // The younger member stops with a record in hand, and meanwhile the topic grows.
    let stopping = tester.remove_member();
    let growing = async {
        tester.advance(Duration::from_secs(1)).await;
        tester.grow_topic("orders", 12);
    };
    let (stopped, ()) = tokio::join!(stopping, growing);
    stopped.unwrap();
    tester.settle().await.unwrap();
    tester.stop().await;
}

/// The last commits of some of its partitions were lost, and another member has handled the records again.
#[tokio::test(start_paused = true)]
async fn what_became_of_partitions_that_were_given_away_is_no_matter_of_a_stop() {
    let tester = start().await;
    tester.lose_commits();
    for n in 0..6 {
        let order = tester.mirror::<on_slow>().raw((3 * n + 1).to_string());
        order.unsettled().await;
    }
    tester.advance(Duration::from_secs(2)).await;
    tester.add_member().await.unwrap();
    tester.advance(Duration::from_secs(1)).await;
    tester.restore_commits();
    tester.settle().await.unwrap();
    assert_eq!(tester.lag("slow", "orders"), 0);
    tester.stop().await;
}
