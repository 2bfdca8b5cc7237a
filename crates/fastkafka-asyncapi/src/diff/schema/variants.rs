//! Alternatives: the variants of an enum, or a type and `null`.

use super::effective::{Parts, effective};
use super::objects::{only_field, tag};
use super::{Comparison, Effect};
use crate::model::{Named, Schema};
use serde_json::{Value, json};

impl Comparison<'_> {
    pub(super) fn variants(&mut self, path: &str, before: Parts, after: Parts) {
        let mut gone = alternatives(self.old, before);
        let mut come = alternatives(self.new, after);
        let mut pairs = Vec::new();
        gone.retain(|from| {
            let same = come.iter().position(|to| to.label == from.label);
            if let Some(i) = same {
                pairs.push((from.clone(), come.remove(i)));
            }
            same.is_none()
        });
        // Names of types are no part of what goes over the wire.
        gone.retain(|from| {
            let same = come
                .iter()
                .position(|to| self.is_same(&from.schema, &to.schema));
            same.map(|i| come.remove(i)).is_none()
        });
        for (from, to) in pairs {
            let path = if from.label.is_empty() {
                path.to_owned()
            } else {
                format!("{path}({})", from.label)
            };
            self.walk(&path, &from.schema, &to.schema);
        }
        for from in gone {
            self.add(
                path,
                Effect::Narrower,
                format!("is no longer `{}`", from.shown()),
            );
        }
        for to in come {
            self.add(path, Effect::Wider, format!("may be `{}` too", to.shown()));
        }
    }
}

#[derive(Clone)]
struct Alternative {
    label: String,
    schema: Value,
}

impl Alternative {
    fn shown(&self) -> &str {
        if self.label.is_empty() {
            "anything"
        } else {
            &self.label
        }
    }
}

/// A schema without alternatives is its only one. What stands beside alternatives holds for each.
fn alternatives(schemas: &Named<Schema>, mut parts: Parts) -> Vec<Alternative> {
    let variants = parts.variants.take();
    let is_plain = parts.is_plain();
    let rest = parts.into_schema();
    let Some(variants) = variants else {
        return vec![Alternative {
            label: label(schemas, &rest),
            schema: rest,
        }];
    };
    variants
        .into_iter()
        .map(|variant| Alternative {
            label: label(schemas, &variant),
            schema: if is_plain {
                variant
            } else {
                json!({ "allOf": [variant, rest] })
            },
        })
        .collect()
}

/// What tells a variant from the others on the wire.
fn label(schemas: &Named<Schema>, schema: &Value) -> String {
    let parts = effective(schemas, schema);
    tag(&parts)
        .or_else(|| only_field(&parts))
        .unwrap_or_else(|| {
            let named = schema.get("$ref").and_then(Value::as_str);
            let named = named.and_then(|target| target.rsplit('/').next());
            let types = parts.types().unwrap_or_default();
            named.map_or_else(
                || types.into_iter().collect::<Vec<_>>().join(" or "),
                str::to_owned,
            )
        })
}
