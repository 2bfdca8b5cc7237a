//! The service and, with `feed`, its source of records.

use clap::Parser;
use std::process::ExitCode;

#[derive(Parser)]
#[command(about = "Flights in, legs out")]
enum Args {
    #[command(flatten)]
    Service(fastkafka::cli::Command),
    /// Send the 27,004 flights of January 2013 to topic `flights`.
    Feed(flights::feed::Options),
}

fn main() -> ExitCode {
    match Args::parse() {
        Args::Service(command) => command.execute(flights::app),
        Args::Feed(options) => flights::feed::feed(&options),
    }
}
