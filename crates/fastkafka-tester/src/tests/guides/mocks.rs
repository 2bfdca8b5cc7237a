//! Mocks and awaited mocks: what was called, at once or as soon as it happens, and what stands in.

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

fn app() -> App {
    App::scoped::<Signals>().title("Signals").build()
}

#[consumes(app = Signals)]
async fn on_preprocessed_signals(_msg: TestMsg) -> Result<(), ProduceError> {
    to_predictions(msg("prediction")).await?;
    Ok(())
}

#[produces(app = Signals)]
async fn to_predictions(prediction: TestMsg) -> Result<TestMsg, ProduceError> {
    Ok(prediction)
}

#[tokio::test(start_paused = true)]
async fn what_was_called_is_asserted_at_once() {
    let tester = Tester::start(app()).await.unwrap();
    let signals = tester.spy::<on_preprocessed_signals>();
    signals.assert_not_called();
    tester.to_preprocessed_signals(msg("signal")).await;
    signals.assert_called();
    signals.assert_called_once();
    signals.assert_called_with(&msg("signal"));
    tester.on_predictions().assert_called();
}

#[tokio::test(start_paused = true)]
async fn what_is_to_come_is_awaited() {
    let tester = Tester::start(app()).await.unwrap();
    let signal = tester.to_preprocessed_signals(msg("signal"));
    signal.unsettled().await;
    let signals = tester.spy::<on_preprocessed_signals>();
    signals.assert_awaited_with(&msg("signal")).await;
    tester.on_predictions().assert_awaited_once().await;
}

#[tokio::test(start_paused = true)]
async fn a_mock_stands_in_for_a_handler() {
    let tester = Tester::start(app()).await.unwrap();
    let mut signals = tester.mock::<on_preprocessed_signals>();
    signals.expect_call().times(1).returning(|_| Ok(()));
    drop(signals);
    tester.to_preprocessed_signals(msg("signal")).await;
    tester.on_predictions().assert_not_called();
    tester.stop().await;
}
