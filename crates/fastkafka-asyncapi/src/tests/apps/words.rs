//! Payloads and keys by the words that are features.

use crate::tests::apps::{document, golden};
use apache_avro::AvroSchema;
use fastkafka::{KafkaEvent, Key, ProduceError};
use fastkafka_macros::{consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) struct Words;

/// A parcel on its way.
#[derive(Serialize, Deserialize, AvroSchema)]
pub(crate) struct Parcel {
    /// Its number.
    pub(crate) id: i64,
    pub(crate) weight: Option<f64>,
    pub(crate) way: Way,
}

/// How it travels.
#[derive(Serialize, Deserialize, AvroSchema)]
pub(crate) enum Way {
    Road,
    Air,
}

/// Where a parcel is.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Place {
    pub(crate) depot: u16,
}

#[consumes(
    app = Words,
    decoder = "avro",
    dead_letter = "parcels.dead",
    key_decoder = "avro"
)]
pub(crate) fn on_parcels(_parcel: Parcel, _key: Key<i64>) {}

/// Needs no schema beside Avro's.
#[consumes(app = Words, decoder = "avro")]
pub(crate) fn on_weights(_weights: Vec<f64>) {}

#[produces(app = Words, encoder = "msgpack", key_encoder = "json")]
pub(crate) fn to_places(depot: u16) -> Result<KafkaEvent<Place, Place>, ProduceError> {
    Ok(KafkaEvent::new(Place { depot }).with_key(Place { depot }))
}

#[test]
fn a_word_says_content_type_and_schema() {
    let document = document::<Words>("Words");
    golden("words", &document);
    let messages = &document.components.messages;
    let content_type = |name: &str| messages[name].content_type.as_deref().unwrap();
    assert_eq!(content_type("Parcel"), "application/vnd.apache.avro");
    assert_eq!(content_type("Place"), "application/x-msgpack");
    let payload = messages["Parcel"].payload.as_ref().unwrap();
    let fields = payload["schema"]["fields"].as_array().unwrap();
    let names: Vec<_> = fields.iter().map(|field| field["name"].as_str()).collect();
    assert_eq!(
        names,
        [Some("id"), Some("weight"), Some("way")],
        "in their order"
    );
}
