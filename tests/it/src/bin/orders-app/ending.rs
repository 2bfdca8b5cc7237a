//! An app that sends itself a record and stands where it is told to, for the tests of the ways out.
//!
//! What it has come to is on its standard output: its log may be gone. A line on its standard input lets the
//! handler go on that waits for one; where none does it ends the app.

use fastkafka::{App, ProduceError, consumes, produces, run_in_background};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::env;
use std::future::{pending, ready};
use std::io::{self, BufRead, Write};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;
use tokio::sync::Semaphore;

struct Scope;

/// Where the app stands.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Stand {
    /// Nowhere: the record is handled.
    Handled,
    /// Until a line comes in.
    Waits,
    /// For ever, at an `await`.
    Awaits,
    /// For ever, in a `blocking` handler.
    Blocks,
    /// For ever, at an `await` of a hook of the start.
    AwaitsInStart,
    /// For ever, in a hook of the start that keeps its thread.
    BlocksInStart,
}

static GATE: Semaphore = Semaphore::const_new(0);

/// As `ENDING` says.
fn stand() -> Stand {
    let stand = env::var("ENDING").unwrap_or_else(|_| "handled".to_owned());
    serde_json::from_value(stand.into()).expect("`ENDING` is a place to stand")
}

fn say(what: &str) {
    let _ = writeln!(io::stdout(), "{what}");
}

fn block() -> ! {
    loop {
        std::thread::park();
    }
}

#[consumes(
    app = Scope,
    topic = "ending",
    auto_offset_reset = "earliest",
    auto_commit_interval_ms = 60_000
)]
async fn on_ending(stand: Stand) {
    say("in hand");
    match stand {
        Stand::Waits => GATE.acquire().await.expect("it stays open").forget(),
        Stand::Awaits => pending().await,
        _ => say("handled"),
    }
}

#[consumes(
    app = Scope,
    topic = "ending.blocking",
    auto_offset_reset = "earliest",
    blocking
)]
fn on_blocking(_stand: Stand) {
    say("in hand");
    block();
}

#[produces(app = Scope)]
async fn to_ending(stand: Stand) -> Result<Stand, ProduceError> {
    Ok(stand)
}

#[produces(app = Scope, topic = "ending.blocking")]
async fn to_blocking(stand: Stand) -> Result<Stand, ProduceError> {
    Ok(stand)
}

#[run_in_background(app = Scope)]
async fn begin() -> Result<(), ProduceError> {
    say("started");
    match stand() {
        Stand::Blocks => to_blocking(Stand::Blocks).await?,
        stand => to_ending(stand).await?,
    };
    Ok(())
}

async fn on_start(app: App) {
    let stand = stand();
    let stopping = app.stopping();
    tokio::spawn(async {
        stopping.await;
        say("stopping");
    });
    std::thread::spawn(move || {
        for _ in io::stdin().lock().lines().map_while(Result::ok) {
            match stand {
                Stand::Waits => GATE.add_permits(1),
                _ => app.shut_down(),
            }
        }
    });
    say("starting");
    match stand {
        Stand::AwaitsInStart => pending().await,
        Stand::BlocksInStart => block(),
        _ => {}
    }
}

pub(crate) fn app() -> App {
    let millis = |name: &str, default| {
        let millis = env::var(name).ok().and_then(|millis| millis.parse().ok());
        Duration::from_millis(millis.unwrap_or(default))
    };
    App::scoped::<Scope>()
        .title("ending")
        .broker("lab", fastkafka::Broker::new("127.0.0.1:1"))
        .on_start(on_start)
        .start_timeout(millis("START_MS", 30_000))
        .shutdown_timeout(millis("SHUTDOWN_MS", 20_000))
        .build()
}

/// The app beside a server, in a program that goes on when both have ended. It `listens` to signals itself, or not.
pub(crate) fn beside(listens: bool) -> ExitCode {
    fastkafka::cli::log();
    let app = app();
    let runtime = tokio::runtime::Runtime::new().expect("a process can have threads");
    runtime.block_on(async {
        let lifespan = app.axum_lifespan("embedded");
        let mut lifespan = lifespan.expect("every app has this broker");
        if listens {
            lifespan = lifespan.without_signals();
        }
        let stopping = app.stopping();
        let server = async {
            stopping.await;
            Ok::<_, Infallible>(())
        };
        let ended = lifespan.run(server).await;
        say(&format!("over: {ended:?}"));
        if listens {
            let mut interrupted = pin!(tokio::signal::ctrl_c());
            // It listens from its first poll on.
            tokio::select! {
                biased;
                _ = &mut interrupted => {}
                () = ready(()) => say("listening"),
            }
            let _ = interrupted.await;
            ExitCode::from(7)
        } else {
            pending().await
        }
    })
}
