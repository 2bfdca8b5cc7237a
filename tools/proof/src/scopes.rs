//! The scopes: worlds small enough to be searched to the end. Fault kinds are never dropped to
//! fit, records are.

use crate::world::{Fault, RETRY, Scope};
use fastkafka_engine::{Failure, OnFailure, Order};
use fastkafka_sim::Protocol;

const ORDERS: [&str; 3] = ["partition", "key", "unordered"];

/// The faults that are combined with each other.
const FAULTS: [Fault; 8] = [
    Fault::Crash,
    Fault::Rebalance,
    Fault::Kick,
    Fault::Handler,
    Fault::Output,
    Fault::Letter,
    Fault::Commit,
    Fault::Shutdown,
];

fn scope(order: &'static str, logs: [&str; 2], faults: &[Fault]) -> Scope {
    let mut scope = Scope::new(order, logs);
    for fault in faults {
        scope.budget.add(*fault);
    }
    // Room for a fault to happen at all.
    if faults.contains(&Fault::Letter) {
        scope.policy.attempts = Some(1);
        if !faults.contains(&Fault::Handler) {
            scope.budget.add(Fault::Handler);
        }
    }
    let gives_back = [Fault::Rebalance, Fault::Shutdown];
    if faults.contains(&Fault::Commit) && !gives_back.iter().any(|f| faults.contains(f)) {
        scope.budget.add(Fault::Rebalance);
    }
    scope
}

fn named(mut scope: Scope, logs: [&str; 2], faults: &[Fault]) -> Scope {
    let of = |log: &str| log.matches(|c| c != '-').count();
    let faults: Vec<_> = faults
        .iter()
        .map(|fault| format!("{fault:?}").to_lowercase())
        .collect();
    let records = match logs {
        [one, ""] => format!("1p {}r", of(one)),
        [one, two] => format!("2p {}+{}r", of(one), of(two)),
    };
    let order = ORDERS[scope.order()];
    scope.name = format!("{records} {order} {}", faults.join("+"));
    scope
}

fn combined(logs: [&str; 2], sizes: usize) -> Vec<Scope> {
    let mut list = Vec::new();
    for order in ORDERS {
        for (i, &a) in FAULTS.iter().enumerate() {
            for (j, &b) in FAULTS.iter().enumerate().skip(i) {
                let mut add =
                    |faults: &[Fault]| list.push(named(scope(order, logs, faults), logs, faults));
                if sizes == 2 {
                    add(&[a, b]);
                } else {
                    FAULTS[j..].iter().for_each(|&c| add(&[a, b, c]));
                }
            }
        }
    }
    list
}

/// Every pair of faults, and each fault twice, in every order: one partition of two records, two
/// of one each, one of three.
pub fn pairs() -> Vec<Scope> {
    let logs = [["00", ""], ["0", "0"], ["010", ""]];
    let all = logs.into_iter().flat_map(|logs| combined(logs, 2));
    // A kick and a lost commit are three faults, with the rebalance that sends it: too many for
    // three records, and searched on fewer above.
    let fits =
        |scope: &Scope| !(scope.name.starts_with("1p 3r") && scope.name.ends_with("kick+commit"));
    all.filter(fits).collect()
}

/// Every three faults.
pub fn triples() -> Vec<Scope> {
    combined(["00", ""], 3)
}

/// Every pair of faults on four records.
pub fn four() -> Vec<Scope> {
    combined(["0101", ""], 2)
}

/// Differences that are no faults: other protocols, policies, logs and bounds.
pub fn shapes() -> Vec<Scope> {
    ORDERS.into_iter().flat_map(of_order).collect()
}

