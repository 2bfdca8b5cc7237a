//! What the examples of the guide share: the world around a service.
//!
//! [`main`] runs a service on a broker in this process, sends it what the chapter says, waits for what
//! comes of it and prints what is in the topics then.
#![forbid(unsafe_code)]

use anyhow::{Context, ensure};
use clap::Parser;
use fastkafka::record::Bytes;
use fastkafka::{App, EventMetadata, Headers, Key, State, consumes};
use std::collections::BTreeMap;
use std::io::{Write, stderr, stdout};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The other side of the topics, an app of its own: producers under `app = guide::Outside` write what
/// the service reads.
#[derive(Debug)]
pub struct Outside;

/// A line per record that is in a topic, by topic, partition and offset.
type Records = BTreeMap<(Arc<str>, i32, i64), String>;

#[derive(Parser)]
#[command(about = "An example of the guide: without a command, a demonstration without Kafka")]
struct Args {
    #[command(subcommand)]
    command: Option<fastkafka::cli::Command>,
}

/// With a command the service's command line; without, the demonstration: `app` on a broker in this
/// process, with what `send` sends it, until so many `records` are in its topics.
pub fn main(
    app: impl FnOnce() -> App,
    records: usize,
    send: impl AsyncFnOnce(App) -> anyhow::Result<()>,
) -> ExitCode {
    if let Some(command) = Args::parse().command {
        return command.execute(app);
    }
    // The demonstration is to be read without the log, unless one asks for it.
    if std::env::var_os("RUST_LOG").is_some() {
        fastkafka::cli::log();
    }
    let shown = tokio::runtime::Runtime::new()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(demonstrate(app(), records, send)));
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn demonstrate(
    app: App,
    records: usize,
    send: impl AsyncFnOnce(App) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    app.set_kafka_broker("embedded")?;
    app.start().await?;
    let (seen, mut topics) = watch::channel(Records::new());
    let outside = App::scoped::<Outside>()
        .title("Outside")
        .state(seen)
        .build();
    outside.set_kafka_broker(&app.bootstrap().context("the app has no broker")?)?;
    outside.start().await?;

    send(app.clone()).await?;
    let all = topics.wait_for(|topics| topics.len() >= records);
    let in_time = tokio::time::timeout(Duration::from_secs(30), all)
        .await
        .is_ok();

    // The broker ends with the app.
    outside.stop().await?;
    app.stop().await?;
    let topics = topics.borrow();
    for record in topics.values() {
        writeln!(stdout(), "{record}")?;
    }
    ensure!(in_time, "{} of {records} records after 30 s", topics.len());
    Ok(())
}

/// Reads every topic from its beginning.
#[consumes(app = Outside, pattern = "^[^_]", auto_offset_reset = "earliest")]
async fn on_topics(
    payload: Option<Bytes>,
    key: Option<Key<Bytes>>,
    headers: Headers<'_>,
    meta: EventMetadata,
    State(seen): State<watch::Sender<Records>>,
) {
    let text = |bytes: &[u8]| {
        String::from_utf8(bytes.into()).unwrap_or_else(|_| format!("{}", bytes.escape_ascii()))
    };
    let mut line = format!("{}[{}] ", meta.topic(), meta.partition());
    if let Some(Key(key)) = key {
        line += &format!("{}: ", text(&key));
    }
    line += &payload.map_or("(nothing)".to_owned(), |payload| text(&payload));
    for (name, value) in headers.iter() {
        line += &format!(" ({name}: {})", text(value.unwrap_or_default()));
    }
    let place = (meta.topic().into(), meta.partition(), meta.offset());
    seen.send_modify(|records| drop(records.insert(place, line)));
}
