//! Types in words.

use super::named;
use crate::model::{Schema, avro};
use serde_json::Value;

/// A part of a type in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Plain words.
    Words(String),
    /// A value, as it is written.
    Value(String),
    /// The name of a schema.
    Named(String),
}

fn words(text: &str) -> Vec<Piece> {
    vec![Piece::Words(text.to_owned())]
}

/// The type that a schema describes: `list of Order`, `text or null`.
pub(crate) fn pieces(schema: &Schema) -> Vec<Piece> {
    if let Some(name) = named(schema) {
        return vec![Piece::Named(name.to_owned())];
    }
    if let Some(avro) = avro(schema) {
        let kind = avro.get("type").unwrap_or(avro);
        return words(&format!("Avro {}", kind.as_str().unwrap_or("union")));
    }
    if let Some(value) = schema.get("const") {
        return vec![Piece::Value(text(value))];
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let values = values.iter().map(|value| vec![Piece::Value(text(value))]);
        return join(values, " or ");
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(variants) = schema.get(keyword).and_then(Value::as_array) {
            return join(variants.iter().map(pieces), " or ");
        }
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        return join(parts.iter().map(pieces), " with ");
    }
    match schema.get("type") {
        Some(Value::String(kind)) => of_type(kind, schema),
        Some(Value::Array(kinds)) => {
            let kinds = kinds.iter().filter_map(Value::as_str);
            join(kinds.map(|kind| of_type(kind, schema)), " or ")
        }
        _ if schema.get("properties").is_some() => words("object"),
        _ => words("anything"),
    }
}

fn of_type(kind: &str, schema: &Schema) -> Vec<Piece> {
    let format = schema.get("format").and_then(Value::as_str);
    match kind {
        "array" => match schema.get("items") {
            Some(Value::Array(places)) => {
                let places = join(places.iter().map(pieces), ", ");
                [words("tuple of "), places].concat()
            }
            Some(items) => [words("list of "), pieces(items)].concat(),
            None => words("list"),
        },
        "object" => match schema.get("additionalProperties") {
            Some(values @ Value::Object(_)) => [words("map of "), pieces(values)].concat(),
            _ => words("object"),
        },
        "string" => words(match format {
            Some("binary") => "bytes",
            Some(format) => format,
            None => "string",
        }),
        "integer" | "number" => words(format.unwrap_or(kind)),
        kind => words(kind),
    }
}

fn join(parts: impl Iterator<Item = Vec<Piece>>, by: &str) -> Vec<Piece> {
    let mut all = Vec::new();
    for part in parts {
        if all.is_empty() {
            all = part;
        } else if !part.is_empty() {
            all.extend(words(by));
            all.extend(part);
        }
    }
    all
}

fn text(value: &Value) -> String {
    value.to_string()
}

/// What else a value must be: bounds, lengths, patterns, and what it is when it is missing.
pub(crate) fn limits(schema: &Schema) -> Vec<String> {
    let get = |keyword: &str| schema.get(keyword).map(text);
    let unsigned = schema
        .get("format")
        .and_then(Value::as_str)
        .is_some_and(|format| format.starts_with("uint"));
    let mut limits = Vec::new();
    for (keyword, words) in [
        ("minimum", "at least"),
        ("exclusiveMinimum", "more than"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "less than"),
        ("multipleOf", "a multiple of"),
        ("minLength", "shortest"),
        ("maxLength", "longest"),
        ("minItems", "fewest"),
        ("maxItems", "most"),
        ("pattern", "matches"),
        ("default", "default"),
    ] {
        let Some(value) = get(keyword) else { continue };
        // The format, or the type, says that much.
        let said = match keyword {
            "minimum" => unsigned && value == "0",
            "default" => value == "null",
            _ => false,
        };
        if !said {
            limits.push(format!("{words} {value}"));
        }
    }
    if schema.get("deprecated") == Some(&Value::Bool(true)) {
        limits.push("deprecated".to_owned());
    }
    limits
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(schema: Value) -> String {
        pieces(&schema)
            .into_iter()
            .map(|piece| match piece {
                Piece::Words(text) => text,
                Piece::Value(text) => format!("`{text}`"),
                Piece::Named(text) => format!("[{text}]"),
            })
            .collect()
    }

    #[test]
    fn types_are_said_in_words() {
        let order = json!({ "$ref": "#/components/schemas/Order" });
        for (schema, words) in [
            (json!({}), "anything"),
            (json!({ "type": ["string", "null"] }), "string or null"),
            (json!({ "type": "integer", "format": "uint8" }), "uint8"),
            (json!({ "type": "string", "format": "binary" }), "bytes"),
            (
                json!({ "type": "array", "items": order }),
                "list of [Order]",
            ),
            (
                json!({ "type": "object", "additionalProperties": order }),
                "map of [Order]",
            ),
            (
                json!({ "anyOf": [order, { "type": "null" }] }),
                "[Order] or null",
            ),
            (json!({ "enum": ["a", 1] }), "`\"a\"` or `1`"),
            (
                json!({ "type": "array", "items": [{ "type": "string" }, order] }),
                "tuple of string, [Order]",
            ),
        ] {
            assert_eq!(said(schema), words);
        }
    }
}
