//! The scopes of the shell: every pair of faults, where the world is small.

use super::scope::{Fault, Scope};

/// Every pair of faults, in a cooperative group; those that the protocol matters to in an eager one, too. And a
/// partition that begins late, beside one that is moved afterwards.
#[must_use]
pub fn pairs() -> Vec<Scope> {
    let mut list = Vec::new();
    for (at, &a) in Fault::ALL.iter().enumerate() {
        for &b in &Fault::ALL[at..] {
            list.push(pair(true, a, b));
            let moves = [Fault::Rebalance, Fault::Kick, Fault::Alone, Fault::Seek];
            if moves.contains(&a) || moves.contains(&b) {
                list.push(pair(false, a, b));
            }
        }
    }
    for cooperative in [true, false] {
        let late = [Fault::Leaderless, Fault::Slow, Fault::Seek];
        list.push(Scope::new(cooperative, [1, 1], &late));
    }
    for fault in [Fault::Rebalance, Fault::Kick] {
        for other in [Fault::Seek, Fault::Pause] {
            for cooperative in [true, false] {
                let scope = Scope::new(cooperative, [2, 1], &[fault, other]);
                list.push(scope.within_calls());
            }
        }
    }
    list
}

fn pair(cooperative: bool, a: Fault, b: Fault) -> Scope {
    Scope::new(cooperative, [2, 1], &[a, b])
}

/// A corner that is searched in a moment.
#[must_use]
pub fn small() -> Vec<Scope> {
    let single = |fault| Scope::new(true, [1, 1], &[fault]);
    Fault::ALL.into_iter().map(single).collect()
}
