//! Payloads and keys through functions of the app's own.

use crate::tests::apps::{document, golden};
use fastkafka::{KafkaEvent, Key, ProduceError, RawRecord};
use fastkafka_macros::{consumes, produces};
use schemars::JsonSchema;

pub(crate) struct Codecs;

/// A reading of a sensor, in nine bytes on the wire.
#[derive(JsonSchema)]
pub(crate) struct Reading {
    pub(crate) sensor: u8,
    pub(crate) value: f64,
}

pub(crate) struct Place(u16, u16);

fn read(record: &RawRecord<'_>) -> Result<Reading, String> {
    let payload = record.payload().ok_or("a tombstone")?;
    let (sensor, value) = payload.split_first().ok_or("too short")?;
    let value = value.try_into().map_err(|_| "too short")?;
    Ok(Reading {
        sensor: *sensor,
        value: f64::from_be_bytes(value),
    })
}

fn write(reading: &Reading) -> Result<Vec<u8>, String> {
    let mut bytes = vec![reading.sensor];
    bytes.extend(reading.value.to_be_bytes());
    Ok(bytes)
}

fn read_place(_: &[u8]) -> Result<Place, String> {
    Ok(Place(0, 0))
}

fn write_place(place: &Place) -> Result<Vec<u8>, String> {
    Ok([place.0.to_be_bytes(), place.1.to_be_bytes()].concat())
}

#[consumes(app = Codecs, decoder = read, key_decoder = read_place)]
pub(crate) fn on_readings(_reading: Reading, _place: Key<Place>) {}

#[produces(app = Codecs, encoder = write, key_encoder = write_place)]
pub(crate) fn to_readings(reading: Reading) -> Result<KafkaEvent<Reading, Place>, ProduceError> {
    Ok(KafkaEvent::new(reading).with_key(Place(1, 2)))
}

#[test]
fn a_codec_of_the_apps_own_has_a_content_type_and_a_schema() {
    let document = document::<Codecs>("Codecs");
    golden("codec", &document);
    let message = &document.components.messages["Reading"];
    assert_eq!(
        message.content_type.as_deref(),
        Some("application/octet-stream")
    );
    assert_eq!(document.components.messages.len(), 1);
}
