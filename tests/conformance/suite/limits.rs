//! What does not hold on a cluster, by name and with the reason.

use conformance::Protocol::{self, Consumer, Cooperative, Eager};

/// Whether a case that is listed may hold all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// If it does, the entry is out of date, and an error.
    Never,
    /// It is a matter of moments.
    Sometimes,
}

/// A case that does not hold.
#[derive(Debug)]
pub(crate) struct Limit {
    pub(crate) case: &'static str,
    pub(crate) protocols: &'static [Protocol],
    pub(crate) holds: Holds,
    pub(crate) why: &'static str,
}

const ALL: &[Protocol] = &[Eager, Cooperative, Consumer];
const CLASSIC: &[Protocol] = &[Eager, Cooperative];

const fn never(case: &'static str, why: &'static str) -> Limit {
    Limit {
        case,
        protocols: ALL,
        holds: Holds::Never,
        why,
    }
}

const fn rebalancing(case: &'static str) -> Limit {
    Limit {
        case,
        protocols: CLASSIC,
        holds: Holds::Sometimes,
        why: "between the first join and the last sync of a rebalance it refuses commits, \
              where Kafka takes them until everybody has joined",
    }
}

pub(crate) const SIM: &[Limit] = &[never(
    "a_key_chooses_its_partition_by_murmur2",
    "the model has no producer: who writes says where",
)];

pub(crate) const MOCK: &[Limit] = &[
    never("an_added_partition_is_given_to_somebody", NO_ADMIN),
    never("a_position_below_the_log_is_out_of_range", NO_ADMIN),
    never("deleted_records_move_the_start_of_the_log", NO_ADMIN),
    never(
        "aborted_records_are_passed_over",
        "it knows nothing of aborts: their records are read",
    ),
    never(
        "a_time_is_found_in_the_log",
        "it answers every time with the end of the log",
    ),
    rebalancing("a_commit_while_a_revoke_waits_is_taken"),
    rebalancing("what_is_stored_before_the_answer_is_where_the_next_owner_starts"),
    Limit {
        case: "only_what_moves_is_given_back",
        protocols: &[Eager],
        holds: Holds::Sometimes,
        why: "between the last join and the last sync it answers a heartbeat with a rebalance in \
              progress: a member joins again, and gives everything back once more",
    },
];

const NO_ADMIN: &str = "it has no Admin API";

#[cfg(feature = "kafka")]
pub(crate) const KAFKA: &[Limit] = &[];
