//! The demonstration of the README: a number comes in, the next one goes out.

use crate::Tester;
use fastkafka::{App, ProduceError, consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

struct Demo;

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Data {
    data: f64,
}

#[consumes(app = Demo, topic = "input_data", auto_offset_reset = "latest")]
async fn on_input_data(msg: Data) -> Result<(), ProduceError> {
    to_output_data(msg.data).await?;
    Ok(())
}

#[produces(app = Demo, topic = "output_data")]
async fn to_output_data(data: f64) -> Result<Data, ProduceError> {
    Ok(Data { data: data + 1.0 })
}

#[tokio::test(start_paused = true)]
async fn a_number_is_incremented() {
    let app = App::scoped::<Demo>().title("Demo Kafka app").build();
    let tester = Tester::start(app).await.unwrap();
    tester.to_input_data(Data { data: 0.5 }).await;
    let output = tester.on_output_data();
    output.assert_awaited_with(&Data { data: 1.5 }).await;
}
