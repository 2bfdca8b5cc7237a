//! Executors: many calls of a slow handler at once. `docs/guide/executors.md` tells about it.

use fastkafka::{App, KafkaEvent, Key, ProduceError, Topic, consumes, produces};
use std::process::ExitCode;
use std::time::Duration;

/// Asks a slow service: for many customers at once, for each one after another.
#[consumes(
    topic = "checks",
    auto_offset_reset = "earliest",
    executor = "dynamic",
    concurrency = 16
)]
async fn on_checks(cents: u64, Key(customer): Key<String>) -> Result<(), ProduceError> {
    tokio::time::sleep(Duration::from_millis(200)).await;
    to_verdicts(&customer, cents < 100_000).await?;
    Ok(())
}

#[produces(topic = "verdicts")]
async fn to_verdicts(customer: &str, good: bool) -> Result<KafkaEvent<bool>, ProduceError> {
    Ok(KafkaEvent::new(good).key(customer))
}

fn app() -> App {
    App::builder()
        .title("Checks")
        .default_broker("embedded")
        .topic("verdicts", Topic::new().partitions(3))
        .build()
}

/// A program elsewhere.
#[produces(app = guide::Outside, topic = "checks")]
async fn to_checks(customer: &str, cents: u64) -> Result<KafkaEvent<u64>, ProduceError> {
    Ok(KafkaEvent::new(cents).key(customer))
}

fn main() -> ExitCode {
    guide::main(app, 8, async |_| {
        to_checks("ada", 450).await?;
        to_checks("ada", 250_000).await?;
        to_checks("ben", 1_200).await?;
        to_checks("amy", 300_000).await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_tester::Tester;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn customers_do_not_wait_for_each_other() {
        let tester = Tester::start(app()).await.unwrap();
        let began = Instant::now();
        for customer in 0..16 {
            let check = tester.to_checks(450).key(customer);
            check.unsettled().await;
        }
        tester.settle().await.unwrap();
        assert_eq!(tester.on_verdicts().count(), 16);
        // Sixteen one after another are 3.2 s. The clock is virtual, so this is exact to the poll.
        assert!(
            began.elapsed() < Duration::from_millis(400),
            "{:?}",
            began.elapsed()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_checks_of_a_customer_stay_in_order() {
        let tester = Tester::start(app()).await.unwrap();
        let checks = tester.mirror::<on_checks>().send_all([450, 250_000, 1_200]);
        checks.key("ada").await;
        let verdicts = tester.on_verdicts().messages();
        assert_eq!(verdicts, [true, false, true]);
    }
}
