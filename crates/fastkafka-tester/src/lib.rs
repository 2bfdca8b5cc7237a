//! Runs a FastKafka app in a unit test: the production runtime on a cluster in memory.
#![forbid(unsafe_code)]

mod journal;

pub use journal::TopicRecord;
