//! Changes of a type.

use crate::tests::changes::Breaks::{Everyone, Nobody, Readers, Senders};
use crate::tests::changes::schema;
use serde_json::{Value, json};

fn object(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required })
}

fn closed(properties: Value, required: &[&str]) -> Value {
    let mut schema = object(properties, required);
    schema["additionalProperties"] = false.into();
    schema
}

fn id() -> Value {
    json!({ "id": { "type": "integer" } })
}

fn id_and(more: Value) -> Value {
    json!({ "id": { "type": "integer" }, "note": more })
}

fn text() -> Value {
    json!({ "type": "string" })
}

#[test]
fn an_optional_field_is_added() {
    schema(
        object(id(), &["id"]),
        object(id_and(text()), &["id"]),
        Nobody,
        "`Order.note` is new and optional",
    );
}

#[test]
fn a_required_field_is_added() {
    schema(
        object(id(), &["id"]),
        object(id_and(text()), &["id", "note"]),
        Senders,
        "`Order.note` is new and required",
    );
}

#[test]
fn an_optional_field_is_added_where_no_other_was_allowed() {
    schema(
        closed(id(), &["id"]),
        closed(id_and(text()), &["id"]),
        Readers,
        "`Order.note` is new and optional",
    );
}

#[test]
fn an_optional_field_is_removed() {
    schema(
        object(id_and(text()), &["id"]),
        object(id(), &["id"]),
        Nobody,
        "`Order.note` is gone; it was optional",
    );
}

#[test]
fn a_required_field_is_removed() {
    schema(
        object(id_and(text()), &["id", "note"]),
        object(id(), &["id"]),
        Readers,
        "`Order.note` is gone; it was required",
    );
}

#[test]
fn an_optional_field_is_removed_where_no_other_is_allowed() {
    schema(
        closed(id_and(text()), &["id"]),
        closed(id(), &["id"]),
        Senders,
        "`Order.note` is gone",
    );
}

#[test]
fn a_field_becomes_required() {
    schema(
        object(id_and(text()), &["id"]),
        object(id_and(text()), &["id", "note"]),
        Senders,
        "`Order.note` is required now",
    );
}

#[test]
fn a_field_becomes_optional() {
    schema(
        object(id_and(text()), &["id", "note"]),
        object(id_and(text()), &["id"]),
        Readers,
        "`Order.note` is optional now",
    );
}

#[test]
fn unknown_fields_are_refused() {
    schema(
        object(id(), &["id"]),
        closed(id(), &["id"]),
        Senders,
        "refuses fields that it does not name",
    );
}

#[test]
fn unknown_fields_are_taken() {
    schema(
        closed(id(), &["id"]),
        object(id(), &["id"]),
        Readers,
        "takes fields that it does not name",
    );
}

#[test]
fn a_type_is_widened() {
    schema(
        json!({ "type": "integer" }),
        json!({ "type": "number" }),
        Readers,
        "from integer to number",
    );
    schema(
        text(),
        json!({ "type": ["string", "null"] }),
        Readers,
        "from string to null or string",
    );
}

#[test]
fn a_type_is_narrowed() {
    schema(
        json!({ "type": "number" }),
        json!({ "type": "integer" }),
        Senders,
        "from number to integer",
    );
    schema(json!({}), text(), Senders, "from anything to string");
}

#[test]
fn a_type_is_another_one() {
    schema(
        json!({ "type": "integer" }),
        text(),
        Everyone,
        "from integer to string",
    );
}

#[test]
fn an_enum_grows() {
    schema(
        json!({ "enum": ["a"] }),
        json!({ "enum": ["a", "b"] }),
        Readers,
        "has the new value `b`",
    );
}

#[test]
fn an_enum_shrinks() {
    schema(
        json!({ "enum": ["a", "b"] }),
        json!({ "enum": ["a"] }),
        Senders,
        "no longer has the value `b`",
    );
}

#[test]
fn a_text_becomes_an_enum_and_an_enum_a_text() {
    let listed = || json!({ "type": "string", "enum": ["a"] });
    schema(text(), listed(), Senders, "takes only listed values");
    schema(listed(), text(), Readers, "takes any value now");
}

fn variant(name: &str) -> Value {
    object(json!({ "kind": { "const": name } }), &["kind"])
}

#[test]
fn an_enum_with_data_gets_a_variant() {
    schema(
        json!({ "oneOf": [variant("paid")] }),
        json!({ "oneOf": [variant("paid"), variant("sent")] }),
        Readers,
        "may be `kind = sent` too",
    );
}

#[test]
fn an_enum_with_data_loses_a_variant() {
    schema(
        json!({ "oneOf": [variant("paid"), variant("sent")] }),
        json!({ "oneOf": [variant("paid")] }),
        Senders,
        "is no longer `kind = sent`",
    );
}

#[test]
fn a_field_of_a_variant_becomes_required() {
    let paid = |required: &[&str]| json!({ "oneOf": [variant("sent"), object(json!({ "kind": { "const": "paid" }, "cents": {} }), required)] });
    schema(
        paid(&["kind"]),
        paid(&["kind", "cents"]),
        Senders,
        "`Order(kind = paid).cents` is required now",
    );
}

