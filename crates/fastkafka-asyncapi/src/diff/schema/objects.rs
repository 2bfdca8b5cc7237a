//! Fields: which there are, which must be, and whether others may be.

use super::effective::Parts;
use super::{Comparison, Effect};
use serde_json::Value;
use std::collections::BTreeMap;

impl Comparison<'_> {
    pub(super) fn fields(&mut self, path: &str, before: &Parts, after: &Parts) {
        let old: BTreeMap<_, _> = before.properties().collect();
        let new: BTreeMap<_, _> = after.properties().collect();
        let (was_required, is_required) = (before.required(), after.required());
        for (name, from) in &old {
            let path = format!("{path}.{name}");
            match new.get(name) {
                Some(to) => {
                    match (was_required.contains(name), is_required.contains(name)) {
                        (false, true) => self.add(&path, Effect::Narrower, "is required now"),
                        (true, false) => self.add(&path, Effect::Wider, "is optional now"),
                        _ => {}
                    }
                    self.walk(&path, from, to);
                }
                None => {
                    let required = was_required.contains(name);
                    // Whoever still sends it is refused; whoever needs it waits for ever.
                    let effect = Effect::new(after.is_closed(), required);
                    let what = if required {
                        "is gone; it was required"
                    } else {
                        "is gone; it was optional"
                    };
                    self.add(&path, effect, what);
                }
            }
        }
        for name in new.keys().filter(|name| !old.contains_key(*name)) {
            let required = is_required.contains(name);
            let effect = Effect::new(required, before.is_closed());
            let what = if required {
                "is new and required"
            } else {
                "is new and optional"
            };
            self.add(&format!("{path}.{name}"), effect, what);
        }
        self.other_fields(path, before, after);
    }

    /// `additionalProperties`.
    fn other_fields(&mut self, path: &str, before: &Parts, after: &Parts) {
        let schema = |parts: &Parts| {
            parts
                .get("additionalProperties")
                .filter(|schema| schema.is_object())
                .cloned()
        };
        match (schema(before), schema(after)) {
            (Some(from), Some(to)) => self.walk(&format!("{path}.*"), &from, &to),
            (Some(_), None) if after.is_closed() => {
                self.add(
                    path,
                    Effect::Narrower,
                    "refuses fields that it does not name",
                );
            }
            (Some(_), None) => self.add(path, Effect::Wider, "has fields of any kind now"),
            (None, Some(_)) if before.is_closed() => {
                self.add(path, Effect::Wider, "takes fields that it does not name");
            }
            (None, Some(_)) => self.add(path, Effect::Narrower, "says what all fields are now"),
            (None, None) => match (before.is_closed(), after.is_closed()) {
                (false, true) => self.add(
                    path,
                    Effect::Narrower,
                    "refuses fields that it does not name",
                ),
                (true, false) => {
                    self.add(path, Effect::Wider, "takes fields that it does not name");
                }
                _ => {}
            },
        }
    }
}

/// The one field that an enum's variant is named by, in serde's default representation.
pub(super) fn only_field(parts: &Parts) -> Option<String> {
    let required = parts.required();
    let mut names = required.iter();
    match (names.next(), names.next()) {
        (Some(name), None) if parts.is_closed() => Some((*name).to_owned()),
        _ => None,
    }
}

/// A required field that has one value only: the tag of an enum's variant.
pub(super) fn tag(parts: &Parts) -> Option<String> {
    let required = parts.required();
    parts
        .properties()
        .filter(|(name, _)| required.contains(name))
        .find_map(|(name, schema)| {
            let value = match (schema.get("const"), schema.get("enum")) {
                (Some(value), _) => value,
                (None, Some(Value::Array(values))) if values.len() == 1 => &values[0],
                _ => return None,
            };
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            Some(format!("{name} = {value}"))
        })
}
