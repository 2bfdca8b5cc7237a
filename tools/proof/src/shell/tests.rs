//! The corner of the shell that is searched in a moment; the binary searches the rest.

use super::scopes;
use crate::search::{Limits, report};

#[test]
fn each_fault_alone_holds_on_one_record_of_each_partition() {
    let scopes = scopes::small();
    let scopes: Vec<_> = scopes.iter().collect();
    let searched = report::search("shell", &scopes, 2, &Limits::default(), |_| ());
    println!("{searched}");
    for (scope, row) in scopes.iter().zip(&searched.rows) {
        assert_eq!(scope.verdict(row), Ok(()), "{searched}");
    }
}
