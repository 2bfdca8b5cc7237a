//! Random walks through worlds that are too large to be searched: each engine mutant of
//! `tools/mutants` dies on these same walks.

use crate::scopes;
use crate::search::{Limits, Model, parallel, shrink, trace, walk};

#[test]
fn every_invariant_holds_on_walks_through_wide_worlds() {
    let scopes = scopes::wide();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let walked = parallel::each(
        &scopes,
        cores,
        |_| 0,
        |scope| walk(scope, 0, scopes::WALKS, &Limits::default()),
    );
    for (scope, walked) in scopes.iter().zip(walked) {
        println!(
            "{}: {} steps, {:.1} s",
            scope.name(),
            walked.steps,
            walked.seconds
        );
        if let Some((violation, steps)) = &walked.failure {
            let short = shrink(scope, violation, steps);
            panic!("{violation}\n{}", trace::table(scope, &short));
        }
        assert_eq!(walked.walks, scopes::WALKS, "{} was cut", scope.name());
    }
}
