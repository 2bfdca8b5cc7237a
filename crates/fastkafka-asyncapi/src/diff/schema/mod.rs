//! Two schemas compared: does the new one accept less, or more?
//!
//! Objects are open unless they say otherwise: readers ignore what they do not know, so a field that
//! may come too changes nothing for anyone.

mod avro;
mod effective;
mod limits;
mod objects;
mod variants;

use crate::model::{self, Named, Schema};
use crate::read::resolved;
use effective::{Parts, effective};
use serde_json::Value;
use std::collections::BTreeSet;

/// What a step does to the set of accepted values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    Same,
    /// Less is accepted.
    Narrower,
    /// More is accepted.
    Wider,
    /// Some of what was accepted is not, and the reverse.
    Other,
}

impl Effect {
    /// Of a set that has something the other one has not.
    fn new(lost: bool, won: bool) -> Self {
        match (lost, won) {
            (false, false) => Self::Same,
            (true, false) => Self::Narrower,
            (false, true) => Self::Wider,
            (true, true) => Self::Other,
        }
    }
}

/// One difference.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// `.items[].sku`, or nothing for the whole.
    pub(super) path: String,
    pub(super) effect: Effect,
    pub(super) what: String,
}

impl Step {
    pub(super) fn new(path: impl Into<String>, effect: Effect, what: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            effect,
            what: what.into(),
        }
    }
}

/// A schema, and those that its references lead to.
pub(super) type Side<'a> = (&'a Named<Schema>, &'a Schema);

pub(super) fn compare(old: Side<'_>, new: Side<'_>) -> Vec<Step> {
    let avro = |side: Side<'_>| model::avro(resolved(side.0, side.1)).cloned();
    match (avro(old), avro(new)) {
        (None, None) => {}
        (Some(before), Some(after)) => return avro::compare(&before, &after),
        _ => {
            return vec![Step::new(
                "",
                Effect::Other,
                "has a schema of another format",
            )];
        }
    }
    let mut comparison = Comparison {
        old: old.0,
        new: new.0,
        seen: BTreeSet::new(),
        steps: Vec::new(),
    };
    comparison.walk("", old.1, new.1);
    comparison.steps
}

struct Comparison<'a> {
    old: &'a Named<Schema>,
    new: &'a Named<Schema>,
    /// Pairs of named schemas that were compared, or are being: types contain themselves.
    seen: BTreeSet<(String, String)>,
    steps: Vec<Step>,
}

