//! Changes of a payload in Avro.

use crate::tests::changes::{Breaks, schema};
use serde_json::{Value, json};

fn avro(fields: Value) -> Value {
    json!({
        "schemaFormat": "application/vnd.apache.avro;version=1.9.0",
        "schema": { "type": "record", "name": "Order", "fields": fields },
    })
}

fn id() -> Value {
    avro(json!([{ "name": "id", "type": "long" }]))
}

#[test]
fn any_other_field_breaks_both_sides() {
    let fields =
        json!([{ "name": "id", "type": "long" }, { "name": "note", "type": ["null", "string"] }]);
    schema(
        id(),
        avro(fields),
        Breaks::Everyone,
        "`Order` changed its Avro schema",
    );
}

#[test]
fn the_order_of_fields_breaks_both_sides() {
    let (a, b) = (
        json!({ "name": "a", "type": "long" }),
        json!({ "name": "b", "type": "long" }),
    );
    let (old, new) = (avro(json!([a, b])), avro(json!([b, a])));
    schema(
        old,
        new,
        Breaks::Everyone,
        "`Order` changed its Avro schema",
    );
}

#[test]
fn documentation_and_defaults_break_nobody() {
    let fields = json!([{ "name": "id", "type": "long", "doc": "Its number.", "default": 0 }]);
    schema(
        id(),
        avro(fields),
        Breaks::Nobody,
        "other words or defaults",
    );
}

#[test]
fn another_format_breaks_both_sides() {
    let json = json!({ "type": "object", "properties": { "id": { "type": "integer" } } });
    schema(
        json,
        id(),
        Breaks::Everyone,
        "has a schema of another format",
    );
}
