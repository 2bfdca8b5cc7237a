//! A value that a schema allows, for whoever wants to send one.

use super::{named, resolved};
use crate::model::{Named, Schema};
use serde_json::{Map, Value, json};

/// The value that says most in least: declared examples and defaults first, optional fields too,
/// unless a type would contain itself.
pub(crate) fn sample(schemas: &Named<Schema>, schema: &Schema) -> Value {
    let mut sample = sample_of(schemas, schema, &mut Vec::new());
    sample.sort_all_objects();
    sample
}

fn sample_of<'a>(
    schemas: &'a Named<Schema>,
    schema: &'a Schema,
    inside: &mut Vec<&'a str>,
) -> Value {
    if let Some(name) = named(schema) {
        // Only a type of which no finite value is comes so deep.
        if inside.len() > 32 {
            return Value::Null;
        }
        inside.push(name);
        let value = sample_of(schemas, resolved(schemas, schema), inside);
        inside.pop();
        return value;
    }
    let first = |keyword: &str| schema.get(keyword)?.as_array()?.first();
    let given = first("examples").or_else(|| schema.get("const"));
    // That nothing is there by default says less than what may be there.
    let default = || schema.get("default").filter(|value| !value.is_null());
    if let Some(value) = given.or_else(default).or_else(|| first("enum")) {
        return value.clone();
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        return together(schemas, schema, parts, inside);
    }
    for keyword in ["oneOf", "anyOf"] {
        let variants = schema.get(keyword).and_then(Value::as_array);
        let mut variants = variants.into_iter().flatten();
        if let Some(variant) = variants.clone().find(|variant| !mentions(variant, inside)) {
            return with_fields(schemas, schema, sample_of(schemas, variant, inside), inside);
        }
        if let Some(variant) = variants.next() {
            return sample_of(schemas, variant, inside);
        }
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
        kind => kind.and_then(Value::as_str),
    };
    match kind {
        Some("object") => with_fields(schemas, schema, json!({}), inside),
        Some("array") => list(schemas, schema, inside),
        Some("string") => text(schema),
        Some("integer") => schema.get("minimum").cloned().unwrap_or_else(|| json!(0)),
        Some("number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(0.5)),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        _ if schema.get("properties").is_some() => with_fields(schemas, schema, json!({}), inside),
        _ => json!({}),
    }
}

/// The fields of `allOf` and those beside it, in one object.
fn together<'a>(
    schemas: &'a Named<Schema>,
    schema: &'a Schema,
    parts: &'a [Value],
    inside: &mut Vec<&'a str>,
) -> Value {
    let mut all = Map::new();
    for part in parts {
        match sample_of(schemas, part, inside) {
            Value::Object(more) => all.extend(more),
            other => return other,
        }
    }
    with_fields(schemas, schema, Value::Object(all), inside)
}

fn with_fields<'a>(
    schemas: &'a Named<Schema>,
    schema: &'a Schema,
    value: Value,
    inside: &mut Vec<&'a str>,
) -> Value {
    let Value::Object(mut fields) = value else {
        return value;
    };
    let required = schema.get("required").and_then(Value::as_array);
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        let required = required.is_some_and(|required| required.iter().any(|field| field == name));
        if required || !mentions(schema, inside) {
            fields.insert(name.clone(), sample_of(schemas, schema, inside));
        }
    }
    if let Some(values @ Value::Object(_)) = schema.get("additionalProperties")
        && !mentions(values, inside)
    {
        fields.insert("key".to_owned(), sample_of(schemas, values, inside));
    }
    Value::Object(fields)
}

fn list<'a>(schemas: &'a Named<Schema>, schema: &'a Schema, inside: &mut Vec<&'a str>) -> Value {
    match schema.get("items") {
        Some(Value::Array(places)) => places
            .iter()
            .map(|place| sample_of(schemas, place, inside))
            .collect(),
        Some(items) => {
            let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
            let wanted = if mentions(items, inside) {
                least
            } else {
                least.max(1)
            };
            (0..wanted.min(8))
                .map(|_| sample_of(schemas, items, inside))
                .collect()
        }
        None => json!([]),
    }
}

/// Whether a type that is being written already stands somewhere in the schema.
fn mentions(schema: &Schema, inside: &[&str]) -> bool {
    named(schema).is_some_and(|name| inside.contains(&name))
        || match schema {
            Value::Object(parts) => parts.values().any(|part| mentions(part, inside)),
            Value::Array(parts) => parts.iter().any(|part| mentions(part, inside)),
            _ => false,
        }
}

fn text(schema: &Schema) -> Value {
    let format = schema.get("format").and_then(Value::as_str);
    json!(match format {
        Some("date-time") => "2026-01-31T12:00:00Z",
        Some("date") => "2026-01-31",
        Some("time") => "12:00:00Z",
        Some("duration") => "PT1M",
        Some("uuid") => "6f1d2f5e-8c5b-4b63-9f0e-2f6d8a1c7e42",
        Some("email") => "someone@example.com",
        Some("uri") => "https://example.com",
        Some("hostname") => "example.com",
        Some("ipv4") => "192.0.2.1",
        Some("ipv6") => "2001:db8::1",
        _ => {
            let longest = schema.get("maxLength").and_then(Value::as_u64);
            let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0);
            if longest.is_some_and(|most| most < 4) || least > 4 {
                return Value::from(
                    "text"[..1].repeat(usize::try_from(least.clamp(1, 256)).unwrap_or(1)),
                );
            }
            "text"
        }
    })
}
