//! What other frameworks get wrong, each asked of our documents.

use crate::model::Action;
use crate::tests::apps::document;
use crate::tests::apps::shared_topic::SharedTopic;

#[test]
fn what_the_app_consumes_is_received_and_what_it_produces_is_sent() {
    let document = document::<SharedTopic>("Pitfalls");
    assert_eq!(document.operations["on_profiles"].action, Action::Receive);
    assert_eq!(document.operations["to_profiles"].action, Action::Send);
}

#[test]
fn a_second_consumer_and_a_second_producer_of_a_topic_are_not_lost() {
    let document = document::<SharedTopic>("Pitfalls");
    let on_topic = |action| {
        let mut operations = document.operations.values();
        operations
            .by_ref()
            .filter(|operation| {
                operation.action == action && operation.channel.name() == "profiles"
            })
            .count()
    };
    assert_eq!((on_topic(Action::Receive), on_topic(Action::Send)), (3, 2));
}

#[test]
fn handlers_of_a_topic_share_one_channel() {
    let document = document::<SharedTopic>("Pitfalls");
    let channel = &document.channels["profiles"];
    assert_eq!(channel.address.as_deref(), Some("profiles"));
    for operation in document
        .operations
        .values()
        .filter(|operation| operation.channel.name() == "profiles")
    {
        for message in &operation.messages {
            assert!(
                channel.messages.contains_key(message.name()),
                "{}",
                message.target
            );
        }
    }
}

#[test]
fn the_port_of_a_broker_is_kept() {
    let document = document::<SharedTopic>("Pitfalls");
    assert_eq!(document.servers["localhost"].host, "localhost:9092");
}

#[test]
fn each_consumer_names_its_group_as_a_schema() {
    let document = document::<SharedTopic>("Pitfalls");
    let group = |id: &str| {
        document.operations[id]
            .bindings
            .as_ref()
            .unwrap()
            .kafka
            .group_id
            .clone()
    };
    assert_eq!(
        group("on_profiles"),
        Some(serde_json::json!({ "type": "string", "enum": ["pitfalls"] }))
    );
    assert_eq!(
        group("on_profiles_too"),
        Some(serde_json::json!({ "type": "string", "enum": ["audit"] }))
    );
    assert_eq!(group("to_profiles"), None);
}

#[test]
fn no_schema_speaks_of_defs_or_prefix_items() {
    for yaml in [
        document::<SharedTopic>("Pitfalls").to_yaml(),
        document::<crate::tests::apps::enums::Enums>("Pitfalls").to_yaml(),
    ] {
        assert!(
            !yaml.contains("$defs")
                && !yaml.contains("prefixItems")
                && !yaml.contains("x-fastkafka"),
            "{yaml}"
        );
    }
}

#[test]
fn a_client_id_of_its_own_is_that_of_the_operation_alone() {
    let document = document::<SharedTopic>("Pitfalls");
    let client = |id: &str| {
        let bindings = document.operations[id].bindings.clone();
        bindings.unwrap().kafka.client_id.unwrap()["enum"][0].clone()
    };
    assert_eq!(client("on_profiles_by_text"), "by-text");
    assert_eq!(client("on_profiles"), "tests");
}
