//! An app whose records say what is to become of them, in one setting after another.
//!
//! `orders-app SETTING run ..`: each setting has topics and a group of its own name, so that tests share
//! a broker and nothing else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Parser;
use fastkafka::{
    App, EventMetadata, Failure, KafkaEvent, Key, OauthToken, Topic, consumes, produces,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, SystemTime};

#[derive(Parser)]
struct Args {
    setting: String,
    #[command(subcommand)]
    command: fastkafka::cli::Command,
}

/// What comes in: a number, and what is to happen before it goes out again.
#[derive(Debug, Deserialize, JsonSchema)]
struct Order {
    id: u64,
    /// The handler takes this long, awaiting.
    #[serde(default)]
    sleep_ms: u64,
    /// The handler takes this long, blocking its thread.
    #[serde(default)]
    block_ms: u64,
    /// How its attempts end.
    #[serde(default)]
    fails: Option<Fails>,
    /// So many attempts fail, then one succeeds; without it all fail.
    #[serde(default)]
    times: Option<u32>,
    /// Bytes that the output carries along.
    #[serde(default)]
    bytes: usize,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Fails {
    Error,
    Rejected,
    Transient,
    Panic,
}

/// What goes out, under the same key.
#[derive(Debug, Serialize, JsonSchema)]
struct Done {
    id: u64,
    /// The process.
    pid: u32,
    partition: i32,
    offset: i64,
    padding: String,
}

impl Done {
    fn new(order: &Order, meta: EventMetadata) -> Self {
        Self {
            id: order.id,
            pid: std::process::id(),
            partition: meta.partition(),
            offset: meta.offset(),
            padding: "x".repeat(order.bytes),
        }
    }
}

/// Does what the order says.
async fn attempt(order: &Order) -> Result<(), Failure> {
    static FAILED: LazyLock<Mutex<HashMap<u64, u32>>> = LazyLock::new(Mutex::default);
    // Even the shortest sleep of tokio's takes a millisecond.
    if order.sleep_ms > 0 {
        tokio::time::sleep(Duration::from_millis(order.sleep_ms)).await;
    }
    std::thread::sleep(Duration::from_millis(order.block_ms));
    let Some(fails) = order.fails else {
        return Ok(());
    };
    let failed = {
        let mut failed = FAILED.lock().expect("nobody panics with it");
        let failed = failed.entry(order.id).or_default();
        *failed += 1;
        *failed
    };
    if order.times.is_some_and(|times| failed > times) {
        return Ok(());
    }
    match fails {
        Fails::Error => Err(Failure::retry("told to fail")),
        Fails::Rejected => Err(Failure::reject("told to reject")),
        Fails::Transient => Err(Failure::transient("told to wait")),
        Fails::Panic => panic!("told to panic"),
    }
}

type Event = KafkaEvent<Done>;

fn event(done: Done, key: Option<Key<String>>) -> Event {
    match key {
        Some(Key(key)) => KafkaEvent::new(done).key(key),
        None => KafkaEvent::new(done),
    }
}

/// One app: its topics, then what its handler and its producer set beside them.
macro_rules! setting {
    ($name:ident, $topic:literal, $out:literal, $dead:literal
     $(, consumes($($c:ident = $cv:expr),*))? $(, produces($($p:ident = $pv:expr),*))?) => {
        mod $name {
            use super::*;

            pub(super) struct Scope;

            #[consumes(app = Scope, topic = $topic, group_id = $topic $($(, $c = $cv)*)?)]
            async fn on_order(order: Order, meta: EventMetadata, key: Option<Key<String>>) -> Result<(), Failure> {
                attempt(&order).await?;
                let sent = to_done(Done::new(&order, meta), key).await;
                sent.map(drop).map_err(Failure::from_error)
            }

            #[produces(app = Scope, topic = $out $($(, $p = $pv)*)?)]
            async fn to_done(done: Done, key: Option<Key<String>>) -> Result<Event, fastkafka::ProduceError> {
                Ok(event(done, key))
            }

            pub(super) fn app() -> App {
                super::app::<Scope>($topic, $out, $dead)
            }
        }
    };
}

setting!(
    join,
    "join",
    "join.out",
    "join.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 1_000
    )
);
setting!(
    range,
    "range",
    "range.out",
    "range.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        partition_assignment_strategy = "range"
    )
);
setting!(
    kip848,
    "kip848",
    "kip848.out",
    "kip848.dead",
    consumes(auto_offset_reset = "earliest", group_protocol = "consumer")
);
setting!(
    twenty,
    "twenty",
    "twenty.out",
    "twenty.dead",
    consumes(auto_offset_reset = "earliest", session_timeout_ms = 6_000)
);
setting!(
    latest,
    "latest",
    "latest.out",
    "latest.dead",
    consumes(session_timeout_ms = 6_000)
);
setting!(together, "together", "together.out", "together.dead");
setting!(grown, "grown", "grown.out", "grown.dead");
setting!(
    retention,
    "retention",
    "retention.out",
    "retention.dead",
    consumes(auto_offset_reset = "earliest", session_timeout_ms = 6_000)
);
setting!(
    beyond,
    "beyond",
    "beyond.out",
    "beyond.dead",
    consumes(auto_offset_reset = "earliest")
);
setting!(
    cut,
    "cut",
    "cut.out",
    "cut.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 1_000
    )
);
setting!(
    shared_run,
    "shared-run",
    "shared-run.out",
    "shared-run.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 1_000
    )
);
setting!(
    bursts,
    "bursts",
    "bursts.out",
    "bursts.dead",
    consumes(auto_offset_reset = "earliest", auto_commit_interval_ms = 20)
);
setting!(
    idle,
    "idle",
    "idle.out",
    "idle.dead",
    consumes(session_timeout_ms = 6_000, max_poll_interval_ms = 6_000)
);
setting!(
    stuck,
    "stuck",
    "stuck.out",
    "stuck.dead",
    consumes(
        auto_offset_reset = "earliest",
        auto_commit_interval_ms = 1_000
    )
);
setting!(
    term,
    "term",
    "term.out",
    "term.dead",
    consumes(auto_offset_reset = "earliest")
);
setting!(
    blocked,
    "blocked",
    "blocked.out",
    "blocked.dead",
    consumes(auto_offset_reset = "earliest")
);
setting!(
    twice,
    "twice",
    "twice.out",
    "twice.dead",
    consumes(auto_offset_reset = "earliest")
);
setting!(
    bad,
    "bad",
    "bad.out",
    "bad.dead",
    consumes(
        auto_offset_reset = "earliest",
        attempts = 3,
        backoff = Duration::from_millis(20),
        handler_timeout = Duration::from_millis(500),
        dead_letter = "bad.dead"
    )
);
setting!(
    stopping,
    "stopping",
    "stopping.out",
    "stopping.dead",
    consumes(
        auto_offset_reset = "earliest",
        attempts = 2,
        auto_commit_interval_ms = 500
    )
);
setting!(
    gone,
    "gone",
    "gone.out",
    "gone.dead",
    consumes(auto_offset_reset = "earliest", attempts = 2)
);
setting!(
    quorum,
    "quorum",
    "quorum.out",
    "quorum.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        attempts = 2,
        auto_commit_interval_ms = 500,
        dead_letter = "quorum.dead"
    )
);
setting!(
    away,
    "away",
    "away.out",
    "away.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 500
    ),
    produces(delivery_timeout_ms = 3_000)
);
setting!(
    absent,
    "absent",
    "absent.out",
    "absent.dead",
    consumes(dead_letter = "absent.dead")
);
setting!(
    created,
    "created",
    "created.out",
    "created.dead",
    consumes(dead_letter = "created.dead")
);

