//! The guide to several Kafka clusters: one topic on two of them, in and out.

use crate::Tester;
use fastkafka::cluster::Brokers;
use fastkafka::{App, Broker, ProduceError, consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct TestMsg {
    msg: String,
}

struct Mirroring;

fn kafka_2() -> Brokers {
    Brokers::new("kafka-2")
        .broker("development", Broker::new("dev.server_2:9092"))
        .broker("production", Broker::new("prod.server_2:9092"))
}

#[consumes(app = Mirroring, topic = "preprocessed_signals")]
async fn on_signals_1(msg: TestMsg) -> Result<(), ProduceError> {
    println!("Received on s1: {msg:?}");
    to_predictions_1(msg).await.map(drop)
}

#[consumes(app = Mirroring, topic = "preprocessed_signals", brokers = kafka_2)]
async fn on_signals_2(msg: TestMsg) -> Result<(), ProduceError> {
    println!("Received on s2: {msg:?}");
    to_predictions_2(msg).await.map(drop)
}

#[produces(app = Mirroring, topic = "predictions")]
async fn to_predictions_1(msg: TestMsg) -> Result<TestMsg, ProduceError> {
    Ok(msg)
}

#[produces(app = Mirroring, topic = "predictions", brokers = kafka_2)]
async fn to_predictions_2(msg: TestMsg) -> Result<TestMsg, ProduceError> {
    Ok(msg)
}

#[tokio::test(start_paused = true)]
async fn each_cluster_has_its_signals_and_its_predictions() {
    let app = App::scoped::<Mirroring>()
        .title("Mirroring")
        .broker("development", Broker::new("dev.server_1:9092"))
        .broker("production", Broker::new("prod.server_1:9092"));
    let tester = Tester::start(app.build()).await.unwrap();
    let [one, two] = ["s1", "s2"].map(|msg| TestMsg { msg: msg.into() });
    tester.mirror::<on_signals_1>().send(one.clone()).await;
    tester.spy::<on_signals_1>().assert_called_with(&one);
    tester.mirror::<to_predictions_1>().assert_called_with(&one);

    tester.mirror::<on_signals_2>().send(two.clone()).await;
    tester.spy::<on_signals_2>().assert_called_with(&two);
    tester.mirror::<to_predictions_2>().assert_called_with(&two);
}
