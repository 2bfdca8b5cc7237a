//! The guide to the Tester: one function in, one function out.

use crate::Tester;
use fastkafka::{App, ProduceError, consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

struct Greeting;

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct TestMsg {
    msg: String,
}

fn msg(text: &str) -> TestMsg {
    TestMsg { msg: text.into() }
}

#[consumes(app = Greeting)]
async fn on_input(msg: TestMsg) -> Result<(), ProduceError> {
    to_output(format!("Hello {}", msg.msg)).await?;
    Ok(())
}

#[produces(app = Greeting)]
async fn to_output(msg: String) -> Result<TestMsg, ProduceError> {
    Ok(TestMsg { msg })
}

#[tokio::test(start_paused = true)]
async fn who_comes_is_greeted() {
    let app = App::scoped::<Greeting>().title("Greeting").build();
    let tester = Tester::start(app).await.unwrap();
    tester.to_input(msg("Mickey")).await;
    tester.spy::<on_input>().assert_called_with(&msg("Mickey"));
    tester.on_output().assert_called_with(&msg("Hello Mickey"));
}