// How these are reached is said in the environment.
setting!(
    secure,
    "secure",
    "secure.out",
    "secure.dead",
    consumes(auto_offset_reset = "earliest")
);
setting!(
    refused,
    "refused",
    "refused.out",
    "refused.dead",
    consumes(auto_offset_reset = "earliest")
);
setting!(
    oauth,
    "oauth",
    "oauth.out",
    "oauth.dead",
    consumes(
        auto_offset_reset = "earliest",
        security_protocol = "SASL_PLAINTEXT",
        sasl_mechanism = "OAUTHBEARER",
        sasl_oauth_token_provider = unsigned_token
    ),
    produces(
        security_protocol = "SASL_PLAINTEXT",
        sasl_mechanism = "OAUTHBEARER",
        sasl_oauth_token_provider = unsigned_token
    )
);

/// A token that is good for three seconds, or as `ORDERS_TOKEN` says.
async fn unsigned_token() -> Result<OauthToken, String> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let wrong = std::env::var("ORDERS_TOKEN").unwrap_or_default();
    if wrong == "none" {
        return Err("the token server is away".to_owned());
    }
    let now = SystemTime::now();
    let expires_at = now + Duration::from_secs(3);
    let seconds = |at: SystemTime| {
        at.duration_since(SystemTime::UNIX_EPOCH)
            .map(|d| d.as_secs())
    };
    let (Ok(iat), Ok(exp)) = (seconds(now), seconds(expires_at)) else {
        return Err("it is before 1970".to_owned());
    };
    // What a broker takes ends before it says.
    let exp = if wrong == "old" { 1 } else { exp + 1 };
    let claims = format!(r#"{{"sub":"orders","iat":{iat},"exp":{exp}}}"#);
    let [header, claims] = [r#"{"alg":"none"}"#, &claims].map(|json| URL_SAFE_NO_PAD.encode(json));
    tracing::info!("token {} made", MADE.fetch_add(1, Ordering::Relaxed) + 1);
    Ok(OauthToken {
        token: format!("{header}.{claims}.").into(),
        principal: "orders".to_owned(),
        expires_at,
    })
}

/// The only one that takes batches.
mod batch {
    use super::{App, Done, Duration, Event, Order, attempt};
    use fastkafka::{BatchFailure, EventMetadata, KafkaEvent, ProduceError, consumes, produces};

    struct Scope;

    #[consumes(
        app = Scope,
        topic = "batch",
        group_id = "batch",
        auto_offset_reset = "earliest",
        attempts = 2,
        backoff = Duration::from_millis(20),
        dead_letter = "batch.dead"
    )]
    async fn on_orders(orders: Vec<Order>, metas: Vec<EventMetadata>) -> Result<(), BatchFailure> {
        for (at, (order, meta)) in orders.iter().zip(metas).enumerate() {
            let done = attempt(order).await;
            done.map_err(|failure| BatchFailure::at(at, failure))?;
            let sent = to_done(Done::new(order, meta)).await;
            sent.map_err(|error| BatchFailure::at(at, error))?;
        }
        Ok(())
    }

    #[produces(app = Scope, topic = "batch.out")]
    async fn to_done(done: Done) -> Result<Event, ProduceError> {
        Ok(KafkaEvent::new(done))
    }

    pub(super) fn app() -> App {
        super::app::<Scope>("batch", "batch.out", "batch.dead")
    }
}

