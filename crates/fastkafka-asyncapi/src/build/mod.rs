//! From the registry to the document. A pure function: equal apps make equal documents.

mod channels;
mod messages;
mod operations;
mod schemas;
mod servers;

use crate::model::{
    ASYNCAPI, BINDING, Bindings, Channel, ChannelBinding, Components, Contact, Document, Info,
    License, Named,
};
use crate::source::{Source, TopicDeclaration};
use channels::Channels;
use fastkafka_core::AppInfo;
use messages::Messages;
use operations::Operations;
use serde_json::Value;
use servers::Servers;

impl Document {
    /// The document of an app. It needs no broker, and an app with problems has one all the same.
    pub fn new(source: &Source<'_>) -> Self {
        let operations = Operations::new(source.app);
        let drafts = &operations.drafts;
        let channels = Channels::new(drafts, &operations.clusters);
        let (schemas, payloads) = operations.payloads.finish();
        let messages = Messages::new(drafts, &channels, &payloads, &schemas);
        let servers = Servers::new(&source.brokers);
        let described = channels.iter().map(|(key, cluster, topic)| {
            let declared = source.topics.get(topic);
            let mut channel = channel(topic, messages.of_channel(key), declared);
            channel.servers = servers.of_cluster(cluster);
            (key.to_owned(), channel)
        });
        let described = described.collect();
        let operations = drafts.iter().map(|draft| {
            let channel = channels.of_draft(draft);
            let messages = messages.of_operation(draft, channel);
            let operation = draft.describe(channel, messages, source.client_id);
            (draft.id.clone(), operation)
        });
        let operations = operations.collect();
        Self {
            asyncapi: ASYNCAPI.to_owned(),
            info: info(&source.app.info),
            default_content_type: Some("application/json".to_owned()),
            servers: servers.all,
            channels: described,
            operations,
            components: Components {
                messages: messages.components,
                schemas,
                security_schemes: servers.schemes,
            },
        }
    }
}

/// A dependency may have switched on that maps keep the order of insertion; documents do not differ for
/// that.
fn sorted(mut value: Value) -> Value {
    value.sort_all_objects();
    value
}

/// Nothing, for a text without content.
fn text(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn info(info: &AppInfo) -> Info {
    Info {
        title: info.title.clone(),
        version: info.version.clone(),
        description: text(&info.description),
        terms_of_service: info.terms_of_service.clone(),
        contact: info.contact.as_ref().map(|contact| Contact {
            name: contact.name.clone(),
            url: contact.url.clone(),
            email: contact.email.clone(),
        }),
        license: info.license.as_ref().map(|license| License {
            name: license.name.clone(),
            url: license.url.clone(),
        }),
    }
}

fn channel(
    topic: &str,
    messages: Named<crate::model::Ref>,
    declared: Option<&TopicDeclaration>,
) -> Channel {
    let undeclared = TopicDeclaration::default();
    let declared = declared.unwrap_or(&undeclared);
    Channel {
        // The topics of a pattern are not known: AsyncAPI's word for that is no address.
        address: (!topic.starts_with('^')).then(|| topic.to_owned()),
        messages,
        servers: Vec::new(),
        bindings: Bindings::new(ChannelBinding {
            topic: Some(topic.to_owned()),
            partitions: declared.partitions,
            replicas: declared.replicas,
            topic_configuration: declared
                .configs
                .iter()
                .map(|(key, value)| (key.clone(), config(key, value)))
                .collect(),
            binding_version: BINDING.to_owned(),
        }),
    }
}

/// A topic's setting in the type that the binding wants. What is none stays text: the check of the
/// document then says so.
fn config(key: &str, text: &str) -> Value {
    let as_it_is = || Value::from(text);
    match key {
        "cleanup.policy" => text.split(',').map(str::trim).collect(),
        "retention.ms" | "retention.bytes" | "delete.retention.ms" | "max.message.bytes" => text
            .trim()
            .parse::<i64>()
            .map_or_else(|_| as_it_is(), Value::from),
        "confluent.key.schema.validation" | "confluent.value.schema.validation" => text
            .trim()
            .parse::<bool>()
            .map_or_else(|_| as_it_is(), Value::from),
        _ => as_it_is(),
    }
}
