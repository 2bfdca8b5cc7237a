//! `feed`: sends the flights of January 2013 at a steady rate.

use crate::data::{january, repeated};
use crate::flight::Flight;
use anyhow::Context;
use clap::Args;
use fastkafka::{App, Broker, KafkaEvent, ProduceError, Topic, delivery_scope, produces};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, Write};
use std::num::{NonZeroU32, NonZeroUsize};
use std::process::ExitCode;
use std::time::Duration;

/// The sender is an app of its own.
#[derive(Debug)]
pub struct Feed;

#[produces(app = Feed, topic = "flights")]
async fn to_flights(flight: Flight) -> Result<KafkaEvent<Flight>, ProduceError> {
    let key = flight.key().to_owned();
    Ok(KafkaEvent::new(flight).key(key))
}

/// Options of `feed`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// `localhost` or an address HOST:PORT[,HOST:PORT..].
    #[arg(long, value_name = "NAME|ADDRESS", default_value = "localhost")]
    pub kafka_broker: String,
    /// Flights per second; as fast as possible when absent.
    #[arg(long, value_name = "N/s", value_parser = rate)]
    pub rate: Option<NonZeroU32>,
    /// How often to send the whole month.
    #[arg(long, value_name = "K", default_value = "1")]
    pub times: NonZeroUsize,
    /// Make the topic first if it is missing.
    #[arg(long)]
    pub create_topics: bool,
}

/// `500` or `500/s`.
fn rate(text: &str) -> Result<NonZeroU32, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    number.parse().map_err(|error| {
        format!("{error}; write a whole number of flights per second, as in 500/s")
    })
}

/// Sends the flights and shows how far it is.
pub fn feed(options: &Options) -> ExitCode {
    let result = tokio::runtime::Runtime::new()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(send(options)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn send(options: &Options) -> anyhow::Result<()> {
    let app = App::scoped::<Feed>()
        .title("Flights feed")
        .broker("localhost", Broker::new("localhost:9092"))
        .topic("flights", Topic::new().partitions(4))
        .build();
    app.set_kafka_broker(&options.kafka_broker)?;
    app.set_create_topics(options.create_topics);
    app.start().await?;

    let times = options.times.get();
    let mut flights = repeated(times).peekable();
    let total = january().len() * times;
    let style = "{bar:40} {pos}/{len} flights, {per_sec}, {eta} left";
    let bar = ProgressBar::new(total as u64).with_style(ProgressStyle::with_template(style)?);
    let per_second = options.rate.map_or(20_000, NonZeroU32::get);
    // A tenth of a second at a time: what is sent in it is awaited before the next.
    let portion = (per_second / 10).max(1);
    let period = Duration::from_secs_f64(f64::from(portion) / f64::from(per_second));
    let mut clock = tokio::time::interval(period);
    while flights.peek().is_some() {
        if options.rate.is_some() {
            clock.tick().await;
        }
        let ((), deliveries) = delivery_scope(async {
            for flight in flights.by_ref().take(portion as usize) {
                to_flights(flight).await?;
            }
            Ok::<_, ProduceError>(())
        })
        .await
        .context("a flight was not delivered")?;
        bar.inc(deliveries.len() as u64);
    }
    bar.finish();
    app.stop().await?;
    writeln!(io::stdout(), "sent {total} flights to `flights`")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_may_be_written_per_second() {
        assert_eq!(rate("500/s"), rate("500"));
        assert_eq!(rate("500").map(NonZeroU32::get), Ok(500));
        for wrong in ["", "0", "x", "5/min", "-1"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
