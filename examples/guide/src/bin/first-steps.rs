//! First steps: numbers come in, their squares go out. `docs/guide/first-steps.md` tells about it.

use fastkafka::{App, Broker, ProduceError, consumes, produces};
use std::process::ExitCode;

/// Squares every number.
#[consumes(topic = "numbers", auto_offset_reset = "earliest")]
async fn on_numbers(number: u64) -> Result<(), ProduceError> {
    to_squares(number * number).await?;
    Ok(())
}

#[produces(topic = "squares")]
async fn to_squares(square: u64) -> Result<u64, ProduceError> {
    println!("sending {square}");
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
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_tester::Tester;

    #[tokio::test(start_paused = true)]
    async fn a_number_is_squared() {
        let tester = Tester::start(app()).await.unwrap();
        tester.to_numbers(7).await;
        tester.on_squares().assert_called_once_with(&49);
        tester.stop().await;
    }
}
