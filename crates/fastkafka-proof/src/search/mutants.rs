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
    /// How many scopes were searched, the one that killed it included.
    pub scopes: usize,
    /// States visited in all of them.
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

/// Searches the scopes in their order for each mutant until it dies: breadth-first, so the trace
/// is a shortest one.
pub fn hunt<M: Mutable>(
    scopes: &[M],
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

fn one<M: Mutable>(scopes: &[M], mutant: M::Mutant, limits: &Limits) -> Fate<M::Mutant> {
    let mut fate = Fate {
        mutant,
        death: None,
        scopes: 0,
        states: 0,
        cut: 0,
    };
    for scope in scopes {
        let scope = scope.with(mutant);
        let found = breadth_first(&scope, limits);
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
            break;
        }
        fate.cut += usize::from(!found.complete);
    }
    fate
}
