//! A kill counts only where the same scope holds with nothing planted.

use crate::scopes;
use crate::search::{Limits, Mutable, breadth_first};

#[test]
fn what_mutants_are_hunted_in_holds_without_one() {
    // The command searches them to their ends; here a cut is not a failure.
    let limits = Limits {
        states: 300,
        ..Limits::default()
    };
    for scope in scopes::mutants() {
        let scope = scope.unreduced();
        let found = breadth_first(&scope, &limits);
        let failure = found.failure.map(|(violation, _)| violation);
        assert_eq!(failure, None, "{}", scope.name);
    }
}
