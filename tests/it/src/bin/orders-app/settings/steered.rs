//! Settings of the tests that pause, seek and choose where reading begins.

use super::app;
use crate::orders::{Done, Event, Order, attempt, event};
use fastkafka::{App, EventMetadata, Failure, Key, consumes, produces};

setting!(
    seek_sticky,
    "seek-sticky",
    "seek-sticky.out",
    "seek-sticky.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 1_000
    )
);
setting!(
    watched,
    "watched",
    "watched.out",
    "watched.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 500,
        attempts = 2
    )
);
setting!(
    aged,
    "aged",
    "aged.out",
    "aged.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 500,
        attempts = 2
    )
);
setting!(
    seek_range,
    "seek-range",
    "seek-range.out",
    "seek-range.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 1_000,
        partition_assignment_strategy = "range"
    )
);
setting!(
    seek_848,
    "seek-848",
    "seek-848.out",
    "seek-848.dead",
    consumes(
        auto_offset_reset = "earliest",
        auto_commit_interval_ms = 1_000,
        group_protocol = "consumer"
    )
);
setting!(
    pause_sticky,
    "pause-sticky",
    "pause-sticky.out",
    "pause-sticky.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 1_000
    )
);
setting!(
    pause_range,
    "pause-range",
    "pause-range.out",
    "pause-range.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 1_000,
        partition_assignment_strategy = "range"
    )
);
setting!(
    pause_848,
    "pause-848",
    "pause-848.out",
    "pause-848.dead",
    consumes(
        auto_offset_reset = "earliest",
        auto_commit_interval_ms = 1_000,
        group_protocol = "consumer"
    )
);
setting!(
    from_sticky,
    "from-sticky",
    "from-sticky.out",
    "from-sticky.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 1_000
    )
);
setting!(
    from_range,
    "from-range",
    "from-range.out",
    "from-range.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        auto_commit_interval_ms = 1_000,
        partition_assignment_strategy = "range"
    )
);
setting!(
    from_848,
    "from-848",
    "from-848.out",
    "from-848.dead",
    consumes(
        auto_offset_reset = "earliest",
        auto_commit_interval_ms = 1_000,
        group_protocol = "consumer"
    )
);
setting!(
    refused,
    "refused",
    "refused.out",
    "refused.dead",
    consumes(auto_offset_reset = "earliest")
);
setting!(
    rests,
    "rests",
    "rests.out",
    "rests.dead",
    consumes(session_timeout_ms = 6_000, max_poll_interval_ms = 6_000)
);
setting!(
    transacted,
    "transacted",
    "transacted.out",
    "transacted.dead",
    consumes(
        auto_offset_reset = "earliest",
        auto_commit_interval_ms = 500
    )
);
setting!(
    resumed,
    "resumed",
    "resumed.out",
    "resumed.dead",
    consumes(
        auto_offset_reset = "earliest",
        attempts = 2,
        auto_commit_interval_ms = 500
    )
);
setting!(
    resumed_key,
    "resumed-key",
    "resumed-key.out",
    "resumed-key.dead",
    consumes(
        auto_offset_reset = "earliest",
        attempts = 2,
        order = "key",
        auto_commit_interval_ms = 500
    )
);
setting!(
    seek_key,
    "seek-key",
    "seek-key.out",
    "seek-key.dead",
    consumes(
        auto_offset_reset = "earliest",
        session_timeout_ms = 6_000,
        order = "key",
        auto_commit_interval_ms = 1_000
    )
);
