//! The settings: an app each, with topics and a group of its own.

use crate::orders::{Done, Event, Order, attempt, event};
use crate::token::unsigned_token;
use fastkafka::{App, EventMetadata, Failure, Key, Topic, consumes, produces};
use std::time::Duration;

/// One app: its topics, then what its handler and its producer set beside them.
macro_rules! setting {
    ($name:ident, $topic:literal, $out:literal, $dead:literal
     $(, consumes($($c:ident = $cv:expr),*))? $(, produces($($p:ident = $pv:expr),*))?) => {
        pub(crate) mod $name {
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

            pub(crate) fn app() -> App {
                super::app::<Scope>($topic, $out, $dead)
            }
        }
    };
}

pub(crate) mod batch;
mod incarnations;
mod steered;

pub(crate) use incarnations::*;
pub(crate) use steered::*;

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
    session,
    "session",
    "session.out",
    "session.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 1_500,
        heartbeat_interval_ms = 300,
        max_poll_interval_ms = 2_000
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
    slow,
    "slow",
    "slow.out",
    "slow.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        partition_assignment_strategy = "range",
        rebalance_timeout_ms = 75_000
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
    named,
    "named",
    "named.out",
    "named.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 30_000,
        auto_commit_interval_ms = 1_000
    )
);
setting!(
    named_848,
    "named-848",
    "named-848.out",
    "named-848.dead",
    consumes(
        auto_offset_reset = "earliest",
        group_protocol = "consumer",
        auto_commit_interval_ms = 1_000
    )
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
    growing,
    "growing",
    "growing.out",
    "growing.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 500,
        metadata_max_age_ms = 1_000
    )
);
// Longer than the app has time to start.
setting!(
    killed,
    "killed",
    "killed.out",
    "killed.dead",
    consumes(auto_offset_reset = "earliest", session_timeout_ms = 20_000)
);
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
    large,
    "large",
    "large.out",
    "large.dead",
    consumes(auto_offset_reset = "earliest", dead_letter = "large.dead")
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

setting!(
    keys,
    "keys",
    "keys.out",
    "keys.dead",
    consumes(auto_offset_reset = "earliest")
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
    locked_out,
    "locked-out",
    "locked-out.out",
    "locked-out.dead",
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
