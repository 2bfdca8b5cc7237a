//! Changes of servers, topics and the app's own description.

use crate::tests::changes::{base, changes, document, one};
use serde_json::{Value, json};

#[test]
fn the_version_and_the_title_change() {
    document(
        "/info/version",
        json!("2.0.0"),
        false,
        "version changed from `1.0.0` to `2.0.0`",
    );
    document("/info/title", json!("Bills"), false, "title changed");
    document(
        "/info/description",
        json!("Bills."),
        false,
        "description, contact",
    );
}

#[test]
fn a_server_is_added_or_removed() {
    document(
        "/servers/staging",
        json!({ "host": "b:9092", "protocol": "kafka" }),
        false,
        "server staging: is new",
    );
    document("/servers", json!({}), true, "server production: is gone");
}

#[test]
fn a_server_moves() {
    document(
        "/servers/production/host",
        json!("other:9093"),
        true,
        "changed its addresses",
    );
}

#[test]
fn a_server_gets_a_second_address() {
    let mut new = base();
    new["servers"]["production"]["host"] = "{bootstrap}".into();
    new["servers"]["production"]["variables"] = json!({ "bootstrap": { "enum": ["kafka.example.com:9093", "b.example.com:9093"], "default": "kafka.example.com:9093" } });
    one(
        &changes(&base(), &new),
        false,
        "changed its addresses from `kafka.example.com:9093` to",
    );
}

#[test]
fn a_server_changes_its_protocol_or_the_way_in() {
    document(
        "/servers/production/protocol",
        json!("kafka"),
        true,
        "protocol from `kafka-secure` to `kafka`",
    );
    document(
        "/components/securitySchemes/production/type",
        json!("plain"),
        true,
        "ways in from [`scramSha512`] to [`plain`]",
    );
}

#[test]
fn partitions_change() {
    document(
        "/channels/orders/bindings/kafka/partitions",
        json!(12),
        true,
        "topic orders: changed from 6 to 12 partitions",
    );
    document(
        "/channels/orders/bindings/kafka/partitions",
        json!(null),
        false,
        "no longer declares its partitions",
    );
}

#[test]
fn settings_of_a_topic_change() {
    let at = "/channels/orders/bindings/kafka/topicConfiguration";
    document(
        at,
        json!({ "cleanup.policy": ["compact"] }),
        true,
        "changed `cleanup.policy`",
    );
    document(
        at,
        json!({ "retention.ms": 1000 }),
        false,
        "changed `retention.ms` from the broker's default to `1000`",
    );
    document(
        "/channels/orders/bindings/kafka/replicas",
        json!(3),
        false,
        "changed its replicas",
    );
}

#[test]
fn a_topic_is_on_fewer_servers() {
    let both = json!([{ "$ref": "#/servers/production" }, { "$ref": "#/servers/staging" }]);
    let mut old = base();
    old["channels"]["orders"]["servers"] = both;
    let mut new = base();
    new["channels"]["orders"]["servers"] = json!([{ "$ref": "#/servers/production" }]);
    one(&changes(&old, &new), true, "changed its servers");
    one(&changes(&new, &base()), false, "changed its servers");
}

fn on(server: &str) -> Value {
    json!([{ "$ref": format!("#/servers/{server}") }])
}

/// Orders on two clusters, read on the first.
fn two_clusters() -> Value {
    let mut document = base();
    document["servers"]["payments"] = json!({ "host": "b:9092", "protocol": "kafka" });
    document["channels"]["payments.orders"] = document["channels"]["orders"].clone();
    document["channels"]["orders"]["servers"] = on("production");
    document["channels"]["payments.orders"]["servers"] = on("payments");
    document
}

#[test]
fn a_function_moves_to_the_topic_of_the_same_name_on_another_cluster() {
    let mut new = two_clusters();
    new["operations"]["on_orders"]["channel"] = json!({ "$ref": "#/channels/payments.orders" });
    one(
        &changes(&two_clusters(), &new),
        true,
        "on_orders (receives payments.orders): moved to a topic of the same name on other servers, \
         from [`production`] to [`payments`]",
    );
}

#[test]
fn a_function_with_a_new_name_is_found_on_its_own_cluster() {
    let mut new = two_clusters();
    let read = new["operations"]["on_orders"].take();
    new["operations"] =
        json!({ "to_invoices": two_clusters()["operations"]["to_invoices"], "on_new": read });
    one(
        &changes(&two_clusters(), &new),
        false,
        "was called `on_orders`",
    );
    new["operations"]["on_new"]["channel"] = json!({ "$ref": "#/channels/payments.orders" });
    let changes = changes(&two_clusters(), &new);
    let said: Vec<_> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "breaking    on_orders (receives orders): is gone: nothing handles what is sent to the topic",
            "compatible  on_new (receives payments.orders): is new",
        ]
    );
}

#[test]
fn a_topic_is_found_again_when_another_cluster_has_taken_the_name_of_its_channel() {
    // Before, only the second cluster has the topic.
    let mut old = two_clusters();
    let channels = old["channels"].as_object_mut().unwrap();
    let only = channels.remove("payments.orders").unwrap();
    channels["orders"] = only;
    let mut new = two_clusters();
    new["operations"]["on_orders"]["channel"] = json!({ "$ref": "#/channels/payments.orders" });
    assert_eq!(changes(&old, &new), []);
    new["channels"]["payments.orders"]["bindings"]["kafka"]["partitions"] = json!(12);
    one(
        &changes(&old, &new),
        true,
        "topic payments.orders: changed from 6 to 12 partitions",
    );
}