fn of_order(order: &'static str) -> Vec<Scope> {
    use Fault::*;
    let mut list = Vec::new();
    let mut add = |what: &str, logs, faults: &[Fault], change: &dyn Fn(&mut Scope)| {
        let mut scope = scope(order, logs, faults);
        change(&mut scope);
        scope.name = format!("{what}, {order}");
        list.push(scope);
    };
    add(
        "eager, two rebalances",
        ["01", ""],
        &[Rebalance, Rebalance],
        &|s| s.protocol = Protocol::Eager,
    );
    add(
        "eager, rebalance and crash",
        ["01", ""],
        &[Rebalance, Crash],
        &|s| s.protocol = Protocol::Eager,
    );
    add(
        "consumer protocol, rebalance and crash",
        ["01", ""],
        &[Rebalance, Crash],
        &|s| {
            s.protocol = Protocol::Consumer;
        },
    );
    add(
        "consumer protocol, kick and rebalance",
        ["0", ""],
        &[Rebalance, Kick],
        &|s| {
            s.protocol = Protocol::Consumer;
        },
    );
    add(
        "poison to the dead letters",
        ["010", ""],
        &[Rebalance],
        &|s| s.poison = [2, 0],
    );
    add("poison stops", ["01", "0"], &[Rebalance], &|s| {
        s.poison = [1, 0];
        s.policy.on_failure = OnFailure::Stop;
    });
    add("poison exits", ["01", "0"], &[Crash], &|s| {
        s.poison = [1, 0];
        s.policy.on_failure = OnFailure::Exit;
    });
    add(
        "poison is skipped",
        ["010", ""],
        &[Rebalance, Crash],
        &|s| {
            s.poison = [2, 0];
            s.policy.on_failure = OnFailure::Skip;
        },
    );
    add("a poison output", ["00", ""], &[Rebalance, Crash], &|s| {
        s.unsendable = [2, 0];
    });
    add(
        "a poison output is skipped",
        ["00", ""],
        &[Handler, Kick],
        &|s| {
            s.unsendable = [1, 0];
            s.policy.on_failure = OnFailure::Skip;
        },
    );
    add(
        "rejected and transient",
        ["010", ""],
        &[Handler, Output],
        &|s| {
            s.failures = &[RETRY, Failure::Rejected, Failure::Transient { after: None }];
        },
    );
    add(
        "dead letters three times",
        ["010", ""],
        &[Handler, Output, Letter],
        &|_| {},
    );
    let tells_end = |s: &mut Scope| s.tells_end = true;
    add(
        "control records",
        ["0-", "-"],
        &[Rebalance, Crash],
        &tells_end,
    );
    add(
        "control records only",
        ["-", ""],
        &[Rebalance, Crash],
        &tells_end,
    );
    add(
        "control records, a record later",
        ["0-0-", ""],
        &[Handler, Output],
        &|s| {
            s.tells_end = true;
            s.early = [1, 0];
        },
    );
    add(
        "control records and users",
        ["0-0-", ""],
        &[User, Rebalance],
        &tells_end,
    );
    add(
        "control records, read again",
        ["0-0-", ""],
        &[Reread, Handler],
        &tells_end,
    );
    add(
        "control records, dead letters",
        ["0-0-", ""],
        &[Letter, Output],
        &tells_end,
    );
    add("gaps", ["-0-10", ""], &[Rebalance, Crash], &|_| {});
    add(
        "gaps, output and handler",
        ["0-0-1", ""],
        &[Output, Handler],
        &|_| {},
    );
    add("bounds", ["0101", ""], &[Handler], &|s| {
        s.limits.ahead = 1;
        s.limits.outstanding = 2;
    });
    add("one at a time", ["0", "01"], &[Handler, Rebalance], &|s| {
        s.limits.outstanding = 1;
        if let Order::Key { concurrency } = &mut s.policy.order {
            *concurrency = 1;
        }
    });
    add(
        "all stale results, two rebalances",
        ["00", ""],
        &[Rebalance, Rebalance, Handler],
        &|s| {
            s.short_stale = false;
        },
    );
    add(
        "all stale results, kick",
        ["00", ""],
        &[Rebalance, Output, Kick],
        &|s| s.short_stale = false,
    );
    if order != "key" {
        add(
            "batches",
            ["000", ""],
            &[Handler, Output, Rebalance],
            &|s| s.policy.batch = true,
        );
        add(
            "batches, all at once",
            ["00", ""],
            &[Handler, Handler, Letter, Crash],
            &|s| {
                s.policy.batch = true;
            },
        );
    }
    add(
        "one at a time, dead letters",
        ["01", ""],
        &[Handler, Letter],
        &|s| {
            if let Order::Key { concurrency } = &mut s.policy.order {
                *concurrency = 1;
            }
        },
    );
    add(
        "read again",
        ["01", ""],
        &[Reread, Handler, Output],
        &|_| {},
    );
    add(
        "read again, and a rebalance",
        ["00", ""],
        &[Reread, Rebalance, Letter],
        &|_| {},
    );
    add("no room", ["0", "0"], &[Room, Rebalance], &|_| {});
    add(
        "the clock jumps",
        ["01", ""],
        &[Jump, Handler, Rebalance],
        &|_| {},
    );
    add("out of range", ["010", ""], &[Retention, Crash], &|_| {});
    add("truncation", ["010", ""], &[Truncation, Crash], &|_| {});
    add("partition growth", ["0", "0"], &[Rebalance, Crash], &|s| {
        s.grows = true;
    });
    add(
        "partition growth, latest",
        ["01", "0"],
        &[Kick, Crash],
        &|s| {
            s.grows = true;
            s.latest = true;
            s.early = [1, 1];
        },
    );
    add("latest is pinned", ["010", ""], &[Crash, Kick], &|s| {
        s.latest = true;
        s.early = [1, 0];
    });
    add(
        "pause, seek and restart",
        ["01", ""],
        &[User, User, Handler],
        &|s| {
            s.policy.on_failure = OnFailure::Stop;
            s.policy.attempts = Some(1);
        },
    );
    add(
        "pause and seek, rebalance",
        ["01", ""],
        &[User, Rebalance, Output],
        &|_| {},
    );
    add(
        "seek, crash or lost commit",
        ["00", ""],
        &[User, Crash, Commit],
        &|_| {},
    );
    list
}

