//! Generic payloads, aliases, and payloads without a name of their own.

use crate::tests::apps::{document, golden};
use fastkafka::{Bytes, KafkaEvent, ProduceError};
use fastkafka_macros::{consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(crate) struct Generics;

/// Some of many.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Page<T> {
    /// These.
    pub(crate) items: Vec<T>,
    /// How many there are in all.
    pub(crate) total: u64,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Order {
    pub(crate) id: u64,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Label(pub(crate) String);

pub(crate) type Sent<T> = Result<T, ProduceError>;
pub(crate) type Orders = Page<Order>;

#[consumes(app = Generics, topic = "pages.orders")]
pub(crate) fn on_order_page(_page: Orders) {}

#[consumes(app = Generics, topic = "pages.labels")]
pub(crate) fn on_label_page(_page: Page<Label>) {}

#[consumes(app = Generics, topic = "pages.pages")]
pub(crate) fn on_pages(_page: Page<Page<Order>>) {}

#[produces(app = Generics, topic = "pages.orders")]
pub(crate) fn to_order_pages(pages: Vec<Orders>) -> Sent<Vec<KafkaEvent<Orders>>> {
    Ok(pages.into_iter().map(KafkaEvent::new).collect())
}

/// Takes a batch: the message is one of its records.
#[consumes(app = Generics, topic = "numbers")]
pub(crate) fn on_numbers(_numbers: Vec<u64>) {}

#[consumes(app = Generics, topic = "blobs")]
pub(crate) fn on_blobs(_blob: &[u8]) {}

#[produces(app = Generics, topic = "blobs")]
pub(crate) fn to_blobs(blob: Bytes) -> Sent<Bytes> {
    Ok(blob)
}

#[consumes(app = Generics, topic = "maps")]
pub(crate) fn on_maps(_map: BTreeMap<String, Order>) {}

#[consumes(app = Generics, topic = "anything")]
pub(crate) fn on_anything(_value: serde_json::Value) {}

#[test]
fn generic_types_have_readable_names() {
    let document = document::<Generics>("Generics");
    golden("generics", &document);
    let schemas: Vec<_> = document
        .components
        .schemas
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        schemas,
        [
            "Label",
            "Order",
            "Page_for_Label",
            "Page_for_Order",
            "Page_for_Page_for_Order"
        ]
    );
    let messages: Vec<_> = document
        .components
        .messages
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        messages,
        [
            "AnyValue",
            "Map_of_Order",
            "Page_for_Label",
            "Page_for_Order",
            "Page_for_Page_for_Order",
            "bytes",
            "uint64"
        ]
    );
}

#[test]
fn a_batch_is_described_by_one_of_its_records() {
    let document = document::<Generics>("Generics");
    let payload = document.components.messages["uint64"]
        .payload
        .clone()
        .unwrap();
    assert_eq!(payload["type"], "integer");
}
