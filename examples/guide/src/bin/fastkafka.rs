//! Coming from FastKafka: its members, as they are written here. The tables of
//! `docs/guide/fastkafka.md` take their code from this file.

use fastkafka::app::Contact;
use fastkafka::settings::{Acks, ConsumerSettings, OffsetReset, ProducerSettings};
use fastkafka::{
    App, Broker, EventMetadata, Headers, KafkaEvent, Key, ProduceError, State, benchmark, consumes,
    produces, run_in_background,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::process::ExitCode;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Data {
    data: f64,
}

/// What FastKafka's `lifespan` makes and releases.
#[derive(Clone)]
struct Model {
    step: f64,
}

impl Model {
    async fn load() -> Result<Self, Infallible> {
        Ok(Self { step: 1.0 })
    }

    async fn release(self) {
        println!("released a model of step {}", self.step);
    }
}

/// Adds a step to each number.
#[benchmark(interval = 1, sliding_window_size = 5)]
#[consumes(
    topic = "input_data",
    decoder = "json",
    executor = "sequential",
    group_id = "demo",
    max_poll_records = 100
)]
async fn on_input_data(
    msg: Data,
    meta: EventMetadata,
    key: Option<Key<String>>,
    headers: Headers<'_>,
    State(model): State<Model>,
) -> Result<(), ProduceError> {
    println!(
        "{} at {}[{}]@{}, {} headers",
        msg.data,
        meta.topic(),
        meta.partition(),
        meta.offset(),
        headers.iter().count()
    );
    let sum = Data {
        data: msg.data + model.step,
    };
    to_output_data(sum.clone()).await?;
    send_keyed_data(sum, key).await?;
    Ok(())
}

/// The topic is the name without the prefix.
#[produces(encoder = "json", acks = "all")]
async fn to_output_data(data: Data) -> Result<Data, ProduceError> {
    Ok(data)
}

#[produces(prefix = "send_", description = "The same with the key of the input.")]
async fn send_keyed_data(
    data: Data,
    key: Option<Key<String>>,
) -> Result<KafkaEvent<Data>, ProduceError> {
    Ok(KafkaEvent::new(data).key(key))
}

/// A batch. A name without its prefix would be the topic, as above.
#[consumes(prefix = "read_")]
async fn read_output_data(msgs: Vec<Data>, metas: Vec<EventMetadata>) {
    assert_eq!(msgs.len(), metas.len());
}

/// Runs until the app stops.
#[run_in_background]
async fn watch_the_model(State(model): State<Model>) {
    assert!(model.step > 0.0);
    std::future::pending::<()>().await;
}

fn contact() -> Contact {
    Contact {
        name: Some("Data team".to_owned()),
        email: Some("data@example.com".to_owned()),
        ..Contact::default()
    }
}

fn app() -> App {
    App::builder()
        .title("Demo Kafka app")
        .description("Adds one to a number")
        .version("0.0.1")
        .contact(contact())
        .broker("localhost", Broker::new("localhost:9092"))
        .broker("production", Broker::new("kafka-1:9092,kafka-2:9092"))
        .default_broker("localhost")
        .group_id("demo")
        .consumer_defaults(ConsumerSettings::default().auto_offset_reset(OffsetReset::Earliest))
        .producer_defaults(ProducerSettings::default().acks(Acks::All))
        .lifespan(|_| Model::load(), Model::release)
        .build()
}

/// A program elsewhere.
#[produces(app = guide::Outside, topic = "input_data")]
async fn to_input_data(key: &str, data: f64) -> Result<KafkaEvent<Data>, ProduceError> {
    Ok(KafkaEvent::new(Data { data }).key(key))
}

fn main() -> ExitCode {
    guide::main(app, 3, async |app| {
        println!("{:?} {}", app.get_topics(), app.is_started());
        to_input_data("k", 0.5).await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_tester::Tester;
    use std::time::Duration;

    struct Other;

    #[consumes(app = Other, topic = "keyed_data")]
    async fn on_keyed_data(data: Data) {
        assert!(data.data > 0.0);
    }

    fn other() -> App {
        App::scoped::<Other>().title("Other").build()
    }

    #[tokio::test(start_paused = true)]
    async fn a_number_is_incremented() {
        let tester = Tester::start(app()).await.unwrap();
        tester.to_input_data(Data { data: 0.5 }).await;
        let expected = Data { data: 1.5 };
        tester
            .on_output_data()
            .assert_awaited_with(&expected)
            .within(Duration::from_secs(5))
            .await;
        tester.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_mocks_tell_spies_tell() {
        let tester = Tester::start([app(), other()]).await.unwrap();
        let msg = Data { data: 0.5 };
        tester.mirror::<on_input_data>().send(msg.clone()).await;
        let spy = tester.spy::<on_input_data>();
        spy.assert_called();
        spy.assert_called_once();
        spy.assert_called_with(&msg);
        spy.assert_called_once_with(&msg);
        spy.assert_any_call(&msg);
        spy.assert_awaited_with(&msg).await;
        assert_eq!(spy.calls()[0].args(), msg);
        assert_eq!(spy.count(), 1);
        tester.spy::<on_keyed_data>().assert_called_once();
        tester.mirror::<send_keyed_data>().assert_called_once();
        tester.spy::<read_output_data>().assert_called_once();

        let next = Data { data: 7.0 };
        tester.to_input_data(next.clone()).await;
        spy.assert_has_calls(&[msg, next]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_mock_is_there_for_who_asks_for_it() {
        let tester = Tester::start(app()).await.unwrap();
        tester
            .mock::<on_input_data>()
            .expect_call()
            .returning(|_| Ok(()));
        tester.to_input_data(Data { data: 0.5 }).await;
        tester.on_output_data().assert_not_called();
    }

    #[tokio::test]
    async fn an_app_runs_between_start_and_stop() -> Result<(), Box<dyn std::error::Error>> {
        let app = app();
        app.set_kafka_broker("embedded")?;
        app.start().await?;
        assert!(app.is_started());
        app.stop().await?;

        let directory = std::env::temp_dir().join("coming-from-fastkafka");
        app.create_docs(directory)?;
        Ok(())
    }

    #[test]
    fn a_tester_runs_on_other_brokers() {
        let _ = Tester::builder().in_memory_broker();
        let _ = Tester::builder().embedded();
        let _ = Tester::builder().external_broker("production");
    }
}
