//! A world with faults, and with nothing else that differs.

use crate::world::{Fault, Scope};

/// The orders.
pub(super) const ORDERS: [&str; 3] = ["partition", "key", "unordered"];

pub(super) fn scope(order: &'static str, logs: [&str; 2], faults: &[Fault]) -> Scope {
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
