//! Settings of the tests whose logs are cut, made anew or damaged.

use super::app;
use crate::orders::{Done, Event, Order, attempt, event};
use fastkafka::{App, EventMetadata, Failure, Key, consumes, produces};

setting!(
    shortened,
    "shortened",
    "shortened.out",
    "shortened.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 200,
        metadata_max_age_ms = 1_000
    )
);
setting!(
    anew,
    "anew",
    "anew.out",
    "anew.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 200,
        metadata_max_age_ms = 1_000
    )
);
setting!(
    anew_sought,
    "anew-sought",
    "anew-sought.out",
    "anew-sought.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 200,
        metadata_max_age_ms = 1_000
    )
);
setting!(
    anew_stopped,
    "anew-stopped",
    "anew-stopped.out",
    "anew-stopped.dead",
    consumes(
        auto_offset_reset = "earliest",
        attempts = 1,
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 200,
        metadata_max_age_ms = 1_000
    )
);
setting!(
    anew_reset,
    "anew-reset",
    "anew-reset.out",
    "anew-reset.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 200,
        metadata_max_age_ms = 1_000,
        on_truncation = "reset"
    )
);
setting!(
    damaged,
    "damaged",
    "damaged.out",
    "damaged.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 200,
        metadata_max_age_ms = 1_000
    )
);
