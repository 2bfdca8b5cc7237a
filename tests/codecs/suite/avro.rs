//! Avro, byte by byte.

use apache_avro::{AvroSchema, Codec, Schema, Writer};
use fastkafka::avro::{Confluent, SchemaIds};
use fastkafka::{Avro, Reads, Writes};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, PartialEq, Serialize, Deserialize, AvroSchema)]
struct Order {
    id: i64,
    customer: String,
    total: f64,
    paid: bool,
    note: Option<String>,
    tags: Vec<String>,
    stock: HashMap<String, i64>,
}

fn order(note: Option<&str>) -> Order {
    Order {
        id: -7_000_000_000,
        customer: "Zoë".to_owned(),
        total: 12.5,
        paid: true,
        note: note.map(str::to_owned),
        tags: vec!["a".to_owned(), "日本".to_owned()],
        stock: HashMap::from([("tea".to_owned(), 3)]),
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digits = |i| u8::from_str_radix(&text[i..i + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digits).collect()
}

fn refusal<T>(bytes: &[u8]) -> String
where
    Avro: Reads<T>,
{
    Avro::read(bytes).err().unwrap()
}

/// `avro_encoder` of FastKafka 0.8.0 wrote these, of the pydantic model with these fields.
#[test]
fn what_fastkafka_for_python_wrote_is_read_and_written() {
    for (note, bytes) in [
        (
            None,
            "ff97dc9334085a6fc3ab000000000000294001000402610ce697a5e69cac0002067465610600",
        ),
        (
            Some("by hand"),
            "ff97dc9334085a6fc3ab000000000000294001020e62792068616e640402610ce697a5e69cac0002067465610600",
        ),
    ] {
        assert_eq!(Avro::read(&hex(bytes)), Ok(order(note)));
        assert_eq!(Avro::write(&order(note)).unwrap(), hex(bytes));
    }
}

/// The schema that FastKafka 0.8.0 derives of that model, up to names and defaults.
#[test]
fn the_schema_is_the_one_that_fastkafka_for_python_derives() {
    let theirs = r#"{"type": "record", "name": "Order", "fields": [
        {"type": "long", "name": "id"}, {"type": "string", "name": "customer"},
        {"type": "double", "name": "total"}, {"type": "boolean", "name": "paid"},
        {"default": null, "type": ["null", "string"], "name": "note"},
        {"type": {"type": "array", "items": {"type": "string"}}, "name": "tags"},
        {"type": {"type": "map", "values": "long"}, "name": "stock"}]}"#;
    let theirs = Schema::parse_str(theirs).unwrap();
    assert_eq!(
        Order::get_schema().canonical_form(),
        theirs.canonical_form()
    );
}

#[test]
fn a_datum_ends_with_the_payload() {
    let mut bytes = Avro::write(&order(None)).unwrap().to_vec();
    assert!(refusal::<Order>(&bytes[..bytes.len() - 1]).contains("fill whole buffer"));
    bytes.extend([1, 2]);
    assert_eq!(refusal::<Order>(&bytes), "2 bytes follow the datum");
}

#[test]
fn an_object_container_is_refused_by_name() {
    let schema = Order::get_schema();
    let mut writer = Writer::with_codec(&schema, Vec::new(), Codec::Null).unwrap();
    writer.append_ser(order(None)).unwrap();
    let refusal = refusal::<Order>(&writer.into_inner().unwrap());
    assert!(
        refusal.ends_with(
            "; it begins like an object container file, which is for files: it repeats its schema in every record; write a plain datum"
        ),
        "{refusal}"
    );
}

#[test]
fn other_framings_are_refused_by_name() {
    let mut confluent = vec![0, 0, 0, 1, 44];
    confluent.extend(Avro::write(&order(None)).unwrap());
    let told = refusal::<Order>(&confluent);
    assert!(
        told.contains("Confluent's wire format with schema id 300: read it with `avro::Confluent`"),
        "{told}"
    );
    let single = [&[0xc3, 1][..], &[7; 8], &confluent[5..]].concat();
    let told = refusal::<Order>(&single);
    assert!(told.contains("it begins like a single object"), "{told}");
}

#[derive(Debug, PartialEq, Serialize, Deserialize, AvroSchema)]
struct Numbers {
    first: i64,
    more: Vec<i64>,
}

/// These numbers are a datum whose first bytes are those of an object container.
#[test]
fn a_datum_may_begin_like_another_framing() {
    let bytes = [b'O', b'b', b'j', 1, 1];
    let five: [i64; 5] = [-40, 49, 53, -1, -1];
    #[derive(Debug, PartialEq, Serialize, Deserialize, AvroSchema)]
    struct Five {
        a: i64,
        b: i64,
        c: i64,
        d: i64,
        e: i64,
    }
    let [a, b, c, d, e] = five;
    assert_eq!(Avro::read(&bytes), Ok(Five { a, b, c, d, e }));
    let zero = Numbers {
        first: 0,
        more: vec![0, 1],
    };
    let bytes = Avro::write(&zero).unwrap();
    assert_eq!(bytes[0], 0);
    assert_eq!(Avro::read(&bytes), Ok(zero));
}