fn app<S: 'static>(topic: &str, out: &str, dead: &str) -> App {
    App::scoped::<S>()
        .title(topic)
        .broker("lab", fastkafka::Broker::new("127.0.0.1:1"))
        .topic(
            topic,
            Topic::new().partitions(3).config("retention.ms", "3600000"),
        )
        .topic(out, Topic::new().partitions(2))
        .topic(dead, Topic::new().partitions(1))
        .start_timeout(Duration::from_secs(10))
        .shutdown_timeout(Duration::from_secs(8))
        .build()
}

/// The settings by name.
macro_rules! choose {
    ($chosen:expr, $($name:ident),*) => {
        match $chosen {
            $(stringify!($name) => $name::app,)*
            other => {
                eprintln!("error: no setting `{other}`");
                return ExitCode::from(2);
            }
        }
    };
}

fn main() -> ExitCode {
    let args = Args::parse();
    let app: fn() -> App = choose!(
        args.setting.as_str(),
        join,
        range,
        kip848,
        twenty,
        latest,
        together,
        grown,
        retention,
        beyond,
        cut,
        shared_run,
        bursts,
        idle,
        stuck,
        term,
        blocked,
        twice,
        bad,
        batch,
        stopping,
        gone,
        quorum,
        away,
        absent,
        created,
        secure,
        refused,
        oauth
    );
    args.command.execute(app)
}
