//! The service as a whole, without Kafka: FastKafka's tutorial.

use crate::model::{IrisInputData, IrisPrediction};
use crate::*;
use fastkafka_tester::Tester;

/// The first flower of the data set.
const SETOSA: IrisInputData = IrisInputData {
    sepal_length: 5.1,
    sepal_width: 3.5,
    petal_length: 1.4,
    petal_width: 0.2,
};

#[tokio::test(start_paused = true)]
async fn a_flower_is_answered_with_its_species() {
    let tester = Tester::start(app()).await.unwrap();

    tester.to_input_data(SETOSA).key("a flower").await;

    let species = "setosa".to_owned();
    let predictions = tester.on_predictions();
    predictions
        .assert_awaited_with(&IrisPrediction { species })
        .await;
    assert_eq!(
        predictions.records()[0].key.as_deref(),
        Some(&b"a flower"[..])
    );
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_flower_is_not_predicted() {
    let tester = Tester::start(app()).await.unwrap();

    let nothing = tester.mirror::<on_input_data>().raw("{}").unsettled();
    nothing.await;

    tester.on_predictions().assert_not_awaited().await;
    let refused = tester.spy::<on_input_data>().refused();
    assert!(refused[0].1.contains("missing field `sepal_length`"));
}

#[tokio::test(start_paused = true)]
async fn the_prediction_can_be_left_out() {
    let tester = Tester::start(app()).await.unwrap();
    tester
        .mock::<on_input_data>()
        .expect_call()
        .withf(|flower| flower.petal_length < 2.0)
        .times(1)
        .returning(|_| Ok(()));

    tester.to_input_data(SETOSA).await;

    tester.on_predictions().assert_not_called();
    tester.stop().await;
}
