//! FastKafka against raw rdkafka on a local Apache Kafka: ratios of interleaved rounds.
//!
//! `cargo run --release -p bench -- consume`, `.. -- pipe`, `.. -- order`,
//! `.. -- poison`, `.. -- letters`. Each program of a
//! round is a process of its own, with a fresh consumer group; what is timed is the way from its first
//! record to its last. Without `--bootstrap` a broker is started (needs Java and Maven).
#![forbid(unsafe_code)]

mod by_key;
mod data;
mod keys;
mod letters;
mod order;
mod ours;
mod poison;
mod raw;
mod rounds;

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};
use keys::{EACH, Work, ZIPF};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Consume and decode small JSON records.
    Consume(Against),
    /// Consume, transform and produce in order, at least once.
    Pipe(Against),
    /// Order by key, and none: how near the least time that the handlers' own allows.
    Order(Options),
    /// One key that fails for a minute in front of 90,000 other records: what it costs.
    Poison(Options),
    /// A partition of records that cannot be read, behind valid ones: how fast each half is done with.
    Letters(Options),
    /// One program of a round; prints what it measured.
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
    /// How many records; default 3,000,000 to consume, 1,000,000 to pipe, 40,000 in order by key,
    /// 90,000 behind the poison, 300,000 of each kind of letters.
    #[arg(long)]
    records: Option<u64>,
    /// How many rounds.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

#[derive(clap::Args, Clone)]
struct Against {
    #[command(flatten)]
    options: Options,
    /// The `bench` of another commit: its build of ours is compared with this one, instead of the bare
    /// client with ours.
    #[arg(long, value_name = "EXECUTABLE")]
    against: Option<PathBuf>,
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
    /// A task per key, and a semaphore; keys by Zipf's law.
    RawZipf,
    /// The same; each record has a key of its own.
    RawEach,
    /// A task per record, and a semaphore.
    RawUnordered,
    /// `order = "key"`; keys by Zipf's law.
    OursZipf,
    /// The same; each record has a key of its own.
    OursEach,
    /// `order = "unordered"`.
    OursUnordered,
    /// `order = "key"`, and the first key fails for a minute.
    OursPoison,
    /// The same, and it does not.
    OursNoPoison,
    /// Relays valid records, then puts as many aside that are not.
    LettersByPartition,
    /// The same with `order = "key"`.
    LettersByKey,
    /// The same with `order = "unordered"`.
    LettersUnordered,
}

fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Consume(against) => rounds::compare(
            "consume",
            &against,
            3_000_000,
            [Program::RawConsume, Program::OursConsume],
        ),
        Command::Pipe(against) => rounds::compare(
            "pipe",
            &against,
            1_000_000,
            [Program::RawPipe, Program::OursPipe],
        ),
        Command::Order(options) => order::compare(&options),
        Command::Poison(options) => poison::compare(&options),
        Command::Letters(options) => letters::compare(&options),
        Command::Program {
            program,
            bootstrap,
            group,
            records,
        } => {
            let runtime =
                tokio::runtime::Runtime::new().context("cannot start the tokio runtime")?;
            println!(
                "{}",
                runtime.block_on(run(program, &bootstrap, &group, records))?
            );
            Ok(())
        }
    }
}

/// What the program prints: seconds, or [`keys::Times`] as JSON.
async fn run(
    program: Program,
    bootstrap: &str,
    group: &str,
    records: u64,
) -> anyhow::Result<String> {
    let work = || Arc::new(Work::new(records));
    let times = match program {
        Program::RawConsume => return seconds(raw::consume(bootstrap, group, records).await),
        Program::RawPipe => return seconds(raw::pipe(bootstrap, group, records)),
        Program::OursConsume => return seconds(ours::consume(bootstrap, group, records).await),
        Program::OursPipe => return seconds(ours::pipe(bootstrap, group, records).await),
        Program::OursPoison => return poison::program(bootstrap, group, records, true).await,
        Program::OursNoPoison => return poison::program(bootstrap, group, records, false).await,
        Program::LettersByPartition | Program::LettersByKey | Program::LettersUnordered => {
            return letters::program(program, bootstrap, group, records).await;
        }
        Program::RawZipf => raw::keyed(bootstrap, group, ZIPF, true, work()).await,
        Program::RawEach => raw::keyed(bootstrap, group, EACH, true, work()).await,
        Program::RawUnordered => raw::keyed(bootstrap, group, ZIPF, false, work()).await,
        Program::OursZipf => by_key::zipf(bootstrap, group, records).await,
        Program::OursEach => by_key::each(bootstrap, group, records).await,
        Program::OursUnordered => by_key::unordered(bootstrap, group, records).await,
    };
    Ok(serde_json::to_string(&times?)?)
}

fn seconds(time: anyhow::Result<Duration>) -> anyhow::Result<String> {
    Ok(time?.as_secs_f64().to_string())
}
