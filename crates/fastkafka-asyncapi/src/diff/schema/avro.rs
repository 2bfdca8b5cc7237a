//! Two schemas of Avro compared. A datum does not say what it was written with, and is read by the
//! reader's own schema: whatever differs in what is written breaks both sides.

use super::{Effect, Step};
use serde_json::Value;

/// What decides about the bytes and their meaning; the rest is documentation, defaults and aliases.
const WRITTEN: &[&str] = &[
    "type",
    "name",
    "namespace",
    "fields",
    "symbols",
    "items",
    "values",
    "size",
    "logicalType",
    "precision",
    "scale",
];

pub(super) fn compare(before: &Value, after: &Value) -> Vec<Step> {
    if before == after {
        return Vec::new();
    }
    let step = if written(before) == written(after) {
        Step::new(
            "",
            Effect::Same,
            "has other words or defaults in its Avro schema",
        )
    } else {
        let what =
            "changed its Avro schema, and a datum is read only by the one that it was written with";
        Step::new("", Effect::Other, what)
    };
    vec![step]
}

fn written(schema: &Value) -> Value {
    match schema {
        Value::Object(parts) => parts
            .iter()
            .filter(|(name, _)| WRITTEN.contains(&&***name))
            .map(|(name, part)| (name.clone(), written(part)))
            .collect(),
        Value::Array(parts) => parts.iter().map(written).collect(),
        word => word.clone(),
    }
}
