//! Everything that happens in the apps under test: calls, outputs, and the records of the topics.

pub(crate) mod calls;
mod interceptor;
pub(crate) mod journal;
pub(crate) mod mock;
pub(crate) mod watcher;
