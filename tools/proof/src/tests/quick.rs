//! The corner of the proof that is searched in a moment; the binary searches the rest.

use crate::scopes;
use crate::search::{Limits, Model, Mutable, mutants, report};
use crate::world::Scope;
use std::collections::HashSet;

fn small() -> Vec<Scope> {
    // Where partitions move there are a hundred times as many states.
    let moves = ["rebalance", "kick", "commit"];
    let mut small = scopes::pairs();
    small.retain(|scope| {
        let name = scope.name();
        name.starts_with("1p 2r") && !moves.iter().any(|fault| name.contains(fault))
    });
    small
}

#[test]
fn pairs_of_faults_that_move_no_partition_hold_on_two_records() {
    let scopes = small();
    assert_eq!(scopes.len(), 3 * 15);
    let scopes: Vec<&Scope> = scopes.iter().collect();
    let searched = report::search("quick", &scopes, 2, &Limits::default(), |_| ());
    assert!(searched.passed(), "{searched}");
}

#[test]
fn bugs_of_the_world_die_there_by_their_invariants() {
    let scopes = small();
    let scopes: Vec<&Scope> = scopes.iter().collect();
    let mut planted = Scope::mutants();
    let wanted = [
        "PinNotCommitted",
        "ProducerDroppedWithoutFlush",
        "BatchCommittedAtShutdown",
    ];
    planted.retain(|(mutant, _)| wanted.contains(&format!("{mutant:?}").as_str()));
    assert_eq!(planted.len(), wanted.len());
    for fate in mutants::hunt(&scopes, &planted, 2, &Limits::default()) {
        assert!(fate.is_as_named(), "{fate:?}");
    }
}

#[test]
fn a_name_stands_for_one_scope() {
    let lists = [
        scopes::shapes(),
        scopes::pairs(),
        scopes::triples(),
        scopes::four(),
        scopes::wide(),
    ];
    let mut names = HashSet::new();
    for scope in lists.iter().flatten() {
        assert!(names.insert(scope.name().to_owned()), "{}", scope.name());
    }
}
