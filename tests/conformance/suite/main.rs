//! One suite on every cluster that FastKafka's correctness is argued from.
//!
//! `cargo test -p conformance` runs it on the model (`fastkafka-sim`) and on librdkafka's mock cluster,
//! with `--features kafka` on Apache Kafka too. A cluster that cannot do something says so by name in its list; a case that holds
//! although it is listed is an error as well.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod cases;
mod cluster;
#[cfg(feature = "kafka")]
mod differential;
mod fixture;
#[cfg(feature = "kafka")]
mod kafka;
mod limits;
mod mock;
mod sim;
mod wired;

use cases::Case;
use cluster::Cluster;
use conformance::Protocol;
use fixture::MembersFixture;
use libtest_mimic::{Arguments, Failed, Trial};
use limits::{Holds, Limit};
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
    limits: &'static [Limit],
}

const LANES: &[Lane] = &[
    Lane {
        name: "sim",
        start: |_| Box::new(sim::Sim::default()),
        limits: limits::SIM,
    },
    Lane {
        name: "mock",
        start: |prefix| Box::new(mock::start(prefix)),
        limits: limits::MOCK,
    },
    #[cfg(feature = "kafka")]
    Lane {
        name: "kafka",
        start: |prefix| Box::new(kafka::start(prefix)),
        limits: limits::KAFKA,
    },
];

impl Lane {
    fn trials(self) -> Vec<Trial> {
        let all = cases::all();
        for limit in self.limits {
            let known = all.iter().any(|case| case.name == limit.case);
            assert!(known, "{}: `{}` is no case", self.name, limit.case);
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
            format!("{}::{protocol:?}::{}", self.name, case.name)
        } else {
            format!("{}::{}", self.name, case.name)
        };
        let run = case.run;
        let prefix = name.replace("::", ".");
        let go = move |patience| {
            let mut cluster = (self.start)(prefix);
            run(&mut MembersFixture::new(&mut *cluster, protocol, patience));
        };
        let mut limits = self.limits.iter();
        let limit = limits
            .find(|l| l.case == case.name && (!case.group || l.protocols.contains(&protocol)));
        let Some(limit) = limit else {
            return Trial::test(name, move || {
                go(PATIENCE);
                Ok(())
            });
        };
        let kind = match limit.holds {
            Holds::Never => "cannot",
            Holds::Sometimes => "may not",
        };
        let trial = Trial::test(name, move || {
            EXPECTED.set(true);
            let outcome = panic::catch_unwind(AssertUnwindSafe(|| go(IMPATIENCE)));
            EXPECTED.set(false);
            match (outcome, limit.holds) {
                (Ok(()), Holds::Never) => Err(Failed::from(format!(
                    "it holds, but is listed: {}",
                    limit.why
                ))),
                _ => Ok(()),
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
    arguments.test_threads.get_or_insert(24);
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !EXPECTED.get() {
            report(info);
        }
    }));
    let trials = LANES.iter().flat_map(|lane| lane.trials());
    #[cfg(feature = "kafka")]
    let trials = trials.chain(differential::trials());
    libtest_mimic::run(&arguments, trials.collect()).exit();
}