#[derive(Debug, PartialEq, Serialize, Deserialize, AvroSchema)]
#[serde(rename = "Parcel")]
struct OldParcel {
    id: i64,
    weight: i32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, AvroSchema)]
#[serde(rename = "Parcel")]
struct Parcel {
    id: i64,
    label: Option<String>,
}

#[test]
fn confluents_format_is_read_by_the_schema_of_its_id() {
    let old = Confluent::new(BTreeMap::from([(1, OldParcel::get_schema())]));
    let both = Confluent::new(BTreeMap::from([
        (1, OldParcel::get_schema()),
        (0x0102_0304, Parcel::get_schema()),
    ]));
    let bytes = old.encode(&OldParcel { id: 3, weight: 5 }).unwrap();
    assert_eq!(bytes, [0, 0, 0, 0, 1, 6, 10]);
    let parcel = Parcel { id: 3, label: None };
    assert_eq!(both.decode::<Parcel>(&bytes).unwrap(), parcel);
    let bytes = both.encode(&parcel).unwrap();
    assert_eq!(bytes, [0, 1, 2, 3, 4, 6, 0]);
    assert_eq!(both.decode::<Parcel>(&bytes).unwrap(), parcel);
}

#[test]
fn what_is_wrong_with_confluents_format_is_named() {
    let ids = Confluent::new(BTreeMap::from([(1, OldParcel::get_schema())]));
    let refusal = |bytes: &[u8]| ids.decode::<OldParcel>(bytes).unwrap_err().to_string();
    assert_eq!(
        refusal(&[6, 10]),
        "the payload is not Confluent's wire format: it begins with a zero byte and the schema id in four"
    );
    assert_eq!(refusal(&[0, 0, 0, 0, 7, 6, 10]), "schema id 7 is not known");
    assert_eq!(
        refusal(&[0, 0, 0, 0, 1, 6, 10, 0]),
        "the payload is not the Avro datum of schema id 1 that it should be: 1 bytes follow the datum"
    );
    let error = ids.encode(&Parcel { id: 3, label: None }).unwrap_err();
    assert_eq!(error.to_string(), "the schema `Parcel` has no id");
}

/// A client of a registry asks by name and version; a table is searched.
#[test]
fn a_table_of_schemas_answers_both_ways() {
    let table = BTreeMap::from([(9, Parcel::get_schema())]);
    assert_eq!(SchemaIds::id(&table, &Parcel::get_schema()), Ok(9));
    assert_eq!(table.schema(9), Ok(&Parcel::get_schema()));
}

#[derive(Debug, PartialEq, Serialize, Deserialize, AvroSchema)]
struct Wide {
    id: u64,
}

/// Avro's largest integer has 63 bits and a sign.
#[test]
fn an_unsigned_number_of_64_bits_is_eight_bytes() {
    let wide = Wide { id: u64::MAX - 1 };
    let bytes = Avro::write(&wide).unwrap();
    assert_eq!(bytes, (u64::MAX - 1).to_le_bytes().as_slice());
    assert_eq!(Avro::read(&bytes), Ok(wide));
}

#[derive(Debug, PartialEq, Serialize, Deserialize, AvroSchema)]
struct Tree {
    children: Vec<Tree>,
}

/// Read without a limit, `[2; 100_000]` overflows the stack.
#[test]
fn a_type_that_contains_itself_is_refused() {
    let told = refusal::<Tree>(&[2; 100_000]);
    assert!(told.starts_with("`Tree` contains itself"), "{told}");
    let tree = Tree {
        children: Vec::new(),
    };
    assert_eq!(Avro::write(&tree).unwrap_err(), told);
    let ids = Confluent::new(BTreeMap::from([(1, Tree::get_schema())]));
    let error = ids.decode::<Wide>(&[0, 0, 0, 0, 1, 2, 2]).unwrap_err();
    assert_eq!(
        error.to_string().split(": ").nth(1),
        told.split(": ").next()
    );
}

#[derive(Debug, PartialEq, Serialize, Deserialize, AvroSchema)]
struct Pair {
    one: Wide,
    other: Wide,
}

/// The second time it is a reference to the first, and no circle.
#[test]
fn a_type_may_stand_twice_in_another() {
    let pair = Pair {
        one: Wide { id: 1 },
        other: Wide { id: 2 },
    };
    let bytes = Avro::write(&pair).unwrap();
    assert_eq!(Avro::read(&bytes), Ok(pair));
}
