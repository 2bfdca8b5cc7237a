//! What happens to a record: a pure state machine between the fetch and the commit.
//!
//! No clock, no thread, no I/O, no randomness: [`Engine::step`] takes an [`Event`] and appends
//! [`Effect`]s. It sees where a record stands (partition, offset, size), never what it carries.
#![forbid(unsafe_code)]

mod event;

pub use event::{Broken, Disposal, Effect, Event, Failure, HoldBack, Part, RunId, Span, Time};
