//! What `diff` says of a change, and of whom it breaks.
//!
//! Each case changes one thing in a small app that receives orders and sends invoices. Both have the
//! same type, so that one change of the type shows both verdicts.

mod avro;
mod operations;
mod schemas;
mod topology;

use crate::{Change, Document, diff};
use serde_json::{Value, json};

/// A document whose payload has this schema, both ways.
fn with(schema: Value) -> Value {
    let operation = |action: &str, topic: &str| {
        json!({
            "action": action,
            "channel": { "$ref": format!("#/channels/{topic}") },
            "messages": [{ "$ref": format!("#/channels/{topic}/messages/Order") }],
            "bindings": { "kafka": {
                "groupId": if action == "receive" { json!({ "type": "string", "enum": ["billing"] }) } else { Value::Null },
                "clientId": { "type": "string", "enum": ["billing"] },
                "bindingVersion": "0.5.0",
            } },
        })
    };
    let channel = |topic: &str| {
        json!({
            "address": topic,
            "messages": { "Order": { "$ref": "#/components/messages/Order" } },
            "bindings": { "kafka": { "topic": topic, "partitions": 6, "bindingVersion": "0.5.0" } },
        })
    };
    json!({
        "asyncapi": "3.0.0",
        "info": { "title": "Billing", "version": "1.0.0" },
        "servers": { "production": {
            "host": "kafka.example.com:9093",
            "protocol": "kafka-secure",
            "security": [{ "$ref": "#/components/securitySchemes/production" }],
        } },
        "channels": { "orders": channel("orders"), "invoices": channel("invoices") },
        "operations": { "on_orders": operation("receive", "orders"), "to_invoices": operation("send", "invoices") },
        "components": {
            "messages": { "Order": {
                "name": "Order",
                "contentType": "application/json",
                "payload": { "$ref": "#/components/schemas/Order" },
                "bindings": { "kafka": { "key": { "type": "string" }, "bindingVersion": "0.5.0" } },
            } },
            "schemas": { "Order": schema },
            "securitySchemes": { "production": { "type": "scramSha512" } },
        },
    })
}

fn base() -> Value {
    with(
        json!({ "type": "object", "properties": { "id": { "type": "integer" } }, "required": ["id"] }),
    )
}

fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let read = |document: &Value| Document::parse(&document.to_string()).unwrap();
    diff(&read(old), &read(new))
}

/// Whom a change breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breaks {
    /// No one.
    Nobody,
    /// Those who send what the app receives.
    Senders,
    /// Those who read what the app sends.
    Readers,
    /// Both.
    Everyone,
}

/// The change of a type says `what`, and breaks these.
#[track_caller]
fn schema(old: Value, new: Value, breaks: Breaks, what: &str) {
    let changes = changes(&with(old), &with(new));
    let of = |operation: &str| {
        let mut changes = changes
            .iter()
            .filter(|change| change.at.starts_with(operation));
        let change = changes
            .next()
            .unwrap_or_else(|| panic!("{operation}: no change"));
        assert!(changes.next().is_none(), "{changes:#?}");
        assert!(change.what.contains(what), "{change}");
        change.breaking
    };
    let found = match (of("on_orders"), of("to_invoices")) {
        (false, false) => Breaks::Nobody,
        (true, false) => Breaks::Senders,
        (false, true) => Breaks::Readers,
        (true, true) => Breaks::Everyone,
    };
    assert_eq!(found, breaks, "{changes:#?}");
}

/// One thing of the document is changed; there is one change, and it says `what`.
#[track_caller]
fn document(at: &str, to: Value, breaking: bool, what: &str) {
    let old = base();
    let mut new = base();
    let (parent, name) = at.rsplit_once('/').unwrap();
    new.pointer_mut(parent).unwrap()[name] = to;
    one(&changes(&old, &new), breaking, what);
}

#[track_caller]
fn one(changes: &[Change], breaking: bool, what: &str) {
    let [change] = changes else {
        panic!("{changes:#?}");
    };
    assert_eq!(
        (change.breaking, change.to_string().contains(what)),
        (breaking, true),
        "{change}"
    );
}

#[test]
fn nothing_changed() {
    assert_eq!(changes(&base(), &base()), []);
}
