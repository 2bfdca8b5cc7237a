//! Everything that happens in the apps under test: calls, outputs, and the records of the topics.

pub(crate) mod calls;
pub(crate) mod journal;
pub(crate) mod watcher;
