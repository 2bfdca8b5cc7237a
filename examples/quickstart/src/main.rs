//! Without arguments the demonstration, with `run` the plain service.

use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

#[derive(Parser)]
#[command(about = "Iris predictions: without a command, a demonstration that needs no Kafka")]
struct Args {
    #[command(subcommand)]
    command: Option<fastkafka::cli::Command>,
}

fn main() -> ExitCode {
    match Args::parse().command {
        Some(command) => command.execute(quickstart::app),
        None => demo(),
    }
}

fn demo() -> ExitCode {
    let result = tokio::runtime::Runtime::new()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(quickstart::demo::run()));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
