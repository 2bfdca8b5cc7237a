//! The scopes of the shell: every pair of faults, where the world is small.

use super::scope::{Fault, Scope};

/// Every pair of faults, in a cooperative group; those that the protocol matters to in an eager one, too.
#[must_use]
pub fn pairs() -> Vec<Scope> {
    let mut list = Vec::new();
    for (at, &a) in Fault::ALL.iter().enumerate() {
        for &b in &Fault::ALL[at..] {
            list.push(pair(true, a, b));
            let moves = [Fault::Rebalance, Fault::Kick, Fault::Seek];
            if moves.contains(&a) || moves.contains(&b) {
                list.push(pair(false, a, b));
            }
        }
    }
    for fault in [Fault::Rebalance, Fault::Kick] {
        for other in [Fault::Seek, Fault::Pause] {
            for cooperative in [true, false] {
                let scope = Scope::new(cooperative, [2, 1], &[fault, other]);
                list.push(known(scope.within_calls(), &[fault, other]));
            }
        }
    }
    list
}

fn pair(cooperative: bool, a: Fault, b: Fault) -> Scope {
    known(Scope::new(cooperative, [2, 1], &[a, b]), &[a, b])
}

/// What today's code, or the model of its client, gets wrong, until it is mended.
fn known(mut scope: Scope, faults: &[Fault]) -> Scope {
    let has = |fault| faults.contains(&fault);
    let cases = [
        (
            Fault::Leaderless,
            "H1",
            "a partition whose leader goes away once its start is known is not named",
        ),
        (
            Fault::Unreadable,
            "H1",
            "a gap of the model: its client tells a batch that cannot be read as another error",
        ),
    ];
    for (fault, invariant, what) in cases {
        if has(fault) {
            scope = scope.known(invariant, what);
        }
    }
    let moves = [Fault::Rebalance, Fault::Kick, Fault::Seek];
    if has(Fault::Hang) && moves.into_iter().any(has) {
        scope = scope.known(
            "H1",
            "a call of a former assignment, or from before a seek, that never returns is not named",
        );
    }
    if has(Fault::Kick) && has(Fault::Shutdown) {
        // A gap of the model, not of the code: nothing of an assignment that is declined is handled.
        scope = scope.known(
            "S4",
            "what was handled before the loss counts for the assignment that is declined",
        );
    }
    scope
}

/// A corner that is searched in a moment.
#[must_use]
pub fn small() -> Vec<Scope> {
    let single = |fault| known(Scope::new(true, [1, 1], &[fault]), &[fault]);
    Fault::ALL.into_iter().map(single).collect()
}
