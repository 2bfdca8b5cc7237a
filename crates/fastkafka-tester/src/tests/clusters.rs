//! An app on several clusters, and several apps on one of them.

use crate::{CallOutcome, ProduceFault, Tester};
use fastkafka::cluster::Brokers;
use fastkafka::control::{Seek, Target};
use fastkafka::{App, EventMetadata, ProduceError, Topic, consumes, produces};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

fn payments() -> Brokers {
    Brokers::new("payments")
}

struct Shop;

#[consumes(app = Shop, topic = "orders", auto_offset_reset = "earliest")]
async fn on_orders(order: u64) -> Result<(), ProduceError> {
    to_paid_orders(order).await?;
    Ok(())
}

/// The same topic in the same group, and on the other cluster.
#[consumes(
    app = Shop,
    topic = "orders",
    brokers = payments,
    auto_offset_reset = "earliest",
    attempts = 1,
    dead_letter = "failed"
)]
async fn on_paid_orders(order: u64, meta: EventMetadata) -> Result<(), String> {
    assert_eq!(meta.cluster(), "payments");
    match order {
        13 => Err("an unlucky order".to_owned()),
        _ => Ok(()),
    }
}

#[produces(app = Shop, topic = "orders", brokers = payments)]
async fn to_paid_orders(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

fn shop() -> App {
    App::scoped::<Shop>().title("Shop").build()
}

#[tokio::test(start_paused = true)]
async fn one_topic_on_two_clusters_is_two_and_so_is_a_group() {
    let tester = Tester::start(shop()).await.unwrap();
    tester.mirror::<on_orders>().send(7).await;
    tester.spy::<on_orders>().assert_called_once_with(&7);
    tester.on_orders().assert_called_once_with(&7);
    tester.spy::<on_paid_orders>().assert_called_once_with(&7);
    for name in ["", "payments"] {
        let cluster = tester.cluster(name);
        let records = cluster.records("orders");
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].cluster, name);
        assert_eq!(
            cluster.committed("shop", "orders"),
            BTreeMap::from([(0, 1)])
        );
        assert_eq!(cluster.members("shop"), 1);
    }
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_mirror_sends_to_the_cluster_of_its_function() {
    let tester = Tester::start(shop()).await.unwrap();
    tester.mirror::<on_paid_orders>().send(3).await;
    tester.spy::<on_orders>().assert_not_called();
    let spy = tester.spy::<on_paid_orders>();
    spy.assert_called_once_with(&3);
    assert_eq!(spy.records()[0].cluster, "payments");
    assert_eq!(tester.cluster("").records("orders").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn while_the_cluster_of_an_output_is_away_the_source_offset_is_not_committed() {
    let tester = Tester::start(shop()).await.unwrap();
    let (source, output) = (tester.cluster(""), tester.cluster("payments"));
    let before = source.committed("shop", "orders");
    output.broker_down();
    tester.mirror::<on_orders>().send(7).unsettled().await;
    tester.advance(Duration::from_secs(1)).await;
    // The source cluster is well. It takes no commit of a record that is not settled.
    let call = &tester.spy::<on_orders>().calls()[0];
    assert_eq!(call.outcome(), CallOutcome::Done);
    assert_eq!(source.committed("shop", "orders"), before);
    output.broker_up();
    tester.settle().await.unwrap();
    assert_eq!(source.lag("shop", "orders"), 0);
    assert_eq!(tester.on_orders().messages(), [7]);
    assert_eq!(tester.spy::<on_orders>().count(), 1);
}

/// Reads nothing from the other cluster, so that it starts while that is away.
struct Relay;

#[consumes(app = Relay, topic = "invoices", auto_offset_reset = "earliest")]
async fn on_invoices(invoice: u64) -> Result<(), ProduceError> {
    to_paid_invoices(invoice).await?;
    Ok(())
}

#[produces(app = Relay, topic = "invoices", brokers = payments)]
async fn to_paid_invoices(invoice: u64) -> Result<u64, ProduceError> {
    Ok(invoice)
}

#[tokio::test(start_paused = true)]
async fn what_was_on_its_way_to_a_cluster_that_is_away_outlives_a_crash() {
    let tester = Tester::start_with(|| App::scoped::<Relay>().title("Relay").build());
    let tester = tester.await.unwrap();
    let output = tester.cluster("payments");
    output.broker_down();
    tester.to_invoices(7).unsettled().await;
    tester.advance(Duration::from_secs(1)).await;
    // With the process dies what it had sent; the record is handled again.
    tester.crash_and_restart().await.unwrap();
    tester.advance(Duration::from_secs(1)).await;
    assert_eq!(tester.spy::<on_invoices>().count(), 2);
    assert_eq!(tester.lag("relay", "invoices"), 1);
    output.broker_up();
    tester.settle().await.unwrap();
    assert_eq!(tester.on_invoices().messages(), [7]);
    assert_eq!(tester.lag("relay", "invoices"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_away_holds_nothing_up_that_has_no_business_there() {
    let tester = Tester::start(shop()).await.unwrap();
    tester.cluster("").broker_down();
    // Its handler reads from the other one, and writes nothing.
    tester.mirror::<on_paid_orders>().send(3).await;
    tester.spy::<on_paid_orders>().assert_called_once_with(&3);
    tester.cluster("").broker_up();
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_for_the_cluster_that_is_named() {
    let tester = Tester::start(shop()).await.unwrap();
    let payments = tester.cluster("payments");
    payments.fail_next_produce("orders", ProduceFault::Lost);
    tester.mirror::<on_orders>().send(7).await;
    assert_eq!(tester.spy::<on_orders>().count(), 2, "it is tried again");
    tester.cluster("").corrupt_next("orders");
    tester.mirror::<on_paid_orders>().send(8).await;
    assert_eq!(tester.spy::<on_paid_orders>().refused(), []);
    payments.corrupt_next("orders");
    tester.mirror::<on_paid_orders>().send(9).await;
    assert_eq!(tester.spy::<on_paid_orders>().refused().len(), 1);
    payments.rebalance().await.unwrap();
    payments.delete_records("orders", 0, 3);
    assert_eq!(payments.lag("shop", "orders"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_stays_on_the_cluster_of_its_record() {
    let tester = Tester::start(shop()).await.unwrap();
    tester.mirror::<on_paid_orders>().send(13).await;
    let letters = tester.cluster("payments").records("failed");
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].payload.as_deref(), Some(&b"13"[..]));
    assert_eq!(tester.cluster("").records("failed").len(), 0);
    // Only one cluster has it.
    assert_eq!(tester.records("failed"), letters);
}

fn text(ask: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(ask)).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn what_is_on_two_clusters_has_to_be_named_and_the_failure_says_how() {
    let tester = Tester::start(shop()).await.unwrap();
    let says = |what: &str, call: &str| {
        format!(
            "{what} on 2 clusters: say which, `tester.cluster(\"\").{call}(..)` or `tester.cluster(\"payments\").{call}(..)`"
        )
    };
    let orders = |call: &str| says("topic `orders` is", call);
    assert_eq!(text(|| _ = tester.records("orders")), orders("records"));
    assert_eq!(
        text(|| _ = tester.committed("shop", "orders")),
        orders("committed")
    );
    assert_eq!(
        text(|| tester.fail_next_produce("orders", ProduceFault::Lost)),
        orders("fail_next_produce")
    );
    assert_eq!(
        text(|| tester.create_topic("more", 1)),
        says("the apps are", "create_topic")
    );
    assert_eq!(
        text(|| _ = tester.members("shop")),
        says("group `shop` is", "members")
    );
    assert_eq!(
        text(|| _ = tester.cluster("paiments")),
        "the apps are on no cluster \"paiments\"; they are on \"\" and \"payments\""
    );
    assert_eq!(
        text(|| _ = tester.cluster("payments").lag("shop", "failures")),
        "there is no topic `failures` on `payments`"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_assertion_shows_the_records_of_the_functions_cluster() {
    let tester = Tester::start(shop()).await.unwrap();
    tester.mirror::<on_orders>().send(7).await;
    tester.mirror::<on_paid_orders>().send(8).await;
    let orders = tester.spy::<on_orders>();
    let failed = text(|| orders.assert_called_with(&9));
    assert!(
        failed.contains("records of topic `orders`:\n    orders[0] offset 0: 7\n  at"),
        "{failed}"
    );
    let paid = tester.spy::<on_paid_orders>();
    let failed = text(|| paid.assert_called_with(&9));
    assert!(
        failed.contains(
            "records of topic `orders` on `payments`:\n    orders[0] on `payments` offset 0: 7\n    orders[0] on `payments` offset 1: 8\n"
        ),
        "{failed}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_does_not_settle_is_named_with_its_cluster() {
    let tester = Tester::builder().settle_within(Duration::from_secs(300));
    let tester = tester.start(shop()).await.unwrap();
    let payments = tester.cluster("payments");
    payments.broker_down();
    tester.mirror::<on_orders>().send(7).unsettled().await;
    // It waits for a while: the handler may have another way out.
    let unsettled = tester.settle().await.unwrap_err();
    let [open, down, waited] = unsettled.problems() else {
        panic!("{unsettled}");
    };
    assert!(
        open.starts_with("orders[0] offset 0 of group `shop` is not settled: `on_orders` "),
        "{open}"
    );
    assert_eq!(
        down,
        "the broker of cluster `payments` is down: call `tester.cluster(\"payments\").broker_up()`"
    );
    assert_eq!(waited, "waited for 300s");

    payments.broker_up();
    tester.settle().await.unwrap();
    payments.lose_commits();
    tester.mirror::<on_paid_orders>().send(8).await;
    payments.broker_down();
    payments.restore_commits();
    // A record on a cluster that is down cannot end.
    let unsettled = tester.settle().await.unwrap_err();
    assert_eq!(unsettled.problems(), std::slice::from_ref(down));
    payments.broker_up();
    tester.slow::<on_paid_orders>(Duration::from_secs(1_000));
    tester.mirror::<on_paid_orders>().send(9).unsettled().await;
    let unsettled = tester.settle().await.unwrap_err();
    let open = &unsettled.problems()[0];
    let place = "orders[0] on `payments` offset ";
    assert!(open.starts_with(place), "{open}");
}

struct Stuck;

#[consumes(app = Stuck, topic = "stuck", auto_offset_reset = "earliest", attempts = "forever")]
async fn on_failing(_number: u64) -> Result<(), &'static str> {
    Err("the database is away")
}

#[consumes(app = Stuck, topic = "stuck", brokers = payments, auto_offset_reset = "earliest")]
async fn on_slow(_number: u64) {}

#[tokio::test(start_paused = true)]
async fn records_of_one_place_on_two_clusters_have_each_their_own_reason() {
    let app = App::scoped::<Stuck>().title("Stuck").build();
    let tester = Tester::start(app).await.unwrap();
    // Longer than `settle` waits.
    tester.slow::<on_slow>(Duration::from_secs(10_000));
    tester.mirror::<on_failing>().send(1).unsettled().await;
    tester.mirror::<on_slow>().send(2).unsettled().await;
    let unsettled = tester.settle().await.unwrap_err();
    let [failing, slow, _waited] = unsettled.problems() else {
        panic!("{unsettled}");
    };
    assert_eq!(
        failing,
        "stuck[0] offset 0 of group `stuck` is not settled: `on_failing` fails again and again: the database is away"
    );
    assert_eq!(
        slow,
        "stuck[0] on `payments` offset 0 of group `stuck` is not settled: `on_slow` was called and has not returned"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rebalance_meets_every_cluster_or_the_one_that_is_named() {
    let tester = Tester::start(both()).await.unwrap();
    // What is not committed is handled again by whoever has the partition next.
    tester.lose_commits();
    tester.mirror::<on_own>().send(1).await;
    tester.mirror::<on_other>().send(2).await;
    let counts = || {
        (
            tester.spy::<on_own>().count(),
            tester.spy::<on_other>().count(),
        )
    };
    assert_eq!(counts(), (1, 1));
    tester.rebalance().await.unwrap();
    tester.settle().await.unwrap();
    assert_eq!(counts(), (2, 2));
    tester.cluster("payments").rebalance().await.unwrap();
    tester.settle().await.unwrap();
    assert_eq!(counts(), (2, 3));
}

struct Both;

#[consumes(app = Both, topic = "both", auto_offset_reset = "earliest")]
async fn on_own(_number: u64) {}

#[consumes(app = Both, topic = "both", brokers = payments, auto_offset_reset = "earliest")]
async fn on_other(_number: u64) {}

fn both() -> App {
    App::scoped::<Both>().title("Both").build()
}

struct Accounts;

#[consumes(app = Accounts, topic = "orders", auto_offset_reset = "earliest")]
async fn on_account_orders(_order: u64) {}

fn accounts() -> App {
    let app = App::scoped::<Accounts>().title("Accounts");
    app.brokers(payments).build()
}

#[tokio::test(start_paused = true)]
async fn apps_share_a_cluster_by_its_name() {
    let tester = Tester::start([shop(), accounts()]).await.unwrap();
    tester.mirror::<on_orders>().send(7).await;
    // The own cluster of one app is the other cluster of the other.
    let accounts = tester.spy::<on_account_orders>();
    accounts.assert_called_once_with(&7);
    // A group that is on one cluster tells which is meant.
    assert_eq!(tester.lag("accounts", "orders"), 0);
    assert_eq!(tester.members("accounts"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_topic_has_the_partitions_that_one_of_its_apps_declares() {
    let shop = || {
        let app = App::scoped::<Shop>().title("Shop");
        app.topic("orders", Topic::new().partitions(3)).build()
    };
    for apps in [[shop(), accounts()], [accounts(), shop()]] {
        let tester = Tester::start(apps).await.unwrap();
        assert_eq!(tester.committed("accounts", "orders").len(), 3);
        let own = tester.cluster("").committed("shop", "orders");
        assert_eq!(own.len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_has_the_only_name_needs_no_naming() {
    let tester = Tester::start(accounts()).await.unwrap();
    tester.mirror::<on_account_orders>().send(7).await;
    assert_eq!(tester.records("orders")[0].cluster, "payments");
    tester.create_topic("more", 1);
    assert_eq!(tester.lag("accounts", "orders"), 0);
}

#[tokio::test(start_paused = true)]
async fn chaos_takes_all_clusters_and_loses_nothing() {
    for seed in 0..8 {
        let tester = Tester::start_with(shop).await.unwrap();
        let orders = tester.mirror::<on_orders>();
        orders.send_all(20..30).unsettled().await;
        tester.chaos(seed).steps(20).await;
        let mut arrived = tester.on_orders().messages();
        arrived.sort_unstable();
        arrived.dedup();
        assert_eq!(arrived, Vec::from_iter(20..30), "seed {seed}");
    }
}

struct Found;

#[consumes(app = Found, pattern = "^orders\\.", auto_offset_reset = "earliest")]
async fn on_all(_order: u64) {}

#[consumes(
    app = Found,
    pattern = "^orders\\.",
    brokers = payments,
    auto_offset_reset = "earliest"
)]
async fn on_all_paid(_order: u64) {}

/// Every process reads all of it.
#[consumes(
    app = Found,
    topic = "rates",
    brokers = payments,
    group_id = None,
    auto_offset_reset = "earliest"
)]
async fn on_rates(_rate: u64) {}

fn found() -> App {
    App::scoped::<Found>().title("Found").build()
}

#[tokio::test(start_paused = true)]
async fn a_pattern_finds_topics_of_its_own_cluster() {
    let tester = Tester::start(found()).await.unwrap();
    tester.cluster("payments").create_topic("orders.eu", 2);
    let mirror = tester.mirror::<on_all_paid>().topic("orders.eu");
    mirror.send_all(1..=4).await;
    assert_eq!(tester.spy::<on_all_paid>().count(), 4);
    tester.spy::<on_all>().assert_not_called();
    // The test has made it on one of them alone.
    assert_eq!(tester.records("orders.eu").len(), 4);
    tester.grow_topic("orders.eu", 3);
    mirror.send(5).partition(2).await;
    tester.cluster("").create_topic("orders.eu", 1);
    let mirror = tester.mirror::<on_all>().topic("orders.eu");
    mirror.send(6).await;
    assert_eq!(tester.spy::<on_all>().count(), 1);
    assert_eq!(tester.spy::<on_all_paid>().count(), 5);
}

#[tokio::test(start_paused = true)]
async fn what_is_read_without_a_group_is_read_from_its_cluster() {
    let tester = Tester::start(found()).await.unwrap();
    tester.to_rates(4).await;
    tester.spy::<on_rates>().assert_called_once_with(&4);
    assert_eq!(tester.records("rates")[0].cluster, "payments");
}

#[tokio::test(start_paused = true)]
async fn a_seek_moves_the_position_on_one_cluster() {
    let app = shop();
    let tester = Tester::start(app.clone()).await.unwrap();
    tester.mirror::<on_orders>().send(7).await;
    let paid = Target::topic("orders").cluster("payments");
    app.handle().seek(paid, Seek::Beginning).await.unwrap();
    tester.settle().await.unwrap();
    assert_eq!(tester.spy::<on_paid_orders>().count(), 2);
    assert_eq!(tester.spy::<on_orders>().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn more_partitions_are_on_every_cluster_that_has_the_topic() {
    let more = Tester::builder().topic("orders", 2);
    let tester = more.start(shop()).await.unwrap();
    for name in ["", "payments"] {
        let committed = tester.cluster(name).committed("shop", "orders");
        assert_eq!(committed.len(), 2, "{name:?}");
    }
}

struct Elsewhere;

#[consumes(app = Elsewhere, topic = "orders", auto_offset_reset = "earliest")]
async fn on_here(_order: u64) {}

#[consumes(
    app = Elsewhere,
    topic = "orders",
    bootstrap_servers = "elsewhere:9092",
    auto_offset_reset = "earliest"
)]
async fn on_elsewhere(_order: u64) {}

#[tokio::test(start_paused = true)]
async fn an_address_is_a_cluster() {
    let app = App::scoped::<Elsewhere>().title("Elsewhere").build();
    let tester = Tester::start(app).await.unwrap();
    tester.mirror::<on_elsewhere>().send(1).await;
    tester.spy::<on_here>().assert_not_called();
    let records = tester.cluster("elsewhere:9092").records("orders");
    assert_eq!(records.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_contract_tells_the_clusters_apart() {
    let tester = Tester::start(shop()).await.unwrap();
    let document = tester.asyncapi();
    assert_eq!(document, shop().asyncapi());
    let channels = document.channels.values();
    let addresses: Vec<_> = channels.filter_map(|c| c.address.as_deref()).collect();
    assert_eq!(addresses, ["failed", "orders", "orders"]);
}
