//! The programs with FastKafka whose order is by key, and the one that has none.

use crate::keys::{Times, Work};
use crate::ours::{group, start};
use anyhow::Context;
use fastkafka::{App, consumes};
use std::sync::OnceLock;

static WORK: OnceLock<Work> = OnceLock::new();

fn work() -> &'static Work {
    WORK.get().expect("set before the app starts")
}

struct Zipf;

#[consumes(
    app = Zipf, topic = "bench-zipf", group_id = group(), auto_offset_reset = "earliest",
    order = "key", concurrency = 64
)]
async fn on_zipf(key: u64) {
    work().handle(key).await;
}

struct Each;

#[consumes(
    app = Each, topic = "bench-each", group_id = group(), auto_offset_reset = "earliest",
    order = "key", concurrency = 64
)]
async fn on_each(key: u64) {
    work().handle(key).await;
}

struct Unordered;

#[consumes(
    app = Unordered, topic = "bench-zipf", group_id = group(), auto_offset_reset = "earliest",
    order = "unordered", concurrency = 64
)]
async fn on_unordered(key: u64) {
    work().handle(key).await;
}

pub(crate) async fn zipf(bootstrap: &str, group: &str, records: u64) -> anyhow::Result<Times> {
    let app = App::scoped::<Zipf>().build();
    run(&app, bootstrap, group, records, true).await
}

pub(crate) async fn each(bootstrap: &str, group: &str, records: u64) -> anyhow::Result<Times> {
    let app = App::scoped::<Each>().build();
    run(&app, bootstrap, group, records, true).await
}

pub(crate) async fn unordered(bootstrap: &str, group: &str, records: u64) -> anyhow::Result<Times> {
    let app = App::scoped::<Unordered>().build();
    run(&app, bootstrap, group, records, false).await
}

async fn run(
    app: &App,
    bootstrap: &str,
    group: &str,
    records: u64,
    ordered: bool,
) -> anyhow::Result<Times> {
    let work = WORK.get_or_init(|| Work::new(records));
    start(app, bootstrap, group).await.context("cannot start")?;
    let times = work.times(ordered).await?;
    app.stop().await?;
    Ok(times)
}
