//! Changes of operations and their messages.

use crate::tests::changes::{base, changes, document, one};
use serde_json::{Value, json};

fn word(word: &str) -> Value {
    json!({ "type": "string", "enum": [word] })
}

/// The base with something done to it.
fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut document = base();
    change(&mut document);
    document
}

/// A second message beside the first.
fn with_returns(document: &mut Value, topic: &str, operation: &str) {
    document["components"]["messages"]["Return"] =
        json!({ "name": "Return", "payload": { "type": "boolean" } });
    document["channels"][topic]["messages"]["Return"] =
        json!({ "$ref": "#/components/messages/Return" });
    let messages = document["operations"][operation]["messages"]
        .as_array_mut()
        .unwrap();
    messages.push(json!({ "$ref": format!("#/channels/{topic}/messages/Return") }));
}

#[test]
fn a_consumer_is_removed() {
    let new = changed(|document| {
        drop(
            document["operations"]
                .as_object_mut()
                .unwrap()
                .remove("on_orders"),
        );
    });
    one(
        &changes(&base(), &new),
        true,
        "on_orders (receives orders): is gone",
    );
}

#[test]
fn a_producer_is_removed() {
    let new = changed(|document| {
        drop(
            document["operations"]
                .as_object_mut()
                .unwrap()
                .remove("to_invoices"),
        );
    });
    one(
        &changes(&base(), &new),
        true,
        "to_invoices (sends invoices): is gone",
    );
}

#[test]
fn a_function_is_added() {
    let new = changed(|document| {
        document["operations"]["on_invoices"] =
            json!({ "action": "receive", "channel": { "$ref": "#/channels/invoices" } });
    });
    one(
        &changes(&base(), &new),
        false,
        "on_invoices (receives invoices): is new",
    );
}

#[test]
fn a_function_is_renamed() {
    let new = changed(|document| {
        let operations = document["operations"].as_object_mut().unwrap();
        let operation = operations.remove("on_orders").unwrap();
        operations.insert("handle_orders".to_owned(), operation);
    });
    one(
        &changes(&base(), &new),
        false,
        "handle_orders (receives orders): was called `on_orders`",
    );
}

#[test]
fn a_function_moves_to_another_topic() {
    let new = changed(|document| {
        let mut channel = document["channels"]["orders"].clone();
        channel["address"] = "orders.v2".into();
        document["channels"]["orders.v2"] = channel;
        document["operations"]["on_orders"]["channel"]["$ref"] = "#/channels/orders.v2".into();
        document["operations"]["on_orders"]["messages"][0]["$ref"] =
            "#/channels/orders.v2/messages/Order".into();
    });
    one(
        &changes(&base(), &new),
        true,
        "moved from topic `orders` to `orders.v2`",
    );
}

#[test]
fn a_consumer_changes_its_group() {
    document(
        "/operations/on_orders/bindings/kafka/groupId",
        word("billing-2"),
        true,
        "consumer group from `billing` to `billing-2`",
    );
}

#[test]
fn a_client_id_changes() {
    document(
        "/operations/on_orders/bindings/kafka/clientId",
        word("billing-2"),
        false,
        "client id from `billing` to `billing-2`",
    );
}

#[test]
fn an_operation_is_described_in_other_words() {
    document(
        "/operations/on_orders/summary",
        json!("Books orders."),
        false,
        "described in other words",
    );
}

#[test]
fn a_message_is_received_too() {
    let new = changed(|document| with_returns(document, "orders", "on_orders"));
    one(&changes(&base(), &new), false, "`Return` is new");
}

#[test]
fn a_message_is_no_longer_received() {
    let old = changed(|document| with_returns(document, "orders", "on_orders"));
    one(&changes(&old, &base()), true, "`Return` is gone");
}

#[test]
fn a_message_is_sent_too() {
    let new = changed(|document| with_returns(document, "invoices", "to_invoices"));
    one(&changes(&base(), &new), true, "`Return` is new");
}

#[test]
fn a_message_is_no_longer_sent() {
    let old = changed(|document| with_returns(document, "invoices", "to_invoices"));
    one(&changes(&old, &base()), false, "`Return` is gone");
}

/// Changes of the one message show in both operations.
#[track_caller]
fn both(at: &str, to: Value, breaking: (bool, bool), what: &str) {
    let mut new = base();
    let (parent, name) = at.rsplit_once('/').unwrap();
    new.pointer_mut(parent).unwrap()[name] = to;
    let mut found = changes(&base(), &new);
    found.sort_by(|a, b| a.at.cmp(&b.at));
    let [received, sent] = &*found else {
        panic!("{found:#?}");
    };
    assert_eq!((received.breaking, sent.breaking), breaking, "{found:#?}");
    assert!(
        received.what.contains(what) && sent.what.contains(what),
        "{found:#?}"
    );
}

#[test]
fn a_type_is_renamed() {
    both(
        "/components/messages/Order/name",
        json!("Purchase"),
        (false, false),
        "`Order` is called `Purchase` now",
    );
}

#[test]
fn a_content_type_changes() {
    both(
        "/components/messages/Order/contentType",
        json!("application/octet-stream"),
        (true, true),
        "content type from application/json to application/octet-stream",
    );
}

#[test]
fn a_key_changes_its_type() {
    both(
        "/components/messages/Order/bindings/kafka/key",
        json!({ "type": "integer" }),
        (true, true),
        "`Order key` changed its type from string to integer",
    );
}

#[test]
fn a_key_is_no_longer_declared() {
    both(
        "/components/messages/Order/bindings/kafka/key",
        Value::Null,
        (false, true),
        "`Order key` is no longer declared",
    );
}

#[test]
fn headers_are_declared() {
    both(
        "/components/messages/Order/headers",
        json!({ "type": "object" }),
        (true, false),
        "`Order headers` is declared now",
    );
}
