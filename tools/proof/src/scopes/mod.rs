//! The scopes: worlds small enough to be searched to the end. Fault kinds are never dropped to
//! fit, records are.

mod plain;
mod shapes;

use self::plain::{ORDERS, scope};
pub use self::shapes::shapes;
use crate::world::{Fault, RETRY, Scope};
use fastkafka_engine::{Failure, OnFailure, Order};
use fastkafka_sim::Protocol;

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
        // A control record behind the others.
        (s.tells_end, s.ends) = (true, [5, 5]);
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
