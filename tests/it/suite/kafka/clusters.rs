//! An app on two clusters: what crosses from one to the other, and when one of them is away.

use kafka_lab::{Kafka, NewRecord};
use serde_json::{Value, json};

use crate::kafka::fixture::{AppFixture, assert_at_least_once, assert_once, order};
use crate::kafka::process::{Process, eventually};

const GROUP: &str = "apart";

/// Two clusters with the same topics and the same group, and only what crosses is on one of them.
struct Apart {
    here: Kafka,
    elsewhere: Kafka,
}

impl Apart {
    fn start() -> Self {
        let start = || Kafka::start().unwrap();
        let apart = Self {
            here: start(),
            elsewhere: start(),
        };
        for topic in ["apart", "apart.dead", "apart.aside", "apart.back"] {
            apart.here.create_topic(topic, 1, &[]).unwrap();
        }
        for topic in ["apart", "apart.dead", "apart.out"] {
            apart.elsewhere.create_topic(topic, 1, &[]).unwrap();
        }
        apart
    }

    fn app(&self) -> Process {
        let here = ("HERE", self.here.bootstrap());
        let elsewhere = ("ELSEWHERE", self.elsewhere.bootstrap());
        let mut app = Process::orders_with(GROUP, "lab", &[here, elsewhere]);
        app.is_started();
        app
    }

    /// The orders that were read here, as their outputs on the other cluster tell.
    fn sent(&self) -> AppFixture<'_> {
        AppFixture::named(&self.elsewhere, GROUP)
    }

    fn committed(&self, topic: &str) -> i64 {
        let committed = self.here.committed(GROUP, topic).unwrap();
        committed.get(&0).copied().unwrap_or(0)
    }
}

fn send(kafka: &Kafka, topic: &str, orders: impl IntoIterator<Item = Value>) {
    let orders = orders.into_iter();
    // One key: in order.
    let records: Vec<_> = orders
        .map(|order| NewRecord::new(order.to_string()).key("all"))
        .collect();
    kafka.produce(topic, &records).unwrap();
}

#[test]
fn two_clusters_have_the_same_topic_and_the_same_group_each_with_its_own_offsets() {
    let apart = Apart::start();
    let app = apart.app();
    send(&apart.here, "apart", (0..3).map(order));
    let bad = json!({"id": 9, "fails": "rejected"});
    send(&apart.elsewhere, "apart", [order(0), bad]);
    apart.sent().await_count(3);
    eventually("each cluster has its commits", || {
        let here = apart.committed("apart");
        let elsewhere = apart.elsewhere.committed(GROUP, "apart").unwrap();
        (here == 3 && elsewhere.get(&0) == Some(&2)).then_some(())
    });
    app.stop();
    assert_once(&apart.sent().done(), 0..3);
    let end = |kafka: &Kafka, topic: &str| kafka.end_offsets(topic).unwrap()[&0];
    assert_eq!(end(&apart.here, "apart.back"), 1);
    // A dead letter stays on the cluster of its record.
    assert_eq!(end(&apart.elsewhere, "apart.dead"), 1);
    assert_eq!(end(&apart.here, "apart.dead"), 0);
}

#[test]
fn while_the_cluster_of_the_outputs_is_away_no_source_offset_is_committed_and_nothing_is_lost() {
    let mut apart = Apart::start();
    let mut app = apart.app();
    send(&apart.here, "apart", [order(0)]);
    eventually("the first order is through", || {
        (apart.committed("apart") == 1).then_some(())
    });
    apart.elsewhere.kill().unwrap();
    send(&apart.here, "apart", (1..5).map(order));
    app.says("order at 4 is handled");
    // What the same member handles after them is committed: a commit of the orders would have come too.
    send(&apart.here, "apart.aside", [order(0)]);
    eventually("another topic of the group is committed", || {
        (apart.committed("apart.aside") == 1).then_some(())
    });
    assert_eq!(apart.committed("apart"), 1);
    apart.elsewhere.restart().unwrap();
    eventually("the orders are committed", || {
        (apart.committed("apart") == 5).then_some(())
    });
    assert_once(&apart.sent().done(), 0..5);

    // Away again, and what is on its way dies with the process.
    apart.elsewhere.kill().unwrap();
    send(&apart.here, "apart", (5..10).map(order));
    app.says("order at 9 is handled");
    app.kill();
    apart.elsewhere.restart().unwrap();
    let again = apart.app();
    eventually("all orders are committed", || {
        (apart.committed("apart") == 10).then_some(())
    });
    again.stop();
    assert_at_least_once(&apart.sent().done(), 0..10);
}
