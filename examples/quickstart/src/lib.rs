//! FastKafka's tutorial: the measurements of an iris flower come in, its species goes out.
//!
#![doc = include_str!("../asyncapi.md")]
#![forbid(unsafe_code)]

pub mod demo;
pub mod model;
#[cfg(test)]
mod tests;

use fastkafka::{App, Broker, KafkaEvent, Key, ProduceError, State, Topic, consumes, produces};
use model::{Flower, IrisInputData, IrisPrediction, Model};
use std::sync::Arc;

/// Predicts the species of a flower.
#[consumes(topic = "input_data", auto_offset_reset = "latest")]
pub async fn on_input_data(
    flower: IrisInputData,
    key: Option<Key<String>>,
    State(model): State<Arc<Model>>,
) -> Result<(), ProduceError> {
    to_predictions(model.predict(&flower), key).await?;
    Ok(())
}

/// The species of a flower, under the key its measurements had.
#[produces(topic = "predictions")]
pub async fn to_predictions(
    prediction: IrisPrediction,
    key: Option<Key<String>>,
) -> Result<KafkaEvent<IrisPrediction>, ProduceError> {
    Ok(KafkaEvent::new(prediction).key(key))
}

/// The service.
pub fn app() -> App {
    App::builder()
        .title("Iris predictions")
        .broker("localhost", Broker::new("localhost:9092"))
        .default_broker("embedded")
        .topic("input_data", Topic::new().partitions(3))
        .topic("predictions", Topic::new().partitions(3))
        .state(Arc::new(Model::train(&Flower::all())))
        .build()
}
