//! The kinds of records on each topic: the union of what all its functions read and write.

use super::channels::Channels;
use super::operations::{Draft, Kind};
use super::schemas::Described;
use super::sorted;
use crate::model::{self, BINDING, Bindings, Example, Message, MessageBinding, Named, Ref, Schema};
use crate::names;
use fastkafka_core::{DEAD_LETTER_HEADERS, DEAD_LETTER_LEFT_OUT, DEAD_LETTER_PREFIX};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// All messages: those of equal content are one.
pub(super) struct Messages {
    pub(super) components: Named<Message>,
    /// The names of an operation's messages, by its id.
    by_operation: BTreeMap<String, Vec<String>>,
    /// By channel.
    channels: BTreeMap<String, Vec<String>>,
}

/// A message on a topic, and one operation that it is part of.
struct Use<'a> {
    draft: &'a Draft,
    message: Message,
}

impl Messages {
    pub(super) fn new(
        drafts: &[Draft],
        channels: &Channels,
        payloads: &[Described],
        schemas: &Named<Schema>,
    ) -> Self {
        let mut uses = Vec::new();
        for draft in drafts {
            for message in messages(draft, &payloads[draft.payload], schemas) {
                uses.push(Use { draft, message });
            }
        }
        lend_keys(&mut uses);
        let names = name(&uses);
        let mut this = Self {
            components: Named::new(),
            by_operation: BTreeMap::new(),
            channels: BTreeMap::new(),
        };
        for (user, name) in uses.into_iter().zip(names) {
            let of_operation = this.by_operation.entry(user.draft.id.clone());
            of_operation.or_default().push(name.clone());
            let channel = channels.of_draft(user.draft).to_owned();
            let of_channel = this.channels.entry(channel);
            of_channel.or_default().push(name.clone());
            this.components.insert(name, user.message);
        }
        this
    }

    /// What a channel says of its messages.
    pub(super) fn of_channel(&self, channel: &str) -> Named<Ref> {
        let names = self.channels.get(channel).into_iter().flatten();
        let messages = names.map(|name| (name.clone(), Ref::to("components/messages", name)));
        messages.collect()
    }

    /// What an operation says of its messages: they are those of its channel.
    pub(super) fn of_operation(&self, draft: &Draft, channel: &str) -> Vec<Ref> {
        let section = format!("channels/{channel}/messages");
        let names = self.by_operation.get(&draft.id).into_iter().flatten();
        names.map(|name| Ref::to(&section, name)).collect()
    }
}

fn messages(draft: &Draft, payload: &Described, schemas: &Named<Schema>) -> Vec<Message> {
    let bindings = draft.key.clone().and_then(|key| {
        Bindings::new(MessageBinding {
            key: Some(key),
            binding_version: BINDING.to_owned(),
        })
    });
    let name = &payload.name;
    let plain = Message {
        name: Some(name.clone()),
        title: Some(name.clone()),
        content_type: Some(draft.content_type.to_owned()),
        payload: Some(payload.schema.clone()),
        bindings: bindings.clone(),
        examples: examples(&payload.schema, schemas),
        ..Message::default()
    };
    match draft.kind {
        Kind::Consumes { tombstones: true } => {
            let tombstone = Message {
                name: Some(format!("{name}.tombstone")),
                title: Some(format!("Tombstone of {name}")),
                description: Some(
                    "A record without a value: what was known under its key is gone.".to_owned(),
                ),
                payload: Some(json!({ "type": "null" })),
                bindings,
                ..Message::default()
            };
            vec![plain, tombstone]
        }
        Kind::Consumes { tombstones: false } | Kind::Produces => vec![plain],
        Kind::DeadLetter => vec![Message {
            name: Some(format!("{name}.dead_letter")),
            title: Some(format!("Dead letter of {name}")),
            description: Some(
                "The record as it was read, with its key and headers, and with headers that say why it is here."
                    .to_owned(),
            ),
            headers: Some(dead_letter_headers()),
            payload: Some(json!({
                "anyOf": [alone(payload), { "description": "What could not be read as one." }]
            })),
            examples: Vec::new(),
            ..plain
        }],
    }
}

/// The payload as one of several: a schema of Avro cannot stand among others.
fn alone(payload: &Described) -> Value {
    match model::avro(&payload.schema) {
        Some(_) => json!({ "description": format!("`{}` in Avro.", payload.name) }),
        None => payload.schema.clone(),
    }
}

fn dead_letter_headers() -> Schema {
    let name = |name: &str| format!("{DEAD_LETTER_PREFIX}{name}");
    let all = DEAD_LETTER_HEADERS.iter().chain(&DEAD_LETTER_LEFT_OUT);
    let properties: Map<_, _> = all
        .map(|(header, about)| {
            (
                name(header),
                json!({ "type": "string", "description": about }),
            )
        })
        .collect();
    let required: Vec<_> = DEAD_LETTER_HEADERS
        .iter()
        .map(|(header, _)| name(header))
        .collect();
    sorted(json!({ "type": "object", "properties": properties, "required": required }))
}

/// Those that the payload's type declares.
fn examples(payload: &Schema, schemas: &Named<Schema>) -> Vec<Example> {
    let named = payload
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|target| schemas.get(target.rsplit('/').next()?));
    let declared = named.unwrap_or(payload).get("examples");
    let declared = declared.and_then(Value::as_array).into_iter().flatten();
    declared
        .map(|payload| Example {
            headers: None,
            payload: Some(payload.clone()),
        })
        .collect()
}

/// A function that does not look at the key says nothing of it. Where another one on the topic does,
/// and is the only one, both mean the same message.
fn lend_keys(uses: &mut [Use<'_>]) {
    for i in 0..uses.len() {
        if uses[i].message.bindings.is_some() {
            continue;
        }
        let mut keyed: Vec<_> = uses
            .iter()
            .filter(|other| other.draft.topic == uses[i].draft.topic)
            .filter(|other| {
                let keyless = Message {
                    bindings: None,
                    ..other.message.clone()
                };
                other.message.bindings.is_some() && keyless == uses[i].message
            })
            .map(|other| other.message.bindings.clone())
            .collect();
        keyed.dedup();
        if let [bindings] = &*keyed {
            uses[i].message.bindings.clone_from(bindings);
        }
    }
}

/// The payload's name; with the topic, and then the operation, where messages differ under it.
fn name(uses: &[Use<'_>]) -> Vec<String> {
    // Each content once, where it is found first.
    let mut sorted: Vec<_> = uses.iter().collect();
    sorted.sort_by_key(|user| (&user.draft.topic, &user.draft.id));
    let mut first: Vec<&Use<'_>> = Vec::new();
    for user in sorted {
        if !first.iter().any(|known| known.message == user.message) {
            first.push(user);
        }
    }
    let names = names::distinct(&first, |user, words| {
        let name = user.message.name.as_deref().unwrap_or_default();
        match words {
            1 => name.to_owned(),
            2 => format!("{}.{name}", user.draft.topic),
            _ => format!("{}.{name}", user.draft.id),
        }
    });
    let of = |message: &Message| first.iter().position(|known| known.message == *message);
    uses.iter()
        .map(|user| of(&user.message).map_or_else(String::new, |i| names[i].clone()))
        .collect()
}
