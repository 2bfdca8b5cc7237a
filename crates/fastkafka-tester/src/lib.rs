//! Runs a FastKafka app in a unit test: the production runtime on a cluster in memory.
#![forbid(unsafe_code)]

mod broker;
mod builder;
mod calls;
mod chaos;
mod clock;
mod cluster;
mod codec;
mod function;
mod journal;
mod kind;
mod medium;
mod member;
mod members;
mod mirror;
mod mock;
mod observed;
mod outputs;
mod received;
mod remote;
mod report;
mod settle;
mod spy;
mod stored;
mod tester;
#[cfg(test)]
mod tests;
mod verdict;
mod watcher;

pub use broker::ProduceFault;
pub use builder::TesterBuilder;
pub use calls::CallOutcome;
pub use chaos::Chaos;
pub use codec::{Reads, Writes};
pub use function::Function;
pub use journal::TopicRecord;
pub use kind::{Kind, Mocked};
pub use mirror::{Delivered, Mirror, Sending};
pub use mock::{MockGuard, MockHandler};
pub use observed::{Awaited, Comparable, Observed, Source, Typed};
pub use received::{Arrivals, Received};
pub use settle::Unsettled;
pub use spy::{Call, HandlerCalls, Output, ProducerCalls, ProducerSpy, Spy};
pub use tester::{IntoApps, Tester};
