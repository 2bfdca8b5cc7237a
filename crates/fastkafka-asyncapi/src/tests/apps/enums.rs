//! Enums with data in every way that serde knows, and what schemars makes of attributes.

use crate::tests::apps::{document, golden};
use fastkafka_macros::consumes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) struct Enums;

/// What happened to an order.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(example = Happened::Paid { cents: 1999, by: Way::Card { last_digits: [4, 2] } })]
pub(crate) enum Happened {
    /// Money came.
    Paid { cents: u64, by: Way },
    /// Nothing came.
    Cancelled,
    /// It left.
    Sent(Parcel),
}

/// How it was paid.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) enum Way {
    Cash,
    Card { last_digits: [u8; 2] },
    Transfer(String, u32),
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Parcel {
    /// In grams.
    #[schemars(range(min = 1, max = 31_500))]
    pub(crate) weight: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

/// One of three, told apart by their shape.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Anything {
    Number(f64),
    Pair(u8, bool),
    Parcel(Parcel),
    Nothing,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "t", content = "c", deny_unknown_fields)]
pub(crate) enum Adjacent {
    A(i64),
    B { b: char },
}

#[consumes(app = Enums)]
pub(crate) fn on_happened(_happened: Happened) {}

#[consumes(app = Enums)]
pub(crate) fn on_anything(_anything: Anything) {}

#[consumes(app = Enums)]
pub(crate) fn on_adjacent(_adjacent: Adjacent) {}

#[test]
fn enums_with_data_are_described_in_every_representation() {
    golden("enums", &document::<Enums>("Enums"));
}

#[test]
fn an_example_of_the_type_is_an_example_of_the_message() {
    let document = document::<Enums>("Enums");
    let example = &document.components.messages["Happened"].examples[0];
    assert_eq!(example.payload.as_ref().unwrap()["cents"], 1999);
}
