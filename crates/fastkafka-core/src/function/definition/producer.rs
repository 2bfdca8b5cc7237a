//! The definition of a producer.

use super::location::Location;
use crate::settings::ProducerSettings;
use schemars::{Schema, SchemaGenerator};

/// A function under `#[produces]`.
#[derive(Debug)]
pub struct ProducerDef {
    /// The function's name.
    pub name: &'static str,
    /// Its module.
    pub module: &'static str,
    /// Its place in the source.
    pub location: Location,
    /// The topic that it writes.
    pub topic: &'static str,
    /// Its description: `description = ".."`, or the doc comment.
    pub description: &'static str,
    /// The attribute's settings, each an expression of the user's.
    pub settings: fn() -> ProducerSettings,
    /// The payload's `contentType`.
    pub content_type: &'static str,
    /// The payload's schema.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// The key's schema; `None` when the types do not tell: [`KafkaEvent::key`](crate::KafkaEvent::key)
    /// takes any key.
    pub key: Option<fn() -> Schema>,
}

impl ProducerDef {
    /// `module::name`.
    pub fn path(&self) -> String {
        format!("{}::{}", self.module, self.name)
    }
}
