//! A kill counts only where the same scope holds with nothing planted.

use crate::scopes;
use crate::search::{Limits, breadth_first};

#[test]
fn what_mutants_are_hunted_in_holds_without_one() {
    // The command searches them to their ends; here a cut is not a failure.
    let limits = Limits {
        states: 300,
        ..Limits::default()
    };
    for mut scope in scopes::mutants() {
        scope.short_stale = false;
        let found = breadth_first(&scope, &limits);
        let failure = found.failure.map(|(violation, _)| violation);
        assert_eq!(failure, None, "{}", scope.name);
    }
}
