//! A type that has one of everything, for what the compiler says and for Python's libraries.

use apache_avro::AvroSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// One of everything that MessagePack and Avro can both say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, AvroSchema)]
#[allow(missing_docs, reason = "fields are named after what is in them")]
pub struct Everything {
    pub text: String,
    pub yes: bool,
    pub small: i8,
    pub unsigned: u32,
    pub long: i64,
    pub single: f32,
    pub double: f64,
    pub absent: Option<i64>,
    pub present: Option<String>,
    // The word of apache-avro; to MessagePack it means the same as `serde_bytes`.
    #[avro(with)]
    #[serde(with = "apache_avro::serde::bytes")]
    #[schemars(with = "Vec<u8>")]
    pub bytes: Vec<u8>,
    pub list: Vec<i64>,
    pub table: HashMap<String, i64>,
    pub kind: Kind,
    pub shapes: Vec<Shape>,
    pub inner: Inner,
    pub more: Vec<Inner>,
}

/// Names alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, AvroSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "examples")]
pub enum Kind {
    Standard,
    ByAir,
}

/// Variants that carry something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, AvroSchema)]
#[allow(missing_docs, reason = "examples")]
pub enum Shape {
    Point,
    Circle(f64),
    Rectangle { width: i64, height: i64 },
}

/// A record in a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, AvroSchema)]
#[allow(missing_docs, reason = "examples")]
pub struct Inner {
    pub id: i64,
    pub note: Option<String>,
}

/// The values at the ends of what fits, in both languages' tests.
pub fn samples() -> Vec<Everything> {
    let first = Everything {
        text: "żółw 日本 🛫 \0 end".to_owned(),
        yes: true,
        small: -128,
        unsigned: u32::MAX,
        long: i64::MIN,
        single: 0.5,
        double: 0.1,
        absent: None,
        present: Some(String::new()),
        bytes: vec![0, 0xff, 0xc3, 0x28],
        list: vec![0, -1, 127, 128, -129, 65_536, i64::MAX],
        table: HashMap::from([("é".to_owned(), 1), (String::new(), -1)]),
        kind: Kind::ByAir,
        shapes: vec![
            Shape::Point,
            Shape::Circle(1.5),
            Shape::Rectangle {
                width: 2,
                height: -3,
            },
        ],
        inner: Inner {
            id: 1,
            note: Some("inside".to_owned()),
        },
        more: vec![Inner { id: 2, note: None }],
    };
    let second = Everything {
        text: "x".repeat(70_000),
        yes: false,
        small: 127,
        unsigned: 0,
        long: i64::MAX,
        single: f32::INFINITY,
        double: -0.0,
        absent: Some(0),
        present: None,
        bytes: Vec::new(),
        list: (0..20).collect(),
        table: HashMap::new(),
        kind: Kind::Standard,
        shapes: Vec::new(),
        more: Vec::new(),
        ..first.clone()
    };
    vec![first, second]
}