/// How many walks through each of [`wide`] the tests take.
pub const WALKS: u64 = 10_000;

/// Everything at once, for random walks.
pub fn wide() -> Vec<Scope> {
    ORDERS.into_iter().flat_map(wide_in).collect()
}

fn wide_in(order: &'static str) -> Vec<Scope> {
    use Fault::*;
    let mut list = Vec::new();
    let mut add = |what: &str, more: &[Fault], change: &dyn Fn(&mut Scope)| {
        let faults: Vec<Fault> = FAULTS.iter().chain(more).copied().collect();
        let mut scope = scope(order, ["0101", "0101"], &faults);
        scope.short_stale = false;
        change(&mut scope);
        scope.name = format!("{what}, {order}");
        list.push(scope);
    };
    add("everything", &[Rebalance, Handler], &|_| {});
    add(
        "everything, one at a time",
        &[Handler, Handler, Handler, Reread],
        &|s| {
            s.policy.attempts = Some(2);
            if let Order::Key { concurrency } = &mut s.policy.order {
                *concurrency = 1;
            }
        },
    );
    add("everything, and a user", &[User, User, User], &|s| {
        s.protocol = Protocol::Consumer;
        s.policy.on_failure = OnFailure::Stop;
    });
    add(
        "everything, in small bounds",
        &[Room, Jump, Handler],
        &|s| {
            s.protocol = Protocol::Eager;
            s.policy.on_failure = OnFailure::Skip;
            s.policy.batch = order != "key";
            s.failures = &[RETRY, Failure::Rejected, Failure::Transient { after: None }];
            s.limits.ahead = 1;
            s.limits.outstanding = 2;
            if let Order::Key { concurrency } = &mut s.policy.order {
                *concurrency = 1;
            }
        },
    );
    list
}

/// The scopes in which mutants are looked for: first the few that show more than a pair on one partition.
pub fn mutants() -> Vec<Scope> {
    let rare = |scope: &Scope| {
        let timer = scope.name.starts_with("2p") && scope.name.ends_with("rebalance+handler");
        timer || scope.name.starts_with("pause")
    };
    let all = pairs().into_iter().chain(shapes());
    let (mut first, rest): (Vec<_>, Vec<_>) = all.partition(rare);
    first.extend(rest);
    first
}
