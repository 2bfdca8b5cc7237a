//! Mutants of a model whose answers are known.

use super::super::model::Mutable;
use super::super::{Limits, mutants, report};
use super::{Counters, limits};
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Broken {
    EndIsBad,
    Nothing,
}

impl Mutable for Counters {
    type Mutant = Broken;

    fn mutants() -> Vec<(Broken, &'static str)> {
        vec![(Broken::EndIsBad, "L1"), (Broken::Nothing, "L1")]
    }

    fn with(&self, mutant: Broken) -> Self {
        Self {
            bad_end: mutant == Broken::EndIsBad,
            ..self.unreduced()
        }
    }

    fn unreduced(&self) -> Self {
        self.clone()
    }
}

#[test]
fn a_mutant_dies_in_the_first_scope_that_shows_it_and_a_harmless_one_survives() {
    let scopes = [Counters::new(&[1, 1]), Counters::new(&[2, 2])];
    let fates = mutants::hunt(&scopes.each_ref(), &Counters::mutants(), 2, &limits());
    let death = fates[0].death.as_ref().expect("it dies");
    assert_eq!((death.steps, fates[0].scopes), (2, 1));
    assert!(fates[0].is_as_named());
    assert!(fates[1].death.is_none() && !fates[1].is_as_named());
    assert_eq!(
        (fates[1].scopes, fates[1].states, fates[1].cut),
        (2, 4 + 9, 0)
    );
    assert!(report::fates(&fates).contains("SURVIVES"));
}

#[test]
fn a_mutant_that_survives_only_because_of_a_limit_is_told_apart() {
    let few = Limits {
        states: 3,
        time: Duration::from_secs(60),
    };
    let fates = mutants::hunt(
        &[&Counters::new(&[5, 5])],
        &[(Broken::Nothing, "L1")],
        1,
        &few,
    );
    assert_eq!(fates[0].cut, 1);
}

#[test]
fn a_death_by_another_invariant_is_not_the_one_asked_for() {
    let scopes = [Counters::new(&[1, 1])];
    let fates = mutants::hunt(
        &scopes.each_ref(),
        &[(Broken::EndIsBad, "S1")],
        1,
        &limits(),
    );
    assert!(fates[0].death.is_some() && !fates[0].is_as_named());
    assert!(report::fates(&fates).contains("L1, NOT S1"));
}

#[test]
fn a_bug_in_the_source_is_found_by_search_and_walks_like_a_planted_one() {
    let mut scope = Counters::new(&[2, 2]);
    let healthy = scope.clone();
    scope.bad_end = true;
    let fate = mutants::hunt_planted(&[&scope], "L1", &limits());
    assert!(fate.is_as_named());
    assert!(
        !mutants::hunt_planted(&[&healthy], "L1", &limits()).is_as_named(),
        "nothing is planted there"
    );
    let scopes = [healthy, scope];
    let found = mutants::walk_planted(&scopes, "L1", 3, &limits()).expect("the first walk ends");
    assert_eq!((found.walks, found.before), (2, None));
    assert!(mutants::walk_planted(&scopes, "S1", 3, &limits()).is_none());
}
