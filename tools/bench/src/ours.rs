//! The programs with FastKafka, on default settings.

use crate::data::{Invoice, Order};
use anyhow::Context;
use fastkafka::{App, ProduceError, consumes, produces};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

static GROUP: OnceLock<String> = OnceLock::new();
static EXPECTED: AtomicU64 = AtomicU64::new(0);
static HANDLED: AtomicU64 = AtomicU64::new(0);
static FIRST: OnceLock<Instant> = OnceLock::new();
static DONE: Notify = Notify::const_new();

pub(crate) fn group() -> String {
    GROUP.get().cloned().unwrap_or_default()
}

fn count() {
    let before = HANDLED.fetch_add(1, Relaxed);
    if before == 0 {
        let _ = FIRST.set(Instant::now());
    }
    if before + 1 == EXPECTED.load(Relaxed) {
        DONE.notify_one();
    }
}

struct Consume;

#[consumes(app = Consume, topic = "bench-in", group_id = group(), auto_offset_reset = "earliest")]
async fn on_order(order: Order) {
    std::hint::black_box(order);
    count();
}

struct Pipe;

#[consumes(app = Pipe, topic = "bench-in", group_id = group(), auto_offset_reset = "earliest")]
async fn on_order_to_invoice(order: Order) -> Result<(), ProduceError> {
    to_invoice(order.invoice()).await?;
    count();
    Ok(())
}

#[produces(app = Pipe, topic = "bench-out")]
async fn to_invoice(invoice: Invoice) -> Result<Invoice, ProduceError> {
    Ok(invoice)
}

pub(crate) async fn consume(
    bootstrap: &str,
    group: &str,
    records: u64,
) -> anyhow::Result<Duration> {
    run(&App::scoped::<Consume>().build(), bootstrap, group, records).await
}

pub(crate) async fn pipe(bootstrap: &str, group: &str, records: u64) -> anyhow::Result<Duration> {
    run(&App::scoped::<Pipe>().build(), bootstrap, group, records).await
}

/// From the first record handled to the last, and for outputs to the last acknowledgement.
async fn run(app: &App, bootstrap: &str, group: &str, records: u64) -> anyhow::Result<Duration> {
    EXPECTED.store(records, Relaxed);
    start(app, bootstrap, group).await?;
    DONE.notified().await;
    while app.health().in_flight > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let time = FIRST.get().context("no record came")?.elapsed();
    app.stop().await?;
    Ok(time)
}

/// Starts `app` with [`group`] being `group`.
pub(crate) async fn start(app: &App, bootstrap: &str, group: &str) -> anyhow::Result<()> {
    let _ = GROUP.set(group.to_owned());
    app.set_kafka_broker(bootstrap)?;
    Ok(app.start().await?)
}
