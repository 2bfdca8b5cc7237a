//! Mocks as the watcher meets them: whatever their types, they take runs and have complaints.

use fastkafka_core::{Hooks, Run, RunFuture};
use std::any::Any;
use std::sync::Arc;

/// A mock of any function.
pub(crate) trait Mock: Any + Send + Sync {
    /// Handles a run in the function's place.
    fn run<'r>(self: Arc<Self>, run: &'r Run<'r>, hooks: Hooks<'r>) -> RunFuture<'r>;

    /// The message that a call waits for the mock, because the test still holds its guard.
    fn blocked_call(&self) -> Option<String>;

    /// The expectations that are not met.
    fn verify(&self) -> Option<String>;
}

/// The beginning of every complaint of a mock.
pub(crate) const COMPLAINT: &str = "mock of `";

/// True for the text of a panic that says a call was not expected.
pub(crate) fn is_complaint(text: &str) -> bool {
    text.starts_with(COMPLAINT)
}
