//! FastKafka against raw rdkafka on a local Apache Kafka: ratios of interleaved rounds.
//!
//! `cargo run --release -p fastkafka-bench -- consume` and `.. -- pipe`. Each program of a round is a
//! process of its own, with a fresh consumer group; what is timed is the way from its first record to
//! its last. Without `--bootstrap` a broker is started (needs Java and Maven).
#![forbid(unsafe_code)]

mod data;
mod ours;
mod raw;
mod rounds;

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};
use std::time::Duration;

#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Consume and decode small JSON records.
    Consume(Options),
    /// Consume, transform and produce in order, at least once.
    Pipe(Options),
    /// One program of a round; prints the seconds it took.
    #[command(hide = true)]
    Program {
        program: Program,
        #[arg(long)]
        bootstrap: String,
        #[arg(long)]
        group: String,
        #[arg(long)]
        records: u64,
    },
}

#[derive(clap::Args, Clone)]
struct Options {
    /// A broker that runs already, `host:port`.
    #[arg(long)]
    bootstrap: Option<String>,
    /// How many records; default 3,000,000 to consume, 1,000,000 to pipe.
    #[arg(long)]
    records: Option<u64>,
    /// How many rounds.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Program {
    /// A `StreamConsumer` loop with `fetch.queue.backoff.ms=10`.
    RawConsume,
    /// An app with one handler.
    OursConsume,
    /// A `BaseConsumer` and a `BaseProducer`, pipelined, offsets stored after the reports.
    RawPipe,
    /// An app whose handler calls a producer.
    OursPipe,
}

fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Consume(options) => rounds::compare(
            "consume",
            &options,
            3_000_000,
            [Program::RawConsume, Program::OursConsume],
        ),
        Command::Pipe(options) => rounds::compare(
            "pipe",
            &options,
            1_000_000,
            [Program::RawPipe, Program::OursPipe],
        ),
        Command::Program {
            program,
            bootstrap,
            group,
            records,
        } => {
            let time = run(program, &bootstrap, &group, records)?;
            println!("{}", time.as_secs_f64());
            Ok(())
        }
    }
}

fn run(program: Program, bootstrap: &str, group: &str, records: u64) -> anyhow::Result<Duration> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the tokio runtime")?;
    match program {
        Program::RawConsume => runtime.block_on(raw::consume(bootstrap, group, records)),
        Program::RawPipe => raw::pipe(bootstrap, group, records),
        Program::OursConsume => runtime.block_on(ours::consume(bootstrap, group, records)),
        Program::OursPipe => runtime.block_on(ours::pipe(bootstrap, group, records)),
    }
}
