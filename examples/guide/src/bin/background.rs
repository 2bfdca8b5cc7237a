//! Background tasks: an exchange rate that is asked for again and again. `docs/guide/background.md`
//! tells about it.

use fastkafka::{App, Broker, ProduceError, State, consumes, produces, run_in_background};
use std::process::ExitCode;
use std::time::Duration;
use tokio::sync::watch;

/// What a dollar is worth, in cents of a euro; 0 until the bank has said so.
#[derive(Clone)]
struct Rate(watch::Sender<u64>);

/// Asks the bank once a minute.
#[run_in_background(restart = "on_failure", backoff = Duration::from_secs(1))]
async fn refresh(State(rate): State<Rate>) -> Result<(), ProduceError> {
    for minute in 0.. {
        let cents = the_bank_says(minute);
        rate.0.send_replace(cents);
        to_rates(cents).await?;
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    Ok(())
}

#[produces(topic = "rates")]
async fn to_rates(cents: u64) -> Result<u64, ProduceError> {
    Ok(cents)
}

/// Changes dollars into euros.
#[consumes(topic = "dollars", auto_offset_reset = "earliest")]
async fn on_dollars(dollars: u64, State(rate): State<Rate>) -> Result<(), ProduceError> {
    let mut rate = rate.0.subscribe();
    let cents = *rate
        .wait_for(|cents| *cents > 0)
        .await
        .expect("the state has its sender");
    to_euros(dollars * cents).await?;
    Ok(())
}

#[produces(topic = "euros")]
async fn to_euros(cents: u64) -> Result<String, ProduceError> {
    Ok(format!("{}.{:02}", cents / 100, cents % 100))
}

fn the_bank_says(minute: u64) -> u64 {
    92 + minute % 3
}

fn app() -> App {
    App::builder()
        .title("Exchange")
        .broker("localhost", Broker::new("localhost:9092"))
        .default_broker("embedded")
        .state(Rate(watch::Sender::new(0)))
        .build()
}

/// A program elsewhere.
#[produces(app = guide::Outside, topic = "dollars")]
async fn to_dollars(dollars: u64) -> Result<u64, ProduceError> {
    Ok(dollars)
}

fn main() -> ExitCode {
    guide::main(app, 3, async |_| {
        to_dollars(5).await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_tester::Tester;

    #[tokio::test(start_paused = true)]
    async fn the_bank_is_asked_every_minute() {
        let tester = Tester::start(app()).await.unwrap();
        tester.to_dollars(5).await;
        tester.advance(Duration::from_secs(90)).await;
        assert_eq!(tester.on_rates().messages(), [92, 93]);
        tester.to_dollars(5).await;
        assert_eq!(tester.on_euros().messages(), ["4.60", "4.65"]);
        tester.stop().await;
    }
}
