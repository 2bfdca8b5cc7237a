//! The fields of an object, and the variants of an enum.

use super::{Piece, limits, named, pieces, resolved};
use crate::model::{Named, Schema};
use serde_json::Value;

/// A field, or one of an object inside.
pub(crate) struct Field {
    /// `item.sku`, `items[].sku`.
    pub(crate) path: String,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) required: bool,
    /// In Markdown.
    pub(crate) description: String,
    pub(crate) limits: Vec<String>,
}

/// One of several shapes.
pub(crate) struct Variant<'a> {
    pub(crate) pieces: Vec<Piece>,
    /// In Markdown.
    pub(crate) description: String,
    pub(crate) schema: &'a Schema,
}

/// The fields of an object: those of objects without a name of their own stand under their path.
pub(crate) fn fields(schema: &Schema) -> Vec<Field> {
    let mut found = Vec::new();
    collect("", schema, &mut found);
    found
}

fn collect(prefix: &str, schema: &Schema, found: &mut Vec<Field>) {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| {
        let required = required.into_iter().flatten();
        required
            .filter_map(Value::as_str)
            .any(|required| required == name)
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        let path = format!("{prefix}{name}");
        found.push(Field {
            pieces: pieces(schema),
            required: is_required(name),
            description: description(schema).to_owned(),
            limits: limits(schema),
            path: path.clone(),
        });
        if named(schema).is_none() {
            collect(&format!("{path}."), schema, found);
            if let Some(items @ Value::Object(_)) = schema.get("items") {
                collect(&format!("{path}[]."), items, found);
            }
        }
    }
    for part in schema
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        collect(prefix, part, found);
    }
}

/// The variants of an enum with data.
pub(crate) fn variants<'a>(schemas: &'a Named<Schema>, schema: &'a Schema) -> Vec<Variant<'a>> {
    let alternatives = ["oneOf", "anyOf"]
        .iter()
        .find_map(|keyword| schema.get(keyword)?.as_array());
    alternatives
        .into_iter()
        .flatten()
        .map(|variant| Variant {
            pieces: label(schemas, variant),
            description: description(variant).to_owned(),
            schema: variant,
        })
        .collect()
}

/// What tells a variant from the others, `kind "paid"`, else its type.
fn label(schemas: &Named<Schema>, variant: &Schema) -> Vec<Piece> {
    let properties = resolved(schemas, variant)
        .get("properties")
        .and_then(Value::as_object);
    let tag = properties.into_iter().flatten().find_map(|(name, schema)| {
        let value = match (
            schema.get("const"),
            schema.get("enum").and_then(Value::as_array),
        ) {
            (Some(value), _) => value,
            (None, Some(values)) if values.len() == 1 => &values[0],
            _ => return None,
        };
        Some(vec![
            Piece::Words(format!("{name} ")),
            Piece::Value(value.to_string()),
        ])
    });
    let mut names = properties.into_iter().flatten().map(|(name, _)| name);
    let only = match (names.next(), names.next()) {
        (Some(only), None) if named(variant).is_none() => Some(vec![Piece::Value(only.clone())]),
        _ => None,
    };
    tag.or(only).unwrap_or_else(|| pieces(variant))
}

pub(crate) fn description(schema: &Schema) -> &str {
    schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
}
