//! Testing in a CI workflow: the same tests in memory and on Kafka. `docs/guide/ci.md` tells about it.

use fastkafka::{App, KafkaEvent, Key, ProduceError, consumes, produces};
use std::process::ExitCode;

#[consumes(topic = "numbers", auto_offset_reset = "earliest")]
async fn on_numbers(number: u64, Key(key): Key<String>) -> Result<(), ProduceError> {
    to_squares(number * number, &key).await?;
    Ok(())
}

#[produces(topic = "squares")]
async fn to_squares(square: u64, key: &str) -> Result<KafkaEvent<u64>, ProduceError> {
    Ok(KafkaEvent::new(square).key(key))
}

fn app() -> App {
    App::builder()
        .title("Squares")
        .default_broker("embedded")
        .build()
}

/// A program elsewhere.
#[produces(app = guide::Outside, topic = "numbers")]
async fn to_numbers(key: &str, number: u64) -> Result<KafkaEvent<u64>, ProduceError> {
    Ok(KafkaEvent::new(number).key(key))
}

fn main() -> ExitCode {
    guide::main(app, 2, async |_| {
        to_numbers("k", 7).await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_tester::{ProduceFault, Tester};

    /// Runs in memory, and on the broker that `FASTKAFKA_TEST_BROKER` names.
    #[tokio::test(start_paused = true)]
    async fn a_number_is_squared() {
        let tester = Tester::start(app()).await.unwrap();
        tester.to_numbers(7).key("k").await;
        let squares = tester.on_squares();
        squares.assert_awaited_once_with(&49).await;
        assert_eq!(squares.records()[0].key.as_deref(), Some(&b"k"[..]));
        tester.stop().await;
    }

    /// Real brokers lose no records on demand: this one is always in memory.
    #[tokio::test(start_paused = true)]
    async fn a_lost_square_is_sent_again() {
        let tester = Tester::builder()
            .in_memory_broker()
            .start(app())
            .await
            .unwrap();
        tester.fail_next_produce("squares", ProduceFault::Lost);
        tester.to_numbers(7).key("k").await;
        assert_eq!(tester.on_squares().messages(), [49]);
    }
}
