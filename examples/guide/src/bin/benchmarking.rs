//! Benchmarking: how many records a second a handler gets through. `docs/guide/benchmarking.md` tells
//! about it.

use fastkafka::{App, Broker, ProduceError, benchmark, consumes, produces};
use std::process::ExitCode;
use std::time::Duration;

/// Squares numbers, as many at a time as there are.
#[benchmark(interval = 0.1, sliding_window_size = 5)]
#[consumes(topic = "numbers", auto_offset_reset = "earliest")]
async fn on_numbers(numbers: Vec<u64>) -> Result<(), ProduceError> {
    for number in numbers {
        to_squares(number * number).await?;
    }
    Ok(())
}

#[benchmark(interval = Duration::from_millis(100))]
#[produces(topic = "squares")]
async fn to_squares(square: u64) -> Result<u64, ProduceError> {
    Ok(square)
}

fn app() -> App {
    App::builder()
        .title("Squares")
        .broker("localhost", Broker::new("localhost:9092"))
        .default_broker("embedded")
        .build()
}

/// A program elsewhere.
#[produces(app = guide::Outside, topic = "numbers")]
async fn to_numbers(number: u64) -> Result<u64, ProduceError> {
    Ok(number)
}

fn main() -> ExitCode {
    guide::main(app, 4, async |_| {
        to_numbers(7).await?;
        to_numbers(8).await?;
        // So that there are figures to be seen in the log.
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_tester::Tester;

    #[tokio::test(start_paused = true)]
    async fn what_is_measured_works_as_before() {
        let tester = Tester::start(app()).await.unwrap();
        tester.mirror::<on_numbers>().send_all([7, 8]).await;
        assert_eq!(tester.on_squares().messages(), [49, 64]);
        tester.advance(Duration::from_secs(1)).await;
        tester.stop().await;
    }
}
