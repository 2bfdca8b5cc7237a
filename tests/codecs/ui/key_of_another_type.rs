use fastkafka::{KafkaEvent, Key, ProduceError};
use fastkafka_macros::{consumes, produces};

struct Place(u16);

#[consumes(key_decoder = "json")]
async fn on_weather(_degrees: i32, _place: Key<Place>) {}

#[produces(key_encoder = "avro")]
async fn to_weather() -> Result<KafkaEvent<i32, Place>, ProduceError> {
    Ok(KafkaEvent::new(20).with_key(Place(1)))
}

fn main() {}
