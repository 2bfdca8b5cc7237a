//! The guides to batches: a handler that takes many, a producer that sends many, with and without
//! keys.

use crate::Tester;
use fastkafka::{App, KafkaEvent, ProduceError, consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

struct Batches;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct HelloWorld {
    msg: String,
}

fn hello(who: &str) -> HelloWorld {
    HelloWorld {
        msg: format!("Hello {who}"),
    }
}

#[consumes(app = Batches, auto_offset_reset = "earliest")]
async fn on_hello_world(batch: Vec<HelloWorld>) -> Result<(), ProduceError> {
    to_copies(&batch).await?;
    to_lengths(&batch).await?;
    Ok(())
}

#[produces(app = Batches)]
async fn to_copies(batch: &[HelloWorld]) -> Result<Vec<HelloWorld>, ProduceError> {
    Ok(batch.to_vec())
}

#[produces(app = Batches)]
async fn to_lengths(batch: &[HelloWorld]) -> Result<Vec<KafkaEvent<usize>>, ProduceError> {
    let length = |hello: &HelloWorld| KafkaEvent::new(hello.msg.len()).key("123");
    Ok(batch.iter().map(length).collect())
}

#[tokio::test(start_paused = true)]
async fn a_batch_comes_in_and_two_go_out() {
    let app = App::scoped::<Batches>().title("Batches").build();
    let tester = Tester::start(app).await.unwrap();
    let batch = vec![hello("world"), hello("Kafka")];
    tester
        .mirror::<on_hello_world>()
        .send_all(batch.clone())
        .await;
    tester
        .spy::<on_hello_world>()
        .assert_called_once_with(&batch);
    assert_eq!(tester.on_copies().messages(), batch);
    assert_eq!(tester.on_lengths().messages(), [11, 11]);
}

#[tokio::test(start_paused = true)]
async fn the_mirror_of_a_batch_handler_sends_one_message() {
    let app = App::scoped::<Batches>().title("Batches").build();
    let tester = Tester::start(app).await.unwrap();
    tester.to_hello_world(hello("world")).await;
    tester.on_copies().assert_called_once_with(&hello("world"));
    let records = tester.on_lengths().records();
    assert_eq!(records[0].key.as_deref(), Some(&b"123"[..]));
}
