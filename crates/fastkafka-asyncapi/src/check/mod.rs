//! Whether a document is right: by the official schema, by what that cannot say, and by its own
//! schemas.

mod examples;
mod references;
mod rules;
mod structure;

use serde_json::Value;
use std::fmt;

/// Something that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where, as a JSON pointer.
    pub at: String,
    /// What.
    pub what: String,
}

impl Finding {
    fn new(at: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            at: at.into(),
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.at.is_empty() { "/" } else { &self.at };
        write!(f, "{at}: {}", self.what)
    }
}

/// Everything that is wrong with a document, in the order of its parts; none: it is right.
pub fn check(document: &Value) -> Vec<Finding> {
    let mut findings = structure::check(document);
    findings.extend(references::check(document));
    findings.extend(rules::check(document));
    findings.extend(examples::check(document));
    findings.sort();
    findings.dedup();
    findings
}

/// The members of an object at a path, and the pointer to each.
fn members<'a>(
    document: &'a Value,
    path: &str,
) -> impl Iterator<Item = (String, &'a str, &'a Value)> + use<'a> {
    let path = path.to_owned();
    let object = document.pointer(&path).and_then(Value::as_object);
    object
        .into_iter()
        .flatten()
        .map(move |(name, value)| (format!("{path}/{}", escape(name)), &**name, value))
}

/// A name as a part of a JSON pointer.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// What stands at `$ref`.
fn reference(value: &Value) -> Option<&str> {
    value.get("$ref").and_then(Value::as_str)
}

/// The part of the document that a reference names.
fn resolve<'a>(document: &'a Value, target: &str) -> Option<&'a Value> {
    let pointer = target.strip_prefix('#')?;
    let pointer = percent_encoding::percent_decode_str(pointer)
        .decode_utf8()
        .ok()?;
    document.pointer(&pointer)
}
