//! The settings of consumers and producers, as values.
//!
//! The keys of `#[consumes]` and `#[produces]` take most of them as words: `order = "key"`. You need the types
//! for defaults of a whole app
//! ([`consumer_defaults`](crate::app::AppBuilder::consumer_defaults),
//! [`producer_defaults`](crate::app::AppBuilder::producer_defaults)), for a setting that is computed, and for
//! those that hold a value, such as [`OffsetReset::Timestamp`]. The guide's chapter
//! [Settings](crate::guide::settings) has every key with its default.

#[doc(inline)]
pub use fastkafka_core::{
    Acks, Attempts, CompressionType, ConsumerSettings, Executor, GroupProtocol, IsolationLevel,
    OffsetReset, OnFailure, OnTruncation, Order, PartitionFn, Partitioner, ProducerSettings,
    Properties, Restart,
};
