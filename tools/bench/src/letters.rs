//! Records that nobody can read: how fast a partition of nothing else is put aside, beside how fast the same app
//! relays records that are valid.

use crate::data::{Invoice, Order, write};
use crate::ours::{group, start};
use crate::rounds::{Broker, load, machine, name, run};
use crate::{Options, Program};
use anyhow::{Context, ensure};
use fastkafka::{App, Failure, ProduceError, consumes, produces};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// One partition: first what is valid, then as much of what is not.
const TOPIC: &str = "bench-letters";
const OUT: &str = "bench-letters-out";
const DEAD: &str = "bench-letters-dead";
/// What garbage has to reach of the rate of valid records.
const LEAST: f64 = 0.2;

const PROGRAMS: [Program; 3] = [
    Program::LettersByPartition,
    Program::LettersByKey,
    Program::LettersUnordered,
];

struct Seen {
    valid: u64,
    handled: AtomicU64,
    put_aside: AtomicU64,
    first: OnceLock<Instant>,
    first_bad: OnceLock<Instant>,
    done: Notify,
}

static SEEN: OnceLock<Seen> = OnceLock::new();

fn seen() -> &'static Seen {
    SEEN.get().expect("set before the app starts")
}

/// Decodes by hand what a handler of `Order` has decoded for it, so that records are counted that do not decode.
fn decoded(payload: &[u8]) -> Result<Order, Failure> {
    let seen = seen();
    match serde_json::from_slice(payload) {
        Ok(order) => {
            seen.first.get_or_init(Instant::now);
            Ok(order)
        }
        Err(error) => {
            seen.first_bad.get_or_init(Instant::now);
            count(&seen.put_aside);
            Err(Failure::reject(error))
        }
    }
}

fn count(those: &AtomicU64) {
    let seen = seen();
    those.fetch_add(1, AcqRel);
    if seen.handled.load(Acquire) + seen.put_aside.load(Acquire) == 2 * seen.valid {
        seen.done.notify_one();
    }
}

struct ByPartition;

#[consumes(
    app = ByPartition, topic = "bench-letters", group_id = group(), auto_offset_reset = "earliest",
    dead_letter = "bench-letters-dead"
)]
async fn on_maybe_order(payload: &[u8]) -> Result<(), Failure> {
    to_out(decoded(payload)?.invoice()).await?;
    count(&seen().handled);
    Ok(())
}

#[produces(app = ByPartition, topic = "bench-letters-out")]
async fn to_out(invoice: Invoice) -> Result<Invoice, ProduceError> {
    Ok(invoice)
}

struct ByKey;

#[consumes(
    app = ByKey, topic = "bench-letters", group_id = group(), auto_offset_reset = "earliest",
    dead_letter = "bench-letters-dead", order = "key", concurrency = 64
)]
async fn on_maybe_order_by_key(payload: &[u8]) -> Result<(), Failure> {
    to_out_by_key(decoded(payload)?.invoice()).await?;
    count(&seen().handled);
    Ok(())
}

#[produces(app = ByKey, topic = "bench-letters-out")]
async fn to_out_by_key(invoice: Invoice) -> Result<Invoice, ProduceError> {
    Ok(invoice)
}

struct Unordered;

#[consumes(
    app = Unordered, topic = "bench-letters", group_id = group(), auto_offset_reset = "earliest",
    dead_letter = "bench-letters-dead", order = "unordered", concurrency = 64
)]
async fn on_maybe_order_unordered(payload: &[u8]) -> Result<(), Failure> {
    to_out_unordered(decoded(payload)?.invoice()).await?;
    count(&seen().handled);
    Ok(())
}

#[produces(app = Unordered, topic = "bench-letters-out")]
async fn to_out_unordered(invoice: Invoice) -> Result<Invoice, ProduceError> {
    Ok(invoice)
}

/// Records a second.
#[derive(Deserialize, Serialize)]
struct Rates {
    relayed: f64,
    put_aside: f64,
}

/// The program: relays `records` and puts as many aside, with a log whose lines nobody reads.
pub(crate) async fn program(
    program: Program,
    bootstrap: &str,
    group: &str,
    records: u64,
) -> anyhow::Result<String> {
    tracing_subscriber::fmt().with_writer(std::io::sink).init();
    let seen = SEEN.get_or_init(|| Seen {
        valid: records,
        handled: AtomicU64::new(0),
        put_aside: AtomicU64::new(0),
        first: OnceLock::new(),
        first_bad: OnceLock::new(),
        done: Notify::new(),
    });
    let app = match program {
        Program::LettersByKey => App::scoped::<ByKey>().build(),
        Program::LettersUnordered => App::scoped::<Unordered>().build(),
        _ => App::scoped::<ByPartition>().build(),
    };
    start(&app, bootstrap, group).await?;
    seen.done.notified().await;
    while app.health().in_flight > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let end = Instant::now();
    let first = *seen.first.get().context("no record was valid")?;
    let first_bad = *seen.first_bad.get().context("all records were valid")?;
    #[expect(clippy::cast_precision_loss, reason = "a rate has fewer digits")]
    let rate = |time: Duration| records as f64 / time.as_secs_f64();
    let rates = Rates {
        relayed: rate(first_bad.duration_since(first)),
        put_aside: rate(end.duration_since(first_bad)),
    };
    app.stop().await?;
    Ok(serde_json::to_string(&rates)?)
}

/// Runs all programs in each round and prints a table.
pub(crate) fn compare(options: &Options) -> anyhow::Result<()> {
    let records = options.records.unwrap_or(300_000);
    let topics = [(TOPIC, 1), (OUT, 1), (DEAD, 1)];
    let broker = Broker::start(options.bootstrap.as_deref(), &topics)?;
    eprintln!("filling `{TOPIC}` with twice {records} records");
    let valid = (0..records).map(|id| {
        let value = serde_json::to_vec(&Order::new(id)).expect("an order is plain data");
        (Order::key(id), value)
    });
    // An order with one thing wrong: most of it is read before that shows.
    let garbage = (0..records).map(|id| {
        let mut value = serde_json::to_vec(&Order::new(id)).expect("an order is plain data");
        value.pop();
        (Order::key(id), value)
    });
    write(broker.bootstrap(), TOPIC, valid.chain(garbage))?;
    println!(
        "## letters: {records} records that are relayed, and as many behind them in their partition that are put aside, {}\n",
        machine()
    );
    println!(
        "| round | program | relayed /s | put aside /s | ratio | load |\n|---|---|---|---|---|---|"
    );
    let mut least = f64::INFINITY;
    for round in 0..options.rounds {
        for program in PROGRAMS {
            let printed = run(program, broker.bootstrap(), records, round)?;
            let Rates { relayed, put_aside } = serde_json::from_str(&printed)?;
            let ratio = put_aside / relayed;
            least = least.min(ratio);
            println!(
                "| {} | {} | {relayed:.0} | {put_aside:.0} | {ratio:.2} | {} |",
                round + 1,
                name(program),
                load()
            );
        }
    }
    ensure!(
        least >= LEAST,
        "garbage is put aside at {least:.2} of the rate of valid records: {LEAST} are wanted"
    );
    Ok(())
}
