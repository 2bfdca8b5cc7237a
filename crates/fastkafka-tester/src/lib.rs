//! Runs a FastKafka app in a unit test: the production runtime on a cluster in memory.
#![forbid(unsafe_code)]

mod broker;
mod calls;
mod codec;
mod function;
mod journal;
mod kind;
mod mirror;
mod mock;
mod observed;
mod received;
mod report;
mod spy;
mod tester;
mod watcher;

pub use calls::CallOutcome;
pub use codec::{Reads, Writes};
pub use function::Function;
pub use journal::TopicRecord;
pub use kind::{Kind, Mocked};
pub use mirror::{Bare, Body, Many, Mirror, One, Sending};
pub use mock::{MockGuard, MockHandler};
pub use observed::{Awaited, Observed, Source, Typed};
pub use received::{Arrivals, Received};
pub use spy::{Call, HandlerCalls, Output, ProducerCalls, ProducerSpy, Spy};
pub use tester::Tester;
