//! The document: AsyncAPI 3.0.0 with Kafka bindings 0.5.0, as far as an app can fill it.
//!
//! Fields stand in the order in which a reader wants them; maps are sorted, so that the file of an
//! app changes only where its contract does. Reading ignores what it does not know.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The version of AsyncAPI that is written. 3.1.0 says the same of Kafka, and older viewers refuse it.
pub const ASYNCAPI: &str = "3.0.0";
/// The version of the Kafka bindings.
pub const BINDING: &str = "0.5.0";

/// A JSON Schema of draft 7 whose references point into `components/schemas`, or a schema of Avro: an
/// object with its `schemaFormat`.
pub type Schema = Value;

/// The schema in Avro's words, if it is one.
pub(crate) fn avro(schema: &Schema) -> Option<&Value> {
    let format = schema.get("schemaFormat")?.as_str()?;
    let is_avro = format.starts_with("application/vnd.apache.avro");
    schema.get("schema").filter(|_| is_avro)
}

/// Map of named parts, in order.
pub type Named<T> = BTreeMap<String, T>;

/// What an app reads and writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// The version of the specification.
    pub asyncapi: String,
    /// The app about itself.
    pub info: Info,
    /// The `contentType` of messages that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_content_type: Option<String>,
    /// The clusters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub servers: Named<Server>,
    /// The topics.
    #[serde(default)]
    pub channels: Named<Channel>,
    /// What the app does with them: one per function, one per dead letter.
    #[serde(default)]
    pub operations: Named<Operation>,
    /// What the others refer to.
    #[serde(default, skip_serializing_if = "Components::is_empty")]
    pub components: Components,
}

/// The app about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    /// Its name.
    pub title: String,
    /// Its version.
    pub version: String,
    /// What it does, in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where the terms of service are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms_of_service: Option<String>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// Its licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<License>,
}

/// Who answers for an app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// A person or a team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where to read on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where to write to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// A licence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct License {
    /// Its name.
    pub name: String,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A pointer to another part of the document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ref {
    /// `#/channels/orders`, for example.
    #[serde(rename = "$ref")]
    pub target: String,
}

impl Ref {
    /// To a part by its path; the names in it need no escape.
    pub fn to(section: &str, name: &str) -> Self {
        Self {
            target: format!("#/{section}/{name}"),
        }
    }

    /// The last name of the path.
    pub fn name(&self) -> &str {
        self.target
            .rsplit_once('/')
            .map_or(&*self.target, |(_, name)| name)
    }
}

/// A name that sorts and filters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tag {
    /// The name.
    pub name: String,
}

impl Tag {
    /// A tag.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
        }
    }
}

/// What Kafka adds to a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bindings<T> {
    /// Kafka's.
    pub kafka: T,
}

impl<T> Bindings<T> {
    /// Those of Kafka.
    pub fn new(kafka: T) -> Option<Self> {
        Some(Self { kafka })
    }
}

fn binding_version() -> String {
    BINDING.to_owned()
}

/// A cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// The address of a broker to begin with, or a variable that lists several.
    pub host: String,
    /// `kafka`, or `kafka-secure` over TLS.
    pub protocol: String,
    /// The name it has in the app, where that is no key of a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What stands in braces in `host`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: Named<Variable>,
    /// How a client proves who it is; any one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security: Vec<Ref>,
    /// Kafka's part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bindings: Option<Bindings<ServerBinding>>,
}

/// Values that may stand for a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// All of them.
    #[serde(default, rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// The one to take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// What they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A cluster's part of Kafka.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerBinding {
    /// Where its schema registry is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_registry_url: Option<String>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_registry_vendor: Option<String>,
    /// Always [`BINDING`].
    #[serde(default = "binding_version")]
    pub binding_version: String,
}

/// A topic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// The topic's name; none where it is read by pattern.
    pub address: Option<String>,
    /// Everything that is read from it or written to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: Named<Ref>,
    /// The clusters it is on; none: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<Ref>,
    /// Kafka's part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bindings: Option<Bindings<ChannelBinding>>,
}

impl Channel {
    /// The topic's name, or the pattern of the names.
    pub(crate) fn topic(&self) -> Option<&str> {
        let bindings = self.bindings.as_ref();
        let named = || bindings.and_then(|bindings| bindings.kafka.topic.as_deref());
        self.address.as_deref().or_else(named)
    }
}

/// A topic's part of Kafka.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelBinding {
    /// The topic's name, or the pattern of the names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// How many partitions it is declared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u32>,
    /// How many copies of each record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// Its declared settings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub topic_configuration: Named<Value>,
    /// Always [`BINDING`].
    #[serde(default = "binding_version")]
    pub binding_version: String,
}

/// What the app does with a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It writes.
    Send,
    /// It reads.
    Receive,
}

/// One function at work on one topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Reads or writes.
    pub action: Action,
    /// The topic.
    pub channel: Ref,
    /// The function's name, where that is no key of a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it does, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What else there is to say, in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What kind of function it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// What it reads or writes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Ref>,
    /// Kafka's part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bindings: Option<Bindings<OperationBinding>>,
}

/// An operation's part of Kafka. Identifiers are schemas here, not strings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationBinding {
    /// The consumer group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<Schema>,
    /// What the client calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Schema>,
    /// Always [`BINDING`].
    #[serde(default = "binding_version")]
    pub binding_version: String,
}

/// One kind of record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The payload's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is, in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How the payload is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Its headers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<Schema>,
    /// Its payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Schema>,
    /// Kafka's part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bindings: Option<Bindings<MessageBinding>>,
    /// What it may look like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Example>,
}

/// A message's part of Kafka.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageBinding {
    /// The record's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Schema>,
    /// Always [`BINDING`].
    #[serde(default = "binding_version")]
    pub binding_version: String,
}

/// What a message may look like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Its headers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<Value>,
    /// Its payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
}

/// What other parts refer to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Components {
    /// Kinds of records.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: Named<Message>,
    /// The types in payloads.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub schemas: Named<Schema>,
    /// How clients prove who they are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub security_schemes: Named<Value>,
}

impl Components {
    fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}
