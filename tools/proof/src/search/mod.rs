//! Search over a [`Model`]: the half that knows nothing of Kafka.
//!
//! - [`model`]: what is searched.
//! - [`exhaustive`]: every state of it.
//! - [`walks`]: random walks; [`shrink`](mod@shrink) makes what they find readable.
//! - [`trace`]: a run as a table, and back.
//! - [`coverage`]: what has been reached.
//! - [`parallel`]: lists of scopes on all cores.
//! - [`mutants`]: the search put to the test.
//! - [`report`]: what is printed of lists.

pub mod coverage;
pub mod exhaustive;
pub mod model;
pub mod mutants;
pub mod parallel;
mod prints;
pub mod report;
pub mod shrink;
#[cfg(test)]
mod tests;
pub mod trace;
pub mod walks;

pub use coverage::Coverage;
pub use exhaustive::{Found, breadth_first, depth_first};
pub use model::{Model, Mutable, Seen, Violation, fingerprint};
pub use shrink::shrink;
pub use walks::{Walked, walk};

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// The limits at which a search gives up. A scope that was cut is not shown: it counts as a failure.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For one scope.
    pub time: Duration,
    /// States that differ.
    pub states: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(600),
            states: 20_000_000,
        }
    }
}

/// [`Model::apply`], where a panic is a violation as well: it has a trace like any other.
fn take<M: Model>(
    model: &M,
    state: &mut M::State,
    action: M::Action,
    seen: &mut Seen<'_>,
) -> Result<(), Violation> {
    // The state is not used again but to be printed.
    let applied = catch_unwind(AssertUnwindSafe(|| model.apply(state, action, seen)));
    applied.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Violation::new("panic", text.unwrap_or("without a text")))
    })
}
