//! Interleaved rounds and what they print.

use crate::data::{IN, OUT, PARTITIONS, fill};
use crate::{Against, Program};
use anyhow::{Context, ensure};
use clap::ValueEnum;
use kafka_lab::Kafka;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// What takes turns in the rounds: a program, of this build or of another one.
struct Contestant {
    title: &'static str,
    executable: PathBuf,
    program: Program,
}

/// The bare client and ours, or with `--against` ours of another build and ours of this one.
fn contestants(against: &Against, raw: Program, ours: Program) -> anyhow::Result<[Contestant; 2]> {
    let this = std::env::current_exe()?;
    let contestant = |title, executable: &Path, program| Contestant {
        title,
        executable: executable.to_owned(),
        program,
    };
    Ok(match &against.against {
        None => [
            contestant("raw", &this, raw),
            contestant("ours", &this, ours),
        ],
        Some(other) => [
            contestant("the other build", other, ours),
            contestant("this build", &this, ours),
        ],
    })
}

/// Runs both programs in each round, the one that begins in turns, and prints a table.
pub(crate) fn compare(
    what: &str,
    against: &Against,
    usual: u64,
    [raw, ours]: [Program; 2],
) -> anyhow::Result<()> {
    let options = &against.options;
    let records = options.records.unwrap_or(usual);
    let partitions = i32::try_from(PARTITIONS)?;
    let contestants = contestants(against, raw, ours)?;
    let broker = Broker::start(
        options.bootstrap.as_deref(),
        &[(IN, partitions), (OUT, partitions)],
    )?;
    let bootstrap = broker.bootstrap();
    eprintln!("filling `{IN}` with {records} records");
    fill(bootstrap, records)?;
    let [first, second] = contestants.each_ref().map(|one| one.title);
    println!("## {what}: {records} records, {}\n", machine());
    println!("| round | {first} /s | {second} /s | ratio | load |\n|---|---|---|---|---|");
    let mut ratios = Vec::new();
    for round in 0..options.rounds {
        let mut rates = [0.0; 2];
        for turn in 0..2 {
            let which = (round + turn) % 2;
            rates[which] = contestants[which].rate(bootstrap, records, round)?;
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
        "\nmedian ratio {:.3} ({least:.3} to {most:.3})",
        ratios[ratios.len() / 2]
    );
    Ok(())
}

impl Contestant {
    /// Records per second.
    fn rate(&self, bootstrap: &str, records: u64, round: usize) -> anyhow::Result<f64> {
        let printed = run_of(&self.executable, self.program, bootstrap, records, round)?;
        let seconds: f64 = printed.trim().parse()?;
        #[expect(clippy::cast_precision_loss, reason = "a rate has fewer digits")]
        let records = records as f64;
        Ok(records / seconds)
    }
}

/// What one program printed, run as a process of its own with a group of its own.
pub(crate) fn run(
    program: Program,
    bootstrap: &str,
    records: u64,
    round: usize,
) -> anyhow::Result<String> {
    run_of(
        &std::env::current_exe()?,
        program,
        bootstrap,
        records,
        round,
    )
}

fn run_of(
    executable: &Path,
    program: Program,
    bootstrap: &str,
    records: u64,
    round: usize,
) -> anyhow::Result<String> {
    // Both builds of a round may read.
    static GROUPS: AtomicU32 = AtomicU32::new(0);
    let name = name(program);
    let number = GROUPS.fetch_add(1, Ordering::Relaxed);
    let group = format!("{name}-{round}-{number}-{}", std::process::id());
    let records = records.to_string();
    let output = Command::new(executable)
        .args(["program", &name, "--bootstrap", bootstrap])
        .args(["--group", &group, "--records", &records])
        .stderr(std::process::Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run `{}`", executable.display()))?;
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
