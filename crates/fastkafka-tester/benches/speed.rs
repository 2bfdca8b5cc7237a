//! How long a test takes: start, one record through a handler with an output, an assertion, stop.
//!
//! `cargo bench -p fastkafka-tester --bench speed`; `cargo test -p fastkafka-tester --bench speed`
//! says it of a debug build.

#![allow(clippy::unwrap_used, reason = "a measurement ends by it")]

use fastkafka::{App, ProduceError, consumes, produces};
use fastkafka_tester::Tester;
use std::time::{Duration, Instant};

const ROUNDS: usize = 500;

#[consumes(topic = "numbers", auto_offset_reset = "earliest")]
async fn on_numbers(number: u64) -> Result<(), ProduceError> {
    to_squares(number * number).await?;
    Ok(())
}

#[produces(topic = "squares")]
async fn to_squares(square: u64) -> Result<u64, ProduceError> {
    Ok(square)
}

async fn test() {
    let app = App::builder().title("Squares").build();
    let tester = Tester::start(app).await.unwrap();
    tester.to_numbers(7).await;
    tester.on_squares().assert_called_once_with(&49);
    tester.stop().await;
}

/// A runtime of its own, as `#[tokio::test(start_paused = true)]` makes it.
fn timed() -> Duration {
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(test());
    begun.elapsed()
}

fn main() {
    let mut times: Vec<_> = (0..ROUNDS).map(|_| timed()).collect();
    times.sort_unstable();
    let at = |percent: usize| times[(ROUNDS - 1) * percent / 100];
    println!(
        "start, record, assertion, stop: median {:.3?}, 10 % {:.3?}, 90 % {:.3?} of {ROUNDS}",
        at(50),
        at(10),
        at(90)
    );
}
