//! Types of one name in several modules; nested ones too; one that serde reads otherwise than it
//! writes it.
#![allow(dead_code, reason = "payloads that are only described")]

use crate::tests::apps::{document, golden};
use fastkafka::ProduceError;
use fastkafka_macros::{consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) struct SameName;

pub(crate) mod orders {
    use super::*;

    /// A line of an order.
    #[derive(Deserialize, JsonSchema)]
    pub(crate) struct Item {
        pub(crate) sku: String,
        pub(crate) pieces: u32,
    }

    /// What a customer wants.
    #[derive(Deserialize, JsonSchema)]
    pub(crate) struct Event {
        pub(crate) items: Vec<Item>,
    }

    /// Books an order.
    #[consumes(app = SameName, topic = "orders")]
    pub(crate) fn on_event(_event: Event) {}
}

pub(crate) mod stock {
    use super::*;

    /// A thing on a shelf.
    #[derive(Serialize, JsonSchema)]
    pub(crate) struct Item {
        pub(crate) shelf: String,
    }

    /// What happened to a thing.
    #[derive(Serialize, JsonSchema)]
    pub(crate) struct Event {
        pub(crate) item: Item,
    }

    /// Tells of a thing.
    #[produces(app = SameName, topic = "stock")]
    pub(crate) fn to_event(item: Item) -> Result<Event, ProduceError> {
        Ok(Event { item })
    }

    /// The same function name again.
    #[consumes(app = SameName, topic = "stock.audit")]
    pub(crate) fn on_event(_item: Limits) {}

    /// Reads with a default, writes always.
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(crate) struct Limits {
        #[serde(default)]
        pub(crate) least: u32,
        pub(crate) most: u32,
    }

    #[produces(app = SameName, topic = "limits")]
    pub(crate) fn to_limits(limits: Limits) -> Result<Limits, ProduceError> {
        Ok(limits)
    }
}

/// The same shape under the same name is the same contract.
pub(crate) mod copies {
    use super::*;

    pub(crate) mod one {
        use super::*;
        /// A customer.
        #[derive(Deserialize, JsonSchema)]
        pub(crate) struct Customer {
            pub(crate) name: String,
        }
        #[consumes(app = SameName, topic = "customers.eu")]
        pub(crate) fn on_eu(_customer: Customer) {}
    }

    pub(crate) mod two {
        use super::*;
        /// A customer.
        #[derive(Deserialize, JsonSchema)]
        pub(crate) struct Customer {
            pub(crate) name: String,
        }
        #[consumes(app = SameName, topic = "customers.us")]
        pub(crate) fn on_us(_customer: Customer) {}
    }
}

#[test]
fn types_of_one_name_are_told_apart_by_their_modules() {
    let document = document::<SameName>("Same names");
    golden("same_name", &document);
    let schemas: Vec<_> = document
        .components
        .schemas
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        schemas,
        [
            "Customer",
            "Limits.consumed",
            "Limits.produced",
            "orders.Event",
            "orders.Item",
            "stock.Event",
            "stock.Item"
        ]
    );
}

#[test]
fn functions_of_one_name_are_told_apart_by_their_modules() {
    let document = document::<SameName>("Same names");
    let of_one_name: Vec<_> = document
        .operations
        .keys()
        .filter(|id| id.ends_with("on_event"))
        .collect();
    assert_eq!(
        of_one_name,
        [
            "fastkafka_asyncapi.tests.apps.same_name.orders.on_event",
            "fastkafka_asyncapi.tests.apps.same_name.stock.on_event"
        ]
    );
}
