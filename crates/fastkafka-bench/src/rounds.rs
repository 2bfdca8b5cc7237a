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
    let kafka;
    let bootstrap = match &options.bootstrap {
        Some(bootstrap) => bootstrap.as_str(),
        None => {
            kafka = Kafka::start()?;
            kafka.create_topic(IN, i32::try_from(PARTITIONS)?, &[])?;
            kafka.create_topic(OUT, i32::try_from(PARTITIONS)?, &[])?;
            kafka.bootstrap()
        }
    };
    eprintln!("filling `{IN}` with {records} records");
    fill(bootstrap, records)?;
    let names = programs.map(|program| {
        program
            .to_possible_value()
            .expect("no program is skipped")
            .get_name()
            .to_owned()
    });
    println!(
        "## {what}: {records} records, {} cores, {}, load at start {}\n",
        cores(),
        version(),
        load()
    );
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

/// Records per second of one program, a process of its own.
fn rate(program: Program, bootstrap: &str, records: u64, round: usize) -> anyhow::Result<f64> {
    let name = program
        .to_possible_value()
        .expect("no program is skipped")
        .get_name()
        .to_owned();
    let group = format!("{name}-{round}-{}", std::process::id());
    let records_text = records.to_string();
    let output = Command::new(std::env::current_exe()?)
        .args([
            "program",
            &name,
            "--bootstrap",
            bootstrap,
            "--group",
            &group,
            "--records",
            &records_text,
        ])
        .stderr(std::process::Stdio::inherit())
        .output()?;
    ensure!(
        output.status.success(),
        "`{name}` failed: {}",
        output.status
    );
    let seconds: f64 = String::from_utf8(output.stdout)?.trim().parse()?;
    #[expect(clippy::cast_precision_loss, reason = "a rate has fewer digits")]
    let records = records as f64;
    Ok(records / seconds)
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
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}
