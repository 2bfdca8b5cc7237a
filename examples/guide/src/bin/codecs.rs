//! Encoding and decoding: MessagePack in, Avro out, and a key of its own. `docs/guide/codecs.md` tells
//! about it.

use apache_avro::AvroSchema;
use fastkafka::{App, Broker, KafkaEvent, ProduceError, consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::process::ExitCode;

/// What a sensor says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Measurement {
    site: String,
    sensor: u16,
    celsius: f64,
}

/// What is too hot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, AvroSchema)]
struct Alarm {
    sensor: u16,
    celsius: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    site: String,
    sensor: u16,
}

#[consumes(
    topic = "measurements",
    decoder = "msgpack",
    auto_offset_reset = "earliest",
    dead_letter = "measurements.dead"
)]
async fn on_measurements(measurement: Measurement) -> Result<(), ProduceError> {
    if measurement.celsius > 80.0 {
        to_alarms(measurement).await?;
    }
    Ok(())
}

#[produces(topic = "alarms", encoder = "avro", key_encoder = "json")]
async fn to_alarms(from: Measurement) -> Result<KafkaEvent<Alarm, Place>, ProduceError> {
    let (site, sensor, celsius) = (from.site, from.sensor, from.celsius);
    Ok(KafkaEvent::new(Alarm { sensor, celsius }).with_key(Place { site, sensor }))
}

fn app() -> App {
    App::builder()
        .title("Alarms")
        .broker("localhost", Broker::new("localhost:9092"))
        .default_broker("embedded")
        .build()
}

/// The sensors.
#[produces(app = guide::Outside, topic = "measurements", encoder = "msgpack")]
async fn to_measurements(sensor: u16, celsius: f64) -> Result<Measurement, ProduceError> {
    Ok(Measurement {
        site: "roof".to_owned(),
        sensor,
        celsius,
    })
}

fn main() -> ExitCode {
    guide::main(app, 3, async |_| {
        to_measurements(7, 21.5).await?;
        to_measurements(8, 80.7).await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_tester::Tester;

    fn measurement(celsius: f64) -> Measurement {
        Measurement {
            site: "roof".to_owned(),
            sensor: 8,
            celsius,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_too_hot_is_an_alarm_in_avro() {
        let tester = Tester::start(app()).await.unwrap();
        tester.to_measurements(measurement(21.5)).await;
        tester.to_measurements(measurement(80.7)).await;
        let alarm = Alarm {
            sensor: 8,
            celsius: 80.7,
        };
        tester.on_alarms().assert_called_once_with(&alarm);
        let record = &tester.records("alarms")[0];
        let key = br#"{"site":"roof","sensor":8}"#;
        assert_eq!(record.key.as_deref(), Some(&key[..]));
        let avro = [&[16][..], &80.7_f64.to_le_bytes()].concat();
        assert_eq!(record.payload.as_deref(), Some(&*avro));
        tester.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_messagepack_is_a_dead_letter_as_it_came() {
        let tester = Tester::start(app()).await.unwrap();
        tester.mirror::<on_measurements>().raw("{}").await;
        let letters = tester.records("measurements.dead");
        assert_eq!(letters[0].payload.as_deref(), Some(&b"{}"[..]));
        tester.stop().await;
    }
}
