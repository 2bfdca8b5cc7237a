//! The shapes: a scope for each way in which a world can differ from the plain one.

use super::plain::{ORDERS, scope};
use crate::world::{Fault, RETRY, Scope};
use fastkafka_engine::{Failure, OnFailure, Order};
use fastkafka_sim::Protocol;

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
        // Of a batch that has lost an output nobody knows whose it was.
        add(
            "batches, a poison output",
            ["010", ""],
            &[Rebalance, Crash],
            &|s| {
                s.policy.batch = true;
                s.unsendable = [2, 0];
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
