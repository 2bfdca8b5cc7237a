//! A schema that can be used on its own.

use crate::model::{Named, Schema, avro};
use serde_json::{Map, Value, json};

const SCHEMAS: &str = "#/components/schemas/";

/// In which language it is written.
pub(crate) fn language(schema: &Schema) -> &'static str {
    match avro(schema) {
        Some(_) => "Avro schema",
        None => "JSON Schema",
    }
}

/// JSON Schema of draft 7 with everything that it refers to; what is Avro's needs nothing else.
pub(crate) fn bundle(schemas: &Named<Schema>, schema: &Schema) -> Value {
    if let Some(avro) = avro(schema) {
        return avro.clone();
    }
    let mut definitions = Map::new();
    let mut root = schema.clone();
    take(schemas, &mut root, &mut definitions);
    let mut bundle = json!({ "$schema": "http://json-schema.org/draft-07/schema#" });
    if let (Some(bundle), Value::Object(root)) = (bundle.as_object_mut(), root) {
        bundle.extend(root);
        if !definitions.is_empty() {
            bundle.insert("definitions".to_owned(), Value::Object(definitions));
        }
    }
    bundle.sort_all_objects();
    bundle
}

fn take(schemas: &Named<Schema>, part: &mut Value, definitions: &mut Map<String, Value>) {
    let target = part.get("$ref").and_then(Value::as_str);
    if let Some(name) = target
        .and_then(|target| target.strip_prefix(SCHEMAS))
        .map(str::to_owned)
    {
        part["$ref"] = format!("#/definitions/{name}").into();
        if let (Some(schema), false) = (schemas.get(&name), definitions.contains_key(&name)) {
            // Its place is taken first: it may refer to itself.
            definitions.insert(name.clone(), Value::Null);
            let mut schema = schema.clone();
            take(schemas, &mut schema, definitions);
            definitions.insert(name, schema);
        }
    }
    match part {
        Value::Object(parts) => parts
            .values_mut()
            .for_each(|part| take(schemas, part, definitions)),
        Value::Array(parts) => parts
            .iter_mut()
            .for_each(|part| take(schemas, part, definitions)),
        _ => {}
    }
}
