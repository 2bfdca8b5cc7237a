//! Handlers and producers of every codec, in one app: a test speaks the codec of each function.

use crate::Tester;
use apache_avro::AvroSchema;
use fastkafka::record::Bytes;
use fastkafka::{App, EventMetadata, KafkaEvent, Key, ProduceError, consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

struct Codecs;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, AvroSchema)]
struct Parcel {
    id: i64,
    label: Option<String>,
}

fn parcel(id: i64) -> Parcel {
    Parcel {
        id,
        label: Some("żółw".to_owned()),
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Depot {
    number: u16,
}

#[consumes(
    app = Codecs,
    decoder = "avro",
    auto_offset_reset = "earliest",
    dead_letter = "parcels.dead"
)]
async fn on_parcels(parcel: Parcel) -> Result<(), ProduceError> {
    to_packed(parcel).await.map(drop)
}

#[produces(app = Codecs, encoder = "msgpack", key_encoder = "json")]
async fn to_packed(parcel: Parcel) -> Result<KafkaEvent<Parcel, Depot>, ProduceError> {
    Ok(KafkaEvent::new(parcel).with_key(Depot { number: 3 }))
}

#[consumes(
    app = Codecs,
    decoder = "msgpack",
    key_decoder = "json",
    auto_offset_reset = "earliest",
    dead_letter = "packed.dead"
)]
async fn on_packed(parcel: Parcel, Key(depot): Key<Depot>) -> Result<(), ProduceError> {
    to_stored(parcel, depot.number.into()).await.map(drop)
}

#[produces(app = Codecs, encoder = "avro", key_encoder = "avro")]
async fn to_stored(parcel: Parcel, depot: i64) -> Result<KafkaEvent<Parcel, i64>, ProduceError> {
    Ok(KafkaEvent::new(parcel).with_key(depot))
}

#[consumes(app = Codecs, decoder = "avro", key_decoder = "avro", auto_offset_reset = "earliest")]
async fn on_stored(_parcels: Parcel, depot: Option<Key<i64>>, meta: EventMetadata) {
    assert_eq!((depot, meta.offset()), (Some(Key(3)), 0));
}

fn app() -> App {
    App::scoped::<Codecs>().title("codecs").build()
}

/// `parcel(7)`.
const AVRO: &[u8] = b"\x0e\x02\x0e\xc5\xbc\xc3\xb3\xc5\x82w";
const MSGPACK: &[u8] = b"\x82\xa2id\x07\xa5label\xa7\xc5\xbc\xc3\xb3\xc5\x82w";

#[tokio::test(start_paused = true)]
async fn a_mirror_speaks_the_codec_of_its_function() {
    let tester = Tester::start(app()).await.unwrap();
    tester.to_parcels(parcel(7)).await;
    tester
        .spy::<on_parcels>()
        .assert_called_once_with(&parcel(7));
    tester
        .spy::<on_packed>()
        .assert_called_once_with(&parcel(7));
    tester
        .spy::<on_stored>()
        .assert_called_once_with(&parcel(7));
    tester.on_packed().assert_called_once_with(&parcel(7));
    tester.on_stored().assert_called_once_with(&parcel(7));
    let bytes = |topic: &str| {
        let record = tester.records(topic).remove(0);
        (record.key.clone(), record.payload.clone().unwrap())
    };
    assert_eq!(bytes("parcels"), (None, AVRO.into()));
    let key = br#"{"number":3}"#;
    assert_eq!(bytes("packed"), (Some(key[..].into()), MSGPACK.into()));
    assert_eq!(bytes("stored"), (Some(b"\x06"[..].into()), AVRO.into()));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_decode_is_a_dead_letter_with_its_bytes() {
    let tester = Tester::start(app()).await.unwrap();
    let container = b"Obj\x01\x04\x14avro.codec";
    tester.mirror::<on_parcels>().raw(&container[..]).await;
    tester
        .mirror::<on_packed>()
        .raw(AVRO)
        .key("{\"number\":1}")
        .await;
    for (dead, topic, payload, reason) in [
        (
            "parcels.dead",
            "parcels",
            &container[..],
            "the payload is not the Avro datum it should be: ",
        ),
        (
            "packed.dead",
            "packed",
            AVRO,
            "the payload is not the MessagePack it should be: ",
        ),
    ] {
        let letters = tester.records(dead);
        assert_eq!(letters.len(), 1, "{dead}");
        assert_eq!(letters[0].payload.as_deref(), Some(payload));
        let header = |name: &str| {
            let name = format!("fastkafka-dead-letter-{name}");
            let header = letters[0].headers.iter().find(|header| header.0 == name);
            let value = header.and_then(|header| header.1.clone()).unwrap();
            String::from_utf8(value.to_vec()).unwrap()
        };
        assert_eq!((&*header("topic"), &*header("offset")), (topic, "0"));
        assert!(header("error").starts_with(reason), "{}", header("error"));
    }
    assert_eq!(tester.spy::<on_parcels>().refused().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_does_not_decode_is_rejected() {
    let tester = Tester::start(app()).await.unwrap();
    let packed = rmp(&parcel(1));
    tester.mirror::<on_packed>().raw(packed).key("depot").await;
    let letters = tester.records("packed.dead");
    let error = letters[0]
        .headers
        .iter()
        .find(|header| header.0.ends_with("error"));
    let error = error.and_then(|header| header.1.clone()).unwrap();
    assert!(
        error.starts_with(b"the key is not application/json: "),
        "{error:?}"
    );
}

fn rmp(parcel: &Parcel) -> Bytes {
    <fastkafka_core::Msgpack as fastkafka_core::Writes<Parcel>>::write(parcel).unwrap()
}
