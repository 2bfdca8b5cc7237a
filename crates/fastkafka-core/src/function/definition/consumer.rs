//! The definition of a consumer.

use super::location::Location;
use crate::function::call::{Run, RunFuture};
use crate::function::interceptor::Hooks;
use crate::settings::ConsumerSettings;
use schemars::{Schema, SchemaGenerator};
use std::any::TypeId;

/// A function under `#[consumes]`.
#[derive(Debug)]
pub struct ConsumerDef {
    /// The function's name.
    pub name: &'static str,
    /// Its module.
    pub module: &'static str,
    /// Its place in the source.
    pub location: Location,
    /// The topic that it reads; the first of several; with a pattern the pattern.
    pub topic: &'static str,
    /// The topics that it reads; none with a pattern.
    pub topics: &'static [&'static str],
    /// The pattern: it reads every topic whose name matches.
    pub pattern: Option<&'static str>,
    /// Its description: `description = ".."`, or the doc comment.
    pub description: &'static str,
    /// The attribute's settings, each an expression of the user's.
    pub settings: fn() -> ConsumerSettings,
    /// Takes `Vec<T>`.
    pub batch: bool,
    /// Takes `Option<T>`: a null payload is a message too.
    pub tombstones: bool,
    /// `async fn`.
    pub is_async: bool,
    /// A sync handler that blocks: it gets a thread of its own.
    pub blocking: bool,
    /// Has an `Ack` parameter: it settles its records itself.
    pub settles: bool,
    /// The payload's `contentType`.
    pub content_type: &'static str,
    /// The payload's schema.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// The key's schema; `None` when it does not look at the key.
    pub key: Option<fn() -> Schema>,
    /// Names the types of states that its parameters need.
    pub requires: fn(&mut dyn FnMut(TypeId, &'static str)),
    /// Handles a run with the function itself.
    pub run: for<'r> fn(&'r Run<'r>, Hooks<'r>) -> RunFuture<'r>,
}

impl ConsumerDef {
    /// True for a topic of its group whose records it takes. With a pattern it takes all: no other function
    /// shares its group.
    pub fn takes(&self, topic: &str) -> bool {
        self.pattern.is_some() || self.topics.contains(&topic)
    }

    /// The topics and the pattern that its consumer subscribes to.
    pub fn subscription(&self) -> impl Iterator<Item = &'static str> {
        self.topics.iter().copied().chain(self.pattern)
    }

    /// `module::name`.
    pub fn path(&self) -> String {
        format!("{}::{}", self.module, self.name)
    }
}
