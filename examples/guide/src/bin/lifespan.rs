//! Lifespan: a model is loaded before the first record and unloaded after the last.
//! `docs/guide/lifespan.md` tells about it.

use fastkafka::{App, Broker, ProduceError, State, consumes, produces};
use std::io::Error;
use std::process::ExitCode;
use std::sync::Arc;

/// Tells the iris species apart by the length of a petal.
#[derive(Clone)]
struct Model(Arc<[(f64, &'static str)]>);

impl Model {
    async fn load() -> Result<Model, Error> {
        println!("loading the model");
        Ok(Model([(2.5, "setosa"), (4.8, "versicolor")].into()))
    }

    fn predict(&self, petal: f64) -> &'static str {
        let species = self.0.iter().find(|(up_to, _)| petal < *up_to);
        species.map_or("virginica", |(_, species)| species)
    }

    async fn unload(self) {
        println!("unloading the model");
    }
}

/// Predicts the species of an iris.
#[consumes(topic = "petals", auto_offset_reset = "earliest")]
async fn on_petals(petal: f64, State(model): State<Model>) -> Result<(), ProduceError> {
    to_predictions(model.predict(petal)).await?;
    Ok(())
}

#[produces(topic = "predictions")]
async fn to_predictions(species: &'static str) -> Result<String, ProduceError> {
    Ok(species.to_owned())
}

fn app() -> App {
    App::builder()
        .title("Iris")
        .broker("localhost", Broker::new("localhost:9092"))
        .default_broker("embedded")
        .lifespan(|_| Model::load(), Model::unload)
        .build()
}

/// A program elsewhere.
#[produces(app = guide::Outside, topic = "petals")]
async fn to_petals(petal: f64) -> Result<f64, ProduceError> {
    Ok(petal)
}

fn main() -> ExitCode {
    guide::main(app, 4, async |_| {
        to_petals(1.4).await?;
        to_petals(5.1).await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_tester::Tester;

    #[tokio::test(start_paused = true)]
    async fn the_model_is_there_for_the_first_record() {
        let app = app();
        assert!(app.state::<Model>().is_none());
        let tester = Tester::start(app).await.unwrap();
        tester.to_petals(1.4).await;
        tester
            .on_predictions()
            .assert_called_once_with(&"setosa".to_owned());
        tester.stop().await;
    }
}
