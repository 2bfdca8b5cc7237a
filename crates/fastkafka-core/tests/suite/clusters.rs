//! The cluster of a function, and the consequences.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use fastkafka::*;
use fastkafka_macros::{consumes, produces};
use std::any::TypeId;

fn payments() -> Brokers {
    Brokers::new("payments")
        .broker("localhost", Broker::new("localhost:9093"))
        .broker("production", Broker::new("payments-1:9092"))
}

struct Shop;

#[consumes(app = Shop, topic = "orders", group_id = "shop", dead_letter = "failed")]
async fn on_orders(_order: u64) {}

/// The same topic and group on another cluster, read as something else.
#[consumes(app = Shop, topic = "orders", group_id = "shop", brokers = payments, dead_letter = "failed")]
async fn on_paid_orders(_order: String) {}

#[produces(app = Shop, topic = "payments", brokers = payments())]
async fn to_payments(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

/// An address says where its function is, too.
#[produces(app = Shop, topic = "audit", bootstrap_servers = "audit:9092")]
async fn to_audit(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

fn app<S: 'static>() -> AppSpec {
    let registry = Registry::linked(TypeId::of::<S>());
    let mut app = AppSpec::new(AppInfo::default(), registry, &States::default());
    app.brokers = Brokers::default().broker("localhost", Broker::new("localhost:9092"));
    app
}

fn problems<S: 'static>() -> Vec<String> {
    let (_, problems) = Plan::sketch(&app::<S>());
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_topic_and_a_group_on_two_clusters_are_two_of_each() {
    let plan = Plan::new(&app::<Shop>()).unwrap();
    let clusters: Vec<_> = plan.clusters.iter().map(|c| &*c.name).collect();
    assert_eq!(clusters, ["", "audit:9092", "payments"]);
    let groups: Vec<_> = plan
        .groups
        .iter()
        .map(|group| (&*group.cluster, &*group.id, group.handlers[0].def.name))
        .collect();
    let expected = [
        ("", "shop", "on_orders"),
        ("payments", "shop", "on_paid_orders"),
    ];
    assert_eq!(groups, expected);
    let outputs = plan.outputs.iter();
    let outputs: Vec<_> = outputs.map(|o| (&*o.cluster, o.def.name)).collect();
    assert_eq!(
        outputs,
        [("audit:9092", "to_audit"), ("payments", "to_payments")]
    );
    let topics = plan.topics();
    let topics: Vec<_> = topics.iter().map(|(c, t)| (&**c, &**t)).collect();
    let expected = [
        ("", "failed"),
        ("", "orders"),
        ("audit:9092", "audit"),
        ("payments", "failed"),
        ("payments", "orders"),
        ("payments", "payments"),
    ];
    assert_eq!(topics, expected);
}

#[test]
fn a_dead_letter_logs_in_where_it_is_written_and_not_where_the_apps_producers_do() {
    let mut app = app::<Shop>();
    app.producer_defaults = ProducerSettings::default()
        .sasl_plain_username("shop")
        .linger_ms(7u64);
    let plan = Plan::sketch(&app).0;
    let user = |cluster: &str| {
        let cluster = plan.clusters.iter().find(|c| c.name == cluster).unwrap();
        assert_eq!(cluster.dead_letters.linger_ms, Some(7));
        cluster.dead_letters.sasl_plain_username.clone()
    };
    assert_eq!(user("").as_deref(), Some("shop"));
    assert_eq!(user("payments"), None);
    // Nor do its producers: the login of all is that of the app's cluster.
    let to_payments = plan.outputs.iter().find(|o| o.def.name == "to_payments");
    assert_eq!(to_payments.unwrap().settings.sasl_plain_username, None);
}

#[test]
fn a_function_that_names_the_apps_own_cluster_logs_in_as_all_do() {
    let mut app = app::<Shop>();
    app.brokers = payments();
    app.consumer_defaults = ConsumerSettings::default().sasl_plain_username("reader");
    app.producer_defaults = ProducerSettings::default().sasl_plain_username("writer");
    let plan = Plan::sketch(&app).0;
    let handlers = plan.groups.iter().flat_map(|group| &group.handlers);
    let users: Vec<_> = handlers
        .map(|handler| handler.settings.sasl_plain_username.as_deref())
        .collect();
    assert_eq!(users, [Some("reader"), Some("reader")]);
    let to_payments = plan.outputs.iter().find(|o| o.def.name == "to_payments");
    let user = &to_payments.unwrap().settings.sasl_plain_username;
    assert_eq!(user.as_deref(), Some("writer"));
}

#[test]
fn the_apps_own_cluster_may_be_one_of_a_name() {
    let mut app = app::<Shop>();
    app.brokers = payments();
    let plan = Plan::sketch(&app).0;
    let clusters: Vec<_> = plan.clusters.iter().map(|c| &*c.name).collect();
    assert_eq!(clusters, ["payments", "audit:9092"]);
    assert_eq!(plan.groups.len(), 1, "they share a consumer");
}

#[test]
fn explain_shows_the_cluster_with_its_brokers() {
    let all = explain(&app::<Shop>());
    let to_payments = all.iter().find(|one| one.path.ends_with("to_payments"));
    let mut rows = to_payments.unwrap().rows.iter();
    let row = rows.find(|row| row.key == "brokers").unwrap();
    assert_eq!(
        row.value,
        "payments (localhost=localhost:9093; production=payments-1:9092)"
    );
}

struct Twofold;

#[consumes(app = Twofold, topic = "orders", brokers = payments, bootstrap_servers = "kafka:1")]
async fn on_twofold(_order: u64) {}

#[test]
fn brokers_and_an_address_exclude_each_other() {
    let found = problems::<Twofold>();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].ends_with(
            "has both `brokers` and `bootstrap_servers`; keep one: each says which cluster it is on"
        ),
        "{found:?}"
    );
}

struct Unlike;

#[consumes(app = Unlike, topic = "orders", brokers = payments)]
async fn on_unlike(_order: u64) {}

#[produces(app = Unlike, topic = "others", brokers = || Brokers::new("payments"))]
async fn to_unlike() -> Result<u64, ProduceError> {
    Ok(1)
}

#[test]
fn two_descriptions_of_one_cluster_are_a_problem() {
    let found = problems::<Unlike>();
    assert_eq!(found.len(), 1, "{found:?}");
    let text = &found[0];
    assert!(
        text.starts_with("cluster `payments` is described differently by `on_unlike` ("),
        "{text}"
    );
    assert!(text.contains(" and `to_unlike` ("), "{text}");
}

struct Nameless;

#[produces(app = Nameless, topic = "others", brokers = || Brokers::new("pay ments"))]
async fn to_nameless() -> Result<u64, ProduceError> {
    Ok(1)
}

#[test]
fn a_cluster_has_a_name_that_topics_of_a_test_can_carry() {
    let found = problems::<Nameless>();
    assert!(
        found[0].contains("has `brokers` of cluster `pay ments`, which is no name"),
        "{found:?}"
    );
}
