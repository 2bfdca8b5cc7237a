//! Leaving out what a failure does not need.

use super::model::{Model, Seen, Violation};
use super::{Coverage, take};

/// A shorter trace that breaks the same invariant: halves are left out first, single choices last,
/// until every one is needed. What is not possible without what was left out is skipped.
pub fn shrink<M: Model>(model: &M, violation: &Violation, trace: &[M::Action]) -> Vec<M::Action> {
    let invariant = violation.invariant;
    let mut best = trace.to_vec();
    loop {
        let before = best.len();
        let mut size = (best.len() / 2).max(1);
        while size > 0 {
            let mut at = 0;
            while at < best.len() {
                let rest = best[..at].iter();
                let rest = rest.chain(best.iter().skip(at + size)).copied();
                match run(model, rest) {
                    (taken, Some(found))
                        if found.invariant == invariant && taken.len() < best.len() =>
                    {
                        best = taken;
                    }
                    _ => at += size,
                }
            }
            size /= 2;
        }
        if best.len() == before {
            return best;
        }
    }
}

/// Takes what is possible of `trace` up to the first violation.
fn run<M: Model>(
    model: &M,
    trace: impl Iterator<Item = M::Action>,
) -> (Vec<M::Action>, Option<Violation>) {
    let mut state = model.start();
    let (mut actions, mut taken) = (Vec::new(), Vec::new());
    let mut reached = Coverage::default();
    model.actions(&state, &mut actions);
    for action in trace {
        if !actions.contains(&action) {
            continue;
        }
        let mut seen = Seen {
            reached: &mut reached,
            effects: None,
        };
        taken.push(action);
        if let Err(violation) = take(model, &mut state, action, &mut seen) {
            return (taken, Some(violation));
        }
        actions.clear();
        model.actions(&state, &mut actions);
        if let Err(violation) = model.at_rest(&state, &actions) {
            return (taken, Some(violation));
        }
    }
    (taken, None)
}
