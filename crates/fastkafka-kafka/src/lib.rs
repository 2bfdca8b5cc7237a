//! Kafka as what an app runs on: the only crate that wraps rdkafka.
//!
//! Here live the consumer of a group, the producers, topics, the embedded broker, and the words that
//! librdkafka uses for settings and errors. Nothing here knows handlers or the engine: what a record
//! means, when its offset may be stored and what follows a failure is decided by the runtime, which
//! sees this crate through [`Platform`](fastkafka_runtime::platform::Platform),
//! [`GroupConsumer`](fastkafka_runtime::platform::GroupConsumer) and
//! [`RecordSink`](fastkafka_core::RecordSink). Unsafe code is in `ffi` alone.
#![deny(unsafe_code)]

mod access;
mod addresses;
mod anew;
mod client_context;
mod clusters;
mod config;
mod consumer;
mod descriptors;
mod embedded;
mod error;
#[allow(unsafe_code)]
mod ffi;
mod inspect;
mod known_ends;
mod lag;
mod lock;
mod names;
mod offsets;
mod options;
mod own_thread;
mod platform;
mod prepare;
mod producer;
#[cfg(test)]
mod tests;
mod tokens;
mod topics;

pub use config::check::check;
#[cfg(feature = "proof")]
#[doc(hidden)]
pub use consumer::proof;
#[doc(hidden)]
pub use descriptors::room_for_sockets;
pub use embedded::Embedded;
#[cfg(unix)]
pub use ffi::hangup_ends_the_process;
pub use inspect::{GroupOffsets, Inspector, LogReader, LogRecord};
pub use lag::{PartitionLag, lag};
pub use names::TopicNames;
pub use options::KafkaOptions;
pub use platform::{Kafka, producer_on};
pub use prepare::create_topics;
#[doc(hidden)]
pub use producer::condition;
pub use topics::TopicSpec;
