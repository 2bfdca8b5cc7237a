//! What a stop finds.

use crate::lock::lock;
use std::sync::Mutex;

/// What a stop has found, each thing once. It is kept apart from the future of the stop: that may be dropped and
/// begun again, and most of it can be found only once.
#[derive(Debug, Default)]
pub(super) struct Found(Mutex<Vec<String>>);

impl Found {
    pub(super) fn push(&self, problem: String) {
        self.extend([problem]);
    }

    pub(super) fn extend(&self, problems: impl IntoIterator<Item = String>) {
        let mut found = lock(&self.0);
        for problem in problems {
            if !found.contains(&problem) {
                found.push(problem);
            }
        }
    }

    pub(super) fn result(&self) -> Result<(), String> {
        match &**lock(&self.0) {
            [] => Ok(()),
            found => Err(found.join("; ")),
        }
    }
}
