//! One poison key in front of many other records: what it holds up, and what it costs in memory.

use crate::data::write;
use crate::keys::WAIT;
use crate::ours::{group, start};
use crate::rounds::{Broker, machine, run};
use crate::{Options, Program};
use anyhow::{Context, ensure};
use fastkafka::{App, Key, consumes};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// One partition: all of them stand behind the poison.
const TOPIC: &str = "bench-poison";
const POISON: &str = "poison";
const KEYS: u64 = 10_000;
/// So big that keeping what is handled would show.
const PAYLOAD: usize = 1_024;
/// How long the poison fails.
const FAILS: Duration = Duration::from_secs(60);

struct Seen {
    others: u64,
    handled: AtomicU64,
    attempts: AtomicU64,
    fails: AtomicBool,
    began: OnceLock<Instant>,
    done: Notify,
    cured: Notify,
}

static SEEN: OnceLock<Seen> = OnceLock::new();

struct Poison;

#[consumes(
    app = Poison, topic = "bench-poison", group_id = group(), auto_offset_reset = "earliest",
    order = "key", concurrency = 64,
    attempts = "forever", backoff = Duration::from_millis(100), backoff_max = Duration::from_secs(1)
)]
async fn on_maybe_poison(_: &[u8], Key(key): Key<String>) -> Result<(), &'static str> {
    let seen = SEEN.get().ok_or("set before the app starts")?;
    seen.began.get_or_init(Instant::now);
    if key == POISON {
        seen.attempts.fetch_add(1, Relaxed);
        if seen.fails.load(Acquire) {
            return Err("poison");
        }
        seen.cured.notify_one();
        return Ok(());
    }
    tokio::time::sleep(WAIT).await;
    if seen.handled.fetch_add(1, AcqRel) + 1 == seen.others {
        seen.done.notify_one();
    }
    Ok(())
}

/// What one program saw.
#[derive(Deserialize, Serialize)]
struct Report {
    /// Others that were handled while the poison failed.
    handled: u64,
    /// From the first handler to the last of the others.
    seconds: f64,
    /// Attempts of the poison up to the end.
    attempts: u64,
    /// Resident memory of the process when the app had started, and at its highest, in KiB.
    at_start: u64,
    peak: u64,
}

/// The program. With `poison` the first record fails for [`FAILS`], otherwise never.
pub(crate) async fn program(
    bootstrap: &str,
    group: &str,
    records: u64,
    poison: bool,
) -> anyhow::Result<String> {
    let seen = SEEN.get_or_init(|| Seen {
        others: records,
        handled: AtomicU64::new(0),
        attempts: AtomicU64::new(0),
        fails: AtomicBool::new(poison),
        began: OnceLock::new(),
        done: Notify::new(),
        cured: Notify::new(),
    });
    let app = App::scoped::<Poison>().build();
    start(&app, bootstrap, group).await?;
    let at_start = memory("VmRSS")?;
    let fails = async {
        tokio::time::sleep(if poison { FAILS } else { Duration::MAX }).await;
    };
    let all = async {
        seen.done.notified().await;
        Instant::now()
    };
    let (mut fails, mut all) = (std::pin::pin!(fails), std::pin::pin!(all));
    let done = tokio::select! {
        done = &mut all => Some(done),
        () = &mut fails => None,
    };
    if poison && done.is_some() {
        fails.await;
    }
    let report = Report {
        handled: seen.handled.load(Acquire),
        seconds: match (done, seen.began.get()) {
            (Some(done), Some(began)) => done.duration_since(*began).as_secs_f64(),
            _ => FAILS.as_secs_f64(),
        },
        attempts: seen.attempts.load(Relaxed),
        at_start,
        peak: memory("VmHWM")?,
    };
    // The poison is handled in the end, and then everything can be committed.
    seen.fails.store(false, Release);
    seen.cured.notified().await;
    if done.is_none() {
        all.await;
    }
    app.stop().await?;
    Ok(serde_json::to_string(&report)?)
}

/// A figure of this process in KiB, as Linux tells it.
fn memory(name: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("needs Linux's /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let figure = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(figure.context("not in /proc/self/status")?.parse()?)
}

/// Runs both programs and prints a table.
pub(crate) fn compare(options: &Options) -> anyhow::Result<()> {
    let others = options.records.unwrap_or(90_000);
    let broker = Broker::start(options.bootstrap.as_deref(), &[(TOPIC, 1)])?;
    let poison = std::iter::once(POISON.to_owned());
    let keys = poison.chain((0..others).map(|n| format!("key-{}", n % KEYS)));
    write(
        broker.bootstrap(),
        TOPIC,
        keys.map(|key| (key, vec![b'.'; PAYLOAD])),
    )?;
    println!(
        "## poison: one key that fails for {FAILS:?}, {others} records of {PAYLOAD} bytes behind it in its partition, handlers that wait {WAIT:?}, {}\n",
        machine()
    );
    println!(
        "| round | program | others handled meanwhile | in s | attempts of the poison | peak RSS KiB | growth KiB |\n|---|---|---|---|---|---|---|"
    );
    let mut missed = 0;
    for round in 0..options.rounds {
        let mut growth = [0; 2];
        let programs = [Program::OursNoPoison, Program::OursPoison];
        for (program, growth) in programs.into_iter().zip(&mut growth) {
            let printed = run(program, broker.bootstrap(), others, round)?;
            let report: Report = serde_json::from_str(&printed)?;
            *growth = report.peak - report.at_start;
            missed += others - report.handled;
            println!(
                "| {} | {} | {} of {others} | {:.1} | {} | {} | {growth} |",
                round + 1,
                crate::rounds::name(program),
                report.handled,
                report.seconds,
                report.attempts,
                report.peak,
            );
        }
        println!(
            "\nThe poison cost {} KiB.\n",
            i128::from(growth[1]) - i128::from(growth[0])
        );
    }
    ensure!(
        missed == 0,
        "{missed} records waited for a key that is not theirs"
    );
    Ok(())
}
