//! Changes of servers, topics and the app's own description.

use crate::{base, changes, document, one};
use serde_json::json;

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
