//! The search put to the test: what is broken on purpose has to be found.

use super::exhaustive::breadth_first;
use super::model::{Mutable, Violation};
use super::{Limits, parallel, trace};

/// How one mutant fared.
#[derive(Clone, Debug)]
pub struct Fate<U> {
    /// What was broken.
    pub mutant: U,
    /// How it died; `None` if it survived every scope.
    pub death: Option<Death>,
    /// How many scopes were searched in the round that ended it: the first rounds visit few states
    /// of every scope, the next ones more of those that were not exhausted.
    pub scopes: usize,
    /// States visited in all rounds.
    pub states: usize,
    /// Scopes that were cut before they ended.
    pub cut: usize,
}

/// How a mutant died.
#[derive(Clone, Debug)]
pub struct Death {
    /// The scope that killed it.
    pub scope: String,
    /// What it violated.
    pub violation: Violation,
    /// How many choices the shortest way there has, in that scope.
    pub steps: usize,
    /// States visited in that scope.
    pub states: usize,
    /// The counterexample.
    pub table: String,
}

/// Searches the scopes for each mutant until it dies: breadth-first, so the trace is a shortest
/// one in its scope.
pub fn hunt<M: Mutable>(
    scopes: &[&M],
    mutants: &[M::Mutant],
    threads: usize,
    limits: &Limits,
) -> Vec<Fate<M::Mutant>> {
    parallel::each(
        mutants,
        threads,
        |_| 0,
        |&mutant| one(scopes, mutant, limits),
    )
}

fn one<M: Mutable>(scopes: &[&M], mutant: M::Mutant, limits: &Limits) -> Fate<M::Mutant> {
    let mut fate = Fate {
        mutant,
        death: None,
        scopes: 0,
        states: 0,
        cut: 0,
    };
    // Every scope a little before any of them much: most mutants die close to the start.
    let mut open: Vec<&M> = scopes.to_vec();
    for states in WIDTHS.into_iter().chain([limits.states]) {
        let limits = Limits {
            states: states.min(limits.states),
            ..*limits
        };
        if open.is_empty() {
            break;
        }
        fate.scopes = 0;
        let mut cut = Vec::new();
        for plain in open {
            let scope = plain.with(mutant);
            let found = breadth_first(&scope, &limits);
            fate.scopes += 1;
            fate.states += found.states;
            if let Some((violation, steps)) = found.failure {
                fate.death = Some(Death {
                    scope: scope.name().to_owned(),
                    violation,
                    steps: steps.len(),
                    states: found.states,
                    table: trace::table(&scope, &steps),
                });
                return fate;
            }
            if !found.complete {
                cut.push(plain);
            }
        }
        open = cut;
    }
    fate.cut = open.len();
    fate
}

/// How many states of each scope are visited at first, and then.
const WIDTHS: [usize; 3] = [2_000, 20_000, 200_000];
