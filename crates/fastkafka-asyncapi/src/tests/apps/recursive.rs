//! Types that contain themselves, and each other.

use crate::tests::apps::{document, golden};
use fastkafka::ProduceError;
use fastkafka_macros::{consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) struct Recursive;

/// A part, and what it is made of.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) parts: Vec<Part>,
    /// What it came from.
    pub(crate) origin: Option<Box<Machine>>,
}

/// A machine makes parts out of parts.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Machine {
    pub(crate) makes: Vec<Part>,
}

#[consumes(app = Recursive)]
pub(crate) fn on_parts(_part: Part) {}

#[consumes(app = Recursive)]
pub(crate) fn on_machines(_machine: Machine) {}

#[produces(app = Recursive)]
pub(crate) fn to_parts(part: Part) -> Result<Part, ProduceError> {
    Ok(part)
}

#[test]
fn a_type_that_contains_itself_is_described_once_each_way() {
    let document = document::<Recursive>("Recursive");
    golden("recursive", &document);
    let schemas: Vec<_> = document
        .components
        .schemas
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        schemas,
        [
            "Machine.consumed",
            "Machine.produced",
            "Part.consumed",
            "Part.produced"
        ]
    );
}
