//! One suite on every cluster that FastKafka's correctness is argued from.
//!
//! `cargo test -p conformance` runs it on the model (`fastkafka-sim`) and on librdkafka's mock cluster,
//! with `--features kafka` on Apache Kafka too. A cluster that cannot do something says so by name in its list; a case that holds
//! although it is listed is an error as well.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod cases;
mod cluster;
#[cfg(feature = "kafka")]
mod kafka;
mod mock;
mod scene;
mod sim;
mod wired;

use cases::Case;
use cluster::Cluster;
use conformance::Protocol;
use libtest_mimic::{Arguments, Failed, Trial};
use scene::Scene;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

/// How long a case waits for what must happen: several sessions of a member.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long for what cannot.
const IMPATIENCE: Duration = Duration::from_secs(8);

/// A cluster to run the suite on.
#[derive(Clone, Copy)]
struct Lane {
    name: &'static str,
    start: fn(String) -> Box<dyn Cluster>,
    /// What does not hold on it: the case, the protocol unless it is the same for all, and why.
    cannot: &'static [(&'static str, Option<Protocol>, &'static str)],
}

const SIM: Lane = Lane {
    name: "sim",
    start: |_| Box::new(sim::Sim::default()),
    cannot: &[(
        "a_key_chooses_its_partition_by_murmur2",
        None,
        "the model has no producer: who writes says where",
    )],
};

const MOCK: Lane = Lane {
    name: "mock",
    start: |prefix| Box::new(mock::start(prefix)),
    cannot: &[
        ("an_added_partition_is_given_to_somebody", None, NO_ADMIN),
        ("a_position_below_the_log_is_out_of_range", None, NO_ADMIN),
        ("deleted_records_move_the_start_of_the_log", None, NO_ADMIN),
        (
            "aborted_records_are_passed_over",
            None,
            "it knows nothing of aborts: their records are read",
        ),
        (
            "a_time_is_found_in_the_log",
            None,
            "it answers every time with the end of the log",
        ),
        (
            "a_commit_while_a_revoke_waits_is_taken",
            Some(Protocol::Eager),
            REBALANCING,
        ),
        (
            "a_commit_while_a_revoke_waits_is_taken",
            Some(Protocol::Cooperative),
            REBALANCING,
        ),
        (
            "what_is_stored_before_the_answer_is_where_the_next_owner_starts",
            Some(Protocol::Eager),
            REBALANCING,
        ),
    ],
};

const NO_ADMIN: &str = "it has no Admin API";
/// Kafka takes the commits of the old generation until everybody has joined again.
const REBALANCING: &str = "it refuses commits from the moment that a classic group rebalances";

#[cfg(feature = "kafka")]
const KAFKA: Lane = Lane {
    name: "kafka",
    start: |prefix| Box::new(kafka::start(prefix)),
    cannot: &[],
};

impl Lane {
    fn reason(&self, case: &str, protocol: Protocol) -> Option<&'static str> {
        let listed = self
            .cannot
            .iter()
            .find(|(name, of, _)| *name == case && of.is_none_or(|of| of == protocol));
        listed.map(|(_, _, reason)| *reason)
    }

    fn trials(self) -> Vec<Trial> {
        let all = cases::all();
        for (name, _, _) in self.cannot {
            let known = all.iter().any(|case| case.name == *name);
            assert!(known, "{} lists `{name}`, which is no case", self.name);
        }
        let trials = all.into_iter().flat_map(|case| {
            let protocols: &[_] = if case.group {
                &[Protocol::Eager, Protocol::Cooperative, Protocol::Consumer]
            } else {
                &[Protocol::Cooperative]
            };
            protocols.iter().map(move |p| self.trial(&case, *p))
        });
        trials.collect()
    }

    fn trial(self, case: &Case, protocol: Protocol) -> Trial {
        let name = if case.group {
            format!("{}::{protocol:?}::{}", self.name, case.name).replace("Consumer", "Kip848")
        } else {
            format!("{}::{}", self.name, case.name)
        };
        let prefix = name.replace("::", ".");
        let reason = self.reason(case.name, protocol);
        let run = case.run;
        let start = self.start;
        let kind = if reason.is_some() { "cannot" } else { "" };
        let trial = Trial::test(name, move || {
            let Some(reason) = reason else {
                let mut cluster = start(prefix);
                run(&mut Scene::new(&mut *cluster, protocol, PATIENCE));
                return Ok(());
            };
            EXPECTED.set(true);
            let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
                let mut cluster = start(prefix);
                run(&mut Scene::new(&mut *cluster, protocol, IMPATIENCE));
            }));
            EXPECTED.set(false);
            match outcome {
                Err(_) => Ok(()),
                Ok(()) => Err(Failed::from(format!("it holds, but is listed: {reason}"))),
            }
        });
        trial.with_kind(kind)
    }
}

thread_local! {
    /// This thread runs a case that is listed: its panic is no news.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

fn main() {
    let mut arguments = Arguments::from_args();
    // Most of its time is waiting for sessions, heartbeats and rebalances.
    arguments.test_threads.get_or_insert(12);
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !EXPECTED.get() {
            report(info);
        }
    }));
    let mut trials = Vec::new();
    trials.extend(SIM.trials());
    trials.extend(MOCK.trials());
    #[cfg(feature = "kafka")]
    trials.extend(KAFKA.trials());
    libtest_mimic::run(&arguments, trials).exit();
}
