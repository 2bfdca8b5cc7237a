//! The search put to the test: a bug that is planted on purpose has to be found, by the invariant
//! that forbids it.

use super::exhaustive::breadth_first;
use super::model::{Model, Mutable, Violation};
use super::{Limits, parallel, trace, walk};

/// How one mutant fared.
#[derive(Clone, Debug)]
pub struct Fate {
    /// The bug.
    pub mutant: String,
    /// The invariant that has to find it.
    pub by: String,
    /// The first violation found; `None` if it survived every scope.
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
    /// The violation.
    pub violation: Violation,
    /// How many choices the shortest way there has, in that scope.
    pub steps: usize,
    /// States visited in that scope.
    pub states: usize,
    /// The counterexample.
    pub table: String,
}

impl Fate {
    /// Whether it died by the invariant that had to find it.
    pub fn is_as_named(&self) -> bool {
        let death = self.death.as_ref();
        death.is_some_and(|death| death.violation.invariant == self.by)
    }
}

/// Searches the scopes for each mutant of the world until it dies: breadth-first, so the trace is a
/// shortest one in its scope.
pub fn hunt<M: Mutable>(
    scopes: &[&M],
    mutants: &[(M::Mutant, &'static str)],
    threads: usize,
    limits: &Limits,
) -> Vec<Fate> {
    parallel::each(
        mutants,
        threads,
        |_| 0,
        |&(mutant, by)| {
            let scopes = scopes.iter().map(|scope| scope.with(mutant)).collect();
            one(format!("{mutant:?}"), by, scopes, limits)
        },
    )
}

/// The same for a bug that is in the model already, because its source was changed.
pub fn hunt_planted<M: Mutable>(scopes: &[&M], by: &str, limits: &Limits) -> Fate {
    let scopes = scopes.iter().map(|scope| scope.unreduced()).collect();
    one("planted".into(), by, scopes, limits)
}

/// The walk that violated an invariant.
#[derive(Clone, Debug)]
pub struct Stumble {
    /// How many walks were taken, this one included.
    pub walks: u64,
    /// The scope of the walk.
    pub scope: String,
    /// The invariant that an earlier walk violated, if one did.
    pub before: Option<&'static str>,
}

/// Takes the walks 0 to `count` through each scope until one violates the invariant `by`.
pub fn walk_planted<M: Model>(
    scopes: &[M],
    by: &str,
    count: u64,
    limits: &Limits,
) -> Option<Stumble> {
    let (mut walks, mut before) = (0, None);
    for seed in 0..count {
        for scope in scopes {
            walks += 1;
            let Some((violation, _)) = walk(scope, seed, 1, limits).failure else {
                continue;
            };
            if violation.invariant == by {
                let scope = scope.name().to_owned();
                return Some(Stumble {
                    walks,
                    scope,
                    before,
                });
            }
            before.get_or_insert(violation.invariant);
        }
    }
    None
}

fn one<M: Model>(mutant: String, by: &str, scopes: Vec<M>, limits: &Limits) -> Fate {
    let mut fate = Fate {
        mutant,
        by: by.to_owned(),
        death: None,
        scopes: 0,
        states: 0,
        cut: 0,
    };
    // Every scope a little before any of them much: most mutants die close to the start.
    let mut open = scopes;
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
        for scope in open {
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
                cut.push(scope);
            }
        }
        open = cut;
    }
    fate.cut = open.len();
    fate
}

/// How many states of each scope are visited at first, and then.
const WIDTHS: [usize; 3] = [2_000, 20_000, 200_000];