impl Comparison<'_> {
    fn add(&mut self, path: &str, effect: Effect, what: impl Into<String>) {
        self.steps.push(Step::new(path, effect, what));
    }

    fn walk(&mut self, path: &str, before: &Value, after: &Value) {
        let target = |schema: &Value| Some(schema.get("$ref")?.as_str()?.to_owned());
        if let (Some(before), Some(after)) = (target(before), target(after))
            && !self.seen.insert((before, after))
        {
            return;
        }
        let (before, after) = (effective(self.old, before), effective(self.new, after));
        self.annotations(path, &before, &after);
        if before.variants.is_none() && after.variants.is_none() {
            self.constraints(path, &before, &after);
        } else {
            self.variants(path, before, after);
        }
    }

    /// Whether two schemas say the same, as far as it is not being asked already.
    fn is_same(&self, before: &Value, after: &Value) -> bool {
        let mut inner = Comparison {
            seen: self.seen.clone(),
            steps: Vec::new(),
            ..*self
        };
        inner.walk("", before, after);
        inner.steps.is_empty()
    }

    fn annotations(&mut self, path: &str, before: &Parts, after: &Parts) {
        if before.get("description") != after.get("description") {
            self.add(path, Effect::Same, "is described in other words");
        }
        let (from, to) = (before.get("default"), after.get("default"));
        if from != to {
            let text = |value: Option<&Value>| {
                value.map_or("none".to_owned(), |value| format!("`{value}`"))
            };
            let what = format!("changed its default from {} to {}", text(from), text(to));
            self.add(path, Effect::Same, what);
        }
    }

    fn constraints(&mut self, path: &str, before: &Parts, after: &Parts) {
        if self.types(path, before, after) == Effect::Other {
            return;
        }
        self.values(path, before, after);
        self.limits(path, before, after);
        self.items(path, before, after);
        self.fields(path, before, after);
        self.opaque(path, before, after);
    }

    fn types(&mut self, path: &str, before: &Parts, after: &Parts) -> Effect {
        let (from, to) = (before.types(), after.types());
        let effect = match (&from, &to) {
            (None, None) => Effect::Same,
            (Some(_), None) => Effect::Wider,
            (None, Some(_)) => Effect::Narrower,
            (Some(from), Some(to)) => Effect::new(!contains(to, from), !contains(from, to)),
        };
        if effect != Effect::Same {
            let text = |types: Option<BTreeSet<&str>>| {
                types.map_or_else(
                    || "anything".to_owned(),
                    |types| types.into_iter().collect::<Vec<_>>().join(" or "),
                )
            };
            let what = format!("changed its type from {} to {}", text(from), text(to));
            self.add(path, effect, what);
        }
        effect
    }

    /// `enum` and `const`.
    fn values(&mut self, path: &str, before: &Parts, after: &Parts) {
        match (before.values(), after.values()) {
            (None, None) => {}
            (Some(_), None) => self.add(
                path,
                Effect::Wider,
                "takes any value now, not only listed ones",
            ),
            (None, Some(_)) => self.add(path, Effect::Narrower, "takes only listed values now"),
            (Some(from), Some(to)) => {
                for gone in from.difference(&to) {
                    self.add(
                        path,
                        Effect::Narrower,
                        format!("no longer has the value `{gone}`"),
                    );
                }
                for new in to.difference(&from) {
                    self.add(path, Effect::Wider, format!("has the new value `{new}`"));
                }
            }
        }
    }

    fn items(&mut self, path: &str, before: &Parts, after: &Parts) {
        let path = format!("{path}[]");
        match (before.get("items"), after.get("items")) {
            (Some(Value::Array(from)), Some(Value::Array(to))) if from.len() == to.len() => {
                for (i, (from, to)) in from.iter().zip(to).enumerate() {
                    self.walk(&format!("{}[{i}]", path.trim_end_matches("[]")), from, to);
                }
            }
            (Some(Value::Array(_)), Some(_)) | (Some(_), Some(Value::Array(_))) => {
                self.add(&path, Effect::Other, "has other places");
            }
            (Some(from), Some(to)) => self.walk(&path, from, to),
            (Some(_), None) => self.add(&path, Effect::Wider, "may be anything now"),
            (None, Some(_)) => self.add(&path, Effect::Narrower, "are described now"),
            (None, None) => {}
        }
    }

    /// What can only be the same or not.
    fn opaque(&mut self, path: &str, before: &Parts, after: &Parts) {
        const KEYWORDS: [&str; 11] = [
            "pattern",
            "multipleOf",
            "not",
            "if",
            "then",
            "else",
            "contains",
            "dependencies",
            "patternProperties",
            "propertyNames",
            "contentEncoding",
        ];
        for keyword in KEYWORDS {
            let (from, to) = (before.get(keyword), after.get(keyword));
            let (effect, what) = match (from, to) {
                (Some(_), None) => (Effect::Wider, "no longer asks for"),
                (None, Some(_)) => (Effect::Narrower, "asks for"),
                (from, to) if from != to => (Effect::Other, "changed"),
                _ => continue,
            };
            self.add(path, effect, format!("{what} `{keyword}`"));
        }
    }
}

/// Every integer is a number.
fn contains(all: &BTreeSet<&str>, some: &BTreeSet<&str>) -> bool {
    some.iter()
        .all(|kind| all.contains(kind) || (*kind == "integer" && all.contains("number")))
}
