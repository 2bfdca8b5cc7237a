//! Two functions of one topic: the topic's name is ambiguous, the function's is not.

use crate::Tester;
use fastkafka::{App, ProduceError, consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

struct Signals;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct TestMsg {
    msg: String,
}

fn msg(text: &str) -> TestMsg {
    TestMsg { msg: text.into() }
}

#[consumes(app = Signals, topic = "preprocessed-signals")]
async fn on_signals(_msg: TestMsg) -> Result<(), ProduceError> {
    to_predictions_1(msg("prediction")).await?;
    Ok(())
}

/// Reads the same topic in a group of its own.
#[consumes(app = Signals, topic = "preprocessed-signals", group_id = "backup")]
async fn on_signals_again(_msg: TestMsg) {}

#[produces(app = Signals, topic = "predictions")]
async fn to_predictions_1(prediction: TestMsg) -> Result<TestMsg, ProduceError> {
    Ok(prediction)
}

#[produces(app = Signals, topic = "predictions")]
async fn to_predictions_2(prediction: TestMsg) -> Result<Vec<TestMsg>, ProduceError> {
    Ok(vec![prediction])
}

#[tokio::test(start_paused = true)]
async fn mirrors_are_told_apart_by_their_function() {
    let app = App::scoped::<Signals>().title("Signals").build();
    let tester = Tester::start(app).await.unwrap();
    tester.mirror::<on_signals>().send(msg("signal")).await;
    tester.spy::<on_signals_again>().assert_called();
    tester.mirror::<to_predictions_1>().assert_called();
    tester.mirror::<to_predictions_2>().assert_not_called();

    to_predictions_2(msg("from the test")).await.unwrap();
    let second = tester.mirror::<to_predictions_2>();
    second.assert_called_once_with(&msg("from the test"));
}

#[tokio::test(start_paused = true)]
async fn a_name_goes_with_the_trait_of_its_function() {
    let app = App::scoped::<Signals>().title("Signals").build();
    let tester = Tester::start(app).await.unwrap();
    // `tester.to_preprocessed_signals(..)` could be either, and the compiler names both.
    OnSignalsMirror::to_preprocessed_signals(&tester, msg("signal")).await;
    tester.spy::<on_signals>().assert_called();
}
