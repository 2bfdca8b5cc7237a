//! Everything that happens in the apps under test: calls, outputs, and the records of the topics.

pub(crate) mod calls;
pub(crate) mod in_hand;
pub(crate) mod interceptor;
pub(crate) mod journal;
pub(crate) mod mock;
pub(crate) mod transcript;
pub(crate) mod watcher;
