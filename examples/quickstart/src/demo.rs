//! The demonstration: the service on a broker in the process, a client beside it that sends the 150
//! real flowers and waits for the answers.

use crate::model::{Flower, IrisInputData, IrisPrediction};
use anyhow::{Context, ensure};
use fastkafka::{App, KafkaEvent, Key, ProduceError, State, consumes, delivery_scope, produces};
use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The client is an app of its own: functions under `app = Client` belong to it.
#[derive(Debug)]
pub struct Client;

/// The answers so far, by the number of the flower.
#[derive(Clone, Debug)]
struct Answers {
    species: Arc<Mutex<BTreeMap<u32, String>>>,
    count: watch::Sender<usize>,
}

#[produces(app = Client, topic = "input_data")]
async fn to_input_data(
    number: u32,
    flower: IrisInputData,
) -> Result<KafkaEvent<IrisInputData>, ProduceError> {
    Ok(KafkaEvent::new(flower).key(number))
}

#[consumes(app = Client, topic = "predictions", auto_offset_reset = "earliest")]
async fn on_predictions(
    prediction: IrisPrediction,
    Key(number): Key<u32>,
    State(answers): State<Answers>,
) {
    let mut species = answers.species.lock().expect("nobody panics with it");
    species.insert(number, prediction.species);
    answers.count.send_replace(species.len());
}

/// Starts both, sends, waits, prints a summary and stops both.
///
/// # Errors
///
/// When something does not start, is not delivered or is not answered in time.
pub async fn run() -> anyhow::Result<()> {
    let service = crate::app();
    service.start().await?;
    let address = service.bootstrap().context("the service has no broker")?;
    writeln!(stdout(), "broker in this process on {address}")?;

    let answers = Answers {
        species: Arc::default(),
        count: watch::Sender::new(0),
    };
    let client = App::scoped::<Client>()
        .title("Iris client")
        .state(answers.clone())
        .build();
    client.set_kafka_broker(&address)?;
    client.start().await?;

    let flowers = Flower::all();
    let began = Instant::now();
    let ((), deliveries) = delivery_scope(async {
        for (number, flower) in (0..).zip(&flowers) {
            to_input_data(number, flower.measurements()).await?;
        }
        Ok::<_, ProduceError>(())
    })
    .await?;
    writeln!(
        stdout(),
        "sent {} flowers to `input_data`",
        deliveries.len()
    )?;

    let mut count = answers.count.subscribe();
    let all = count.wait_for(|count| *count == flowers.len());
    tokio::time::timeout(Duration::from_secs(30), all)
        .await
        .with_context(|| format!("{} answers after 30 s", *answers.count.borrow()))??;
    let elapsed = began.elapsed();

    client.stop().await?;
    service.stop().await?;
    summary(&flowers, &answers, elapsed)
}

fn summary(flowers: &[Flower], answers: &Answers, elapsed: Duration) -> anyhow::Result<()> {
    let answers = answers.species.lock().expect("nobody panics with it");
    ensure!(answers.len() == flowers.len(), "an answer is missing");
    writeln!(
        stdout(),
        "got {} predictions from `predictions` in {elapsed:.1?}\n",
        answers.len()
    )?;
    let mut by_species = BTreeMap::<&str, (usize, usize)>::new();
    for (flower, predicted) in flowers.iter().zip(answers.values()) {
        let (all, right) = by_species.entry(&flower.species).or_default();
        *all += 1;
        *right += usize::from(*predicted == flower.species);
    }
    writeln!(
        stdout(),
        "{:<12} {:>7} {:>6}",
        "species",
        "flowers",
        "right"
    )?;
    for (species, (all, right)) in &by_species {
        writeln!(stdout(), "{species:<12} {all:>7} {right:>6}")?;
    }
    let right: usize = by_species.values().map(|(_, right)| right).sum();
    writeln!(
        stdout(),
        "\nnearest centroid, {right} of {} right (the flowers it learned from)",
        flowers.len()
    )?;
    Ok(())
}
