//! A document as a person reads it: topics with what happens on them, types in words. The page and
//! the Markdown are written from this.

mod bundle;
mod fields;
mod sample;
mod types;

pub(crate) use bundle::{bundle, language};
pub(crate) use fields::{Field, fields, variants};
pub(crate) use sample::sample;
pub(crate) use types::{Piece, limits, pieces};

use crate::model::{Action, Channel, Document, Message, Named, Operation, Schema};
use serde_json::Value;

/// A topic with its functions and messages.
pub(crate) struct Topic<'a> {
    pub(crate) name: &'a str,
    pub(crate) channel: &'a Channel,
    pub(crate) operations: Vec<(&'a str, &'a Operation)>,
    pub(crate) messages: Vec<(&'a str, &'a Message)>,
}

/// All topics in order.
pub(crate) fn topics(document: &Document) -> Vec<Topic<'_>> {
    // One topic on several clusters: the keys of its channels tell them apart.
    let shared = |channel: &Channel| {
        let others = document.channels.values();
        let same = |other: &&Channel| other.topic() == channel.topic();
        channel.topic().is_some() && others.filter(same).count() > 1
    };
    document
        .channels
        .iter()
        .map(|(key, channel)| Topic {
            name: match channel.topic() {
                Some(topic) if !shared(channel) => topic,
                _ => key,
            },
            channel,
            operations: document
                .operations
                .iter()
                .filter(|(_, operation)| operation.channel.name() == key)
                .map(|(id, operation)| (&**id, operation))
                .collect(),
            messages: channel
                .messages
                .values()
                .filter_map(|message| {
                    let (name, message) =
                        document.components.messages.get_key_value(message.name())?;
                    Some((&**name, message))
                })
                .collect(),
        })
        .collect()
}

/// What a function does, in a word.
pub(crate) fn verb(operation: &Operation) -> &'static str {
    let dead = operation.tags.iter().any(|tag| tag.name == "dead-letter");
    match operation.action {
        Action::Receive => "consumes",
        Action::Send if dead => "dead letters",
        Action::Send => "produces",
    }
}

/// The one word of a schema such as that of a consumer group.
pub(crate) fn word(schema: Option<&Schema>) -> Option<&str> {
    schema?.get("enum")?.as_array()?.first()?.as_str()
}

/// The consumer group of an operation.
pub(crate) fn group(operation: &Operation) -> Option<&str> {
    word(operation.bindings.as_ref()?.kafka.group_id.as_ref())
}

/// The client id of an operation.
pub(crate) fn client(operation: &Operation) -> Option<&str> {
    word(operation.bindings.as_ref()?.kafka.client_id.as_ref())
}

/// The key of a message.
pub(crate) fn key(message: &Message) -> Option<&Schema> {
    message.bindings.as_ref()?.kafka.key.as_ref()
}

/// The addresses of a server.
pub(crate) fn addresses(server: &crate::model::Server) -> Vec<&str> {
    let variable = server
        .host
        .strip_prefix('{')
        .and_then(|name| server.variables.get(name.strip_suffix('}')?));
    match variable {
        Some(variable) => variable.values.iter().map(String::as_str).collect(),
        None => vec![&*server.host],
    }
}

/// What a message is called.
pub(crate) fn title<'a>(message: &'a Message, name: &'a str) -> &'a str {
    let title = message.title.as_deref().or(message.name.as_deref());
    title.unwrap_or(name)
}

/// The types that are only part of others: those of payloads are described with their messages.
pub(crate) fn parts(document: &Document) -> Vec<(&str, &Schema)> {
    let is_payload = |name: &str| {
        let mut messages = document.components.messages.values();
        messages.any(|message| message.payload.as_ref().and_then(named) == Some(name))
    };
    document
        .components
        .schemas
        .iter()
        .filter(|(name, _)| !is_payload(name))
        .map(|(name, schema)| (&**name, schema))
        .collect()
}

/// The name of the schema that a reference leads to.
pub(crate) fn named(schema: &Schema) -> Option<&str> {
    let target = schema.get("$ref")?.as_str()?;
    target.strip_prefix("#/components/schemas/")
}

/// The schema itself, behind references.
pub(crate) fn resolved<'a>(schemas: &'a Named<Schema>, schema: &'a Schema) -> &'a Schema {
    let mut schema = schema;
    // A circle of nothing but references says nothing.
    for _ in 0..16 {
        match named(schema).and_then(|name| schemas.get(name)) {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

/// What a message looks like: what its type declares, else what its schema allows.
pub(crate) fn examples(document: &Document, message: &Message) -> Vec<(&'static str, Value)> {
    let declared: Vec<_> = message
        .examples
        .iter()
        .filter_map(|example| Some(("Example", example.payload.clone()?)))
        .collect();
    let is_text = message
        .content_type
        .as_deref()
        .is_none_or(|kind| kind.contains("json"));
    match told(message).filter(|_| declared.is_empty() && is_text) {
        Some(payload) => vec![("Sample", sample(&document.components.schemas, payload))],
        None => declared,
    }
}

/// The payload of a message, if there is more to say of it than its type in words. A dead letter may
/// be anything, a tombstone is nothing.
pub(crate) fn told(message: &Message) -> Option<&Schema> {
    let payload = message.payload.as_ref()?;
    let is_null = payload.get("type") == Some(&Value::from("null"));
    let is_open = payload.get("anyOf").is_some() && message.headers.is_some();
    (!is_null && !is_open).then_some(payload)
}
