//! Explorations of apps that make a mistake, and of apps that do not.

mod kinds;
mod mistakes;
mod overlaps;
mod unrepeatable;

use crate::Explored;
use fastkafka_core::panic_text;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

/// Stands for a table: it is there after a crash.
#[derive(Clone, Debug)]
struct Table<T>(Arc<Mutex<Vec<T>>>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone + PartialEq> Table<T> {
    /// As before the first run.
    fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    fn add(&self, row: T) {
        self.0.lock().unwrap().push(row);
    }

    fn rows(&self) -> Vec<T> {
        self.0.lock().unwrap().clone()
    }

    /// False if it is there.
    fn add_once(&self, row: T) -> bool {
        let mut rows = self.0.lock().unwrap();
        let is_new = !rows.contains(&row);
        if is_new {
            rows.push(row);
        }
        is_new
    }
}

/// The text of an exploration that fails.
fn failure<R>(exploration: impl FnOnce() -> R) -> String {
    let panic = catch_unwind(AssertUnwindSafe(exploration)).err();
    panic_text(&*panic.expect("it must fail")).to_owned()
}

/// The schedule that a failure names.
fn schedule(failure: &str) -> String {
    let (_, rest) = failure.rsplit_once("FASTKAFKA_SCHEDULE=").unwrap();
    rest.split(' ').next().unwrap().to_owned()
}

/// Sets how many deviations a run has; two unless it says otherwise.
const VARIABLE: &str = "FASTKAFKA_TESTER_DEVIATIONS";

fn deviations() -> usize {
    std::env::var(VARIABLE).map_or(2, |text| text.parse().unwrap())
}

/// A run for each thing that may happen at a step.
fn is_whole(explored: Explored) {
    assert!(explored.is_complete());
    assert!(explored.runs() > explored.steps(), "{explored}");
}
