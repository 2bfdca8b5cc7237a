//! A schema without the ways of writing it: references followed, `allOf` put together.

use crate::model::{Named, Schema};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A schema's keywords, and its alternatives apart.
pub(super) struct Parts {
    keywords: Map<String, Value>,
    /// `anyOf` or `oneOf`.
    pub(super) variants: Option<Vec<Value>>,
}

pub(super) fn effective(schemas: &Named<Schema>, schema: &Value) -> Parts {
    let mut parts = Parts {
        keywords: Map::new(),
        variants: None,
    };
    // A reference may lead to another one; a circle of nothing but references says nothing.
    parts.take(schemas, schema, 16);
    parts
}

impl Parts {
    fn take(&mut self, schemas: &Named<Schema>, schema: &Value, depth: usize) {
        if depth == 0 {
            return;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let name = target.rsplit('/').next().unwrap_or_default();
            if let Some(schema) = schemas.get(name) {
                self.take(schemas, schema, depth - 1);
            }
            return;
        }
        if schema == &Value::Bool(false) {
            self.keywords
                .insert("not".to_owned(), Value::Object(Map::new()));
        }
        for (keyword, value) in schema.as_object().into_iter().flatten() {
            match &**keyword {
                "anyOf" | "oneOf" => self.variants = value.as_array().cloned(),
                "allOf" => {
                    for part in value.as_array().into_iter().flatten() {
                        self.take(schemas, part, depth - 1);
                    }
                }
                "properties" | "required" => self.join(keyword, value),
                // Of all parts that say something the outermost is the one to read.
                "description" | "title" => {
                    drop(self.keywords.insert(keyword.clone(), value.clone()));
                }
                _ => drop(
                    self.keywords
                        .entry(&**keyword)
                        .or_insert_with(|| value.clone()),
                ),
            }
        }
    }

    fn join(&mut self, keyword: &str, value: &Value) {
        match (self.keywords.get_mut(keyword), value) {
            (Some(Value::Object(known)), Value::Object(more)) => {
                known.extend(more.iter().map(|(name, part)| (name.clone(), part.clone())));
            }
            (Some(Value::Array(known)), Value::Array(more)) => known.extend(more.iter().cloned()),
            _ => drop(self.keywords.insert(keyword.to_owned(), value.clone())),
        }
    }

    pub(super) fn get(&self, keyword: &str) -> Option<&Value> {
        self.keywords.get(keyword)
    }

    /// The schema again, without its alternatives.
    pub(super) fn into_schema(self) -> Value {
        Value::Object(self.keywords)
    }

    /// Whether it says anything of values.
    pub(super) fn is_plain(&self) -> bool {
        let annotations = ["description", "title", "default", "examples", "deprecated"];
        self.keywords
            .keys()
            .all(|keyword| annotations.contains(&&**keyword))
    }

    /// The types it accepts; none said: all.
    pub(super) fn types(&self) -> Option<BTreeSet<&str>> {
        match self.get("type")? {
            Value::String(one) => Some(BTreeSet::from([&**one])),
            Value::Array(some) => Some(some.iter().filter_map(Value::as_str).collect()),
            _ => None,
        }
    }

    /// The values it lists.
    pub(super) fn values(&self) -> Option<BTreeSet<String>> {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        if let Some(only) = self.get("const") {
            return Some(BTreeSet::from([text(only)]));
        }
        let listed = self.get("enum")?.as_array()?;
        Some(listed.iter().map(text).collect())
    }

    /// The fields that must be there.
    pub(super) fn required(&self) -> BTreeSet<&str> {
        let required = self.get("required").and_then(Value::as_array);
        required
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    /// The fields that are described.
    pub(super) fn properties(&self) -> impl Iterator<Item = (&str, &Value)> {
        let properties = self.get("properties").and_then(Value::as_object);
        properties
            .into_iter()
            .flatten()
            .map(|(name, schema)| (&**name, schema))
    }

    /// Whether it refuses fields that are not described.
    pub(super) fn is_closed(&self) -> bool {
        self.get("additionalProperties") == Some(&Value::Bool(false))
    }
}