#[test]
fn a_variant_of_serdes_default_representation_changes() {
    let with = |cents: Value| {
        let card = closed(
            json!({ "Card": object(json!({ "cents": cents }), &["cents"]) }),
            &["Card"],
        );
        json!({ "oneOf": [{ "type": "string", "enum": ["Cash"] }, card] })
    };
    schema(
        with(json!({ "type": "integer" })),
        with(json!({ "type": "number" })),
        Readers,
        "`Order(Card).Card.cents` changed its type",
    );
}

#[test]
fn what_stands_beside_variants_counts_for_each() {
    let with = |required: &[&str]| {
        let mut base = object(id(), required);
        base["oneOf"] = json!([variant("paid")]);
        base
    };
    schema(
        with(&[]),
        with(&["id"]),
        Senders,
        "`Order(kind = paid).id` is required now",
    );
}

#[test]
fn a_named_type_becomes_nullable() {
    let item = || object(json!({ "sku": text() }), &["sku"]);
    schema(
        object(json!({ "item": item() }), &[]),
        object(
            json!({ "item": { "anyOf": [item(), { "type": "null" }] } }),
            &[],
        ),
        Readers,
        "`Order.item` may be `null` too",
    );
}

#[test]
fn limits_of_numbers_move() {
    let between =
        |least: i32, most: i32| json!({ "type": "integer", "minimum": least, "maximum": most });
    schema(
        between(0, 9),
        between(1, 9),
        Senders,
        "least value from 0 to 1",
    );
    schema(
        between(0, 9),
        between(-1, 9),
        Readers,
        "least value from 0 to -1",
    );
    schema(
        between(0, 9),
        between(0, 8),
        Senders,
        "largest value from 9 to 8",
    );
    schema(
        between(0, 9),
        between(0, 10),
        Readers,
        "largest value from 9 to 10",
    );
}

#[test]
fn an_integer_gets_other_bits() {
    let of = |format: &str| json!({ "type": "integer", "format": format });
    schema(
        of("uint16"),
        of("uint32"),
        Readers,
        "largest value from 65535 to 4294967295",
    );
    schema(of("uint64"), of("uint32"), Senders, "largest value");
}

#[test]
fn lengths_and_counts_move() {
    schema(
        json!({ "type": "string", "maxLength": 9 }),
        json!({ "type": "string", "maxLength": 8 }),
        Senders,
        "largest length",
    );
    schema(
        json!({ "type": "array", "minItems": 1 }),
        json!({ "type": "array" }),
        Readers,
        "least number of items",
    );
    schema(
        json!({ "type": "array" }),
        json!({ "type": "array", "uniqueItems": true }),
        Senders,
        "must not repeat items",
    );
}

#[test]
fn a_pattern_comes_goes_or_changes() {
    let of = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    schema(text(), of("a"), Senders, "asks for `pattern`");
    schema(of("a"), text(), Readers, "no longer asks for `pattern`");
    schema(of("a"), of("b"), Everyone, "changed `pattern`");
}

#[test]
fn a_format_changes() {
    let of = |format: &str| json!({ "type": "string", "format": format });
    schema(
        of("date"),
        of("date-time"),
        Everyone,
        "from `date` to `date-time`",
    );
    schema(text(), of("uuid"), Senders, "from any to `uuid`");
}

#[test]
fn items_and_values_of_maps_are_compared() {
    let list = |items: Value| json!({ "type": "array", "items": items });
    schema(
        list(json!({ "type": "integer" })),
        list(json!({ "type": "number" })),
        Readers,
        "`Order[]` changed its type",
    );
    let map = |values: Value| json!({ "type": "object", "additionalProperties": values });
    schema(
        map(json!({ "type": "number" })),
        map(json!({ "type": "integer" })),
        Senders,
        "`Order.*` changed its type",
    );
}

#[test]
fn a_tuple_gets_another_length() {
    let tuple = |of: &[Value]| json!({ "type": "array", "items": of });
    schema(
        tuple(&[text()]),
        tuple(&[text(), text()]),
        Everyone,
        "has other places",
    );
    schema(
        tuple(&[text(), json!({ "type": "number" })]),
        tuple(&[text(), json!({ "type": "integer" })]),
        Senders,
        "`Order[1]` changed",
    );
}

#[test]
fn words_and_defaults_break_nobody() {
    schema(
        text(),
        json!({ "type": "string", "description": "A name." }),
        Nobody,
        "described in other words",
    );
    schema(
        text(),
        json!({ "type": "string", "default": "x" }),
        Nobody,
        "changed its default from none to `\"x\"`",
    );
}

#[test]
fn a_type_that_contains_itself_is_compared_once() {
    let tree = |more: Value| {
        object(
            json!({ "value": more, "next": { "$ref": "#/components/schemas/Order" } }),
            &[],
        )
    };
    schema(
        tree(json!({ "type": "integer" })),
        tree(json!({ "type": "number" })),
        Readers,
        "`Order.value` changed its type",
    );
    let one = |value: Value| json!({ "anyOf": [{ "type": "null" }, tree(value)] });
    schema(
        one(json!({ "type": "integer" })),
        one(json!({ "type": "number" })),
        Readers,
        "changed its type",
    );
}
