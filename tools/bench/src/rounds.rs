//! Interleaved rounds and what they print.

use crate::data::{IN, OUT, PARTITIONS, fill};
use crate::{Options, Program};
use anyhow::{Context, ensure};
use clap::ValueEnum;
use kafka_lab::Kafka;
use std::process::Command;

/// Runs both programs in each round, the one that begins in turns, and prints a table.
pub(crate) fn compare(
    what: &str,
    options: &Options,
    usual: u64,
    programs: [Program; 2],
) -> anyhow::Result<()> {
    let records = options.records.unwrap_or(usual);
    let partitions = i32::try_from(PARTITIONS)?;
    let broker = Broker::start(
        options.bootstrap.as_deref(),
        &[(IN, partitions), (OUT, partitions)],
    )?;
    let bootstrap = broker.bootstrap();
    eprintln!("filling `{IN}` with {records} records");
    fill(bootstrap, records)?;
    let names = programs.map(name);
    println!("## {what}: {records} records, {}\n", machine());
    println!(
        "| round | {} /s | {} /s | ratio | load |\n|---|---|---|---|---|",
        names[0], names[1]
    );
    let mut ratios = Vec::new();
    for round in 0..options.rounds {
        let mut rates = [0.0; 2];
        for turn in 0..2 {
            let which = (round + turn) % 2;
            rates[which] = rate(programs[which], bootstrap, records, round)?;
        }
        let ratio = rates[1] / rates[0];
        println!(
            "| {} | {:.0} | {:.0} | {ratio:.2} | {} |",
            round + 1,
            rates[0],
            rates[1],
            load()
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let (least, most) = (
        ratios.first().context("no round")?,
        ratios.last().context("no round")?,
    );
    println!(
        "\nmedian ratio {:.2} ({least:.2} to {most:.2})",
        ratios[ratios.len() / 2]
    );
    Ok(())
}

/// Records per second of one program.
fn rate(program: Program, bootstrap: &str, records: u64, round: usize) -> anyhow::Result<f64> {
    let seconds: f64 = run(program, bootstrap, records, round)?.trim().parse()?;
    #[expect(clippy::cast_precision_loss, reason = "a rate has fewer digits")]
    let records = records as f64;
    Ok(records / seconds)
}

/// What one program printed, run as a process of its own with a group of its own.
pub(crate) fn run(
    program: Program,
    bootstrap: &str,
    records: u64,
    round: usize,
) -> anyhow::Result<String> {
    let name = name(program);
    let group = format!("{name}-{round}-{}", std::process::id());
    let records = records.to_string();
    let output = Command::new(std::env::current_exe()?)
        .args(["program", &name, "--bootstrap", bootstrap])
        .args(["--group", &group, "--records", &records])
        .stderr(std::process::Stdio::inherit())
        .output()?;
    ensure!(
        output.status.success(),
        "`{name}` failed: {}",
        output.status
    );
    Ok(String::from_utf8(output.stdout)?)
}

pub(crate) fn name(program: Program) -> String {
    let value = program.to_possible_value();
    value.expect("no program is skipped").get_name().to_owned()
}

/// A broker that runs already, or one of ours.
pub(crate) struct Broker {
    bootstrap: String,
    /// Ends with this.
    _ours: Option<Kafka>,
}

impl Broker {
    pub(crate) fn start(running: Option<&str>, topics: &[(&str, i32)]) -> anyhow::Result<Self> {
        if let Some(bootstrap) = running {
            return Ok(Self {
                bootstrap: bootstrap.to_owned(),
                _ours: None,
            });
        }
        let kafka = Kafka::start()?;
        for (topic, partitions) in topics {
            kafka.create_topic(topic, *partitions, &[])?;
        }
        Ok(Self {
            bootstrap: kafka.bootstrap().to_owned(),
            _ours: Some(kafka),
        })
    }

    pub(crate) fn bootstrap(&self) -> &str {
        &self.bootstrap
    }
}

/// What the figures were measured on.
pub(crate) fn machine() -> String {
    format!("{} cores, {}, load at start {}", cores(), version(), load())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(0, usize::from)
}

fn version() -> String {
    let (_, librdkafka) = rdkafka::util::get_rdkafka_version();
    format!(
        "librdkafka {librdkafka}, fastkafka {}",
        env!("CARGO_PKG_VERSION")
    )
}

/// The machine's load over the last minute, where the system tells.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}
