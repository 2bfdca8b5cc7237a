//! The settings of consumers and producers.
//!
//! One struct each: the attributes assign its fields from the user's expressions, so that the
//! compiler checks every type where it was written. A field that is `None` was not set and has the
//! default named in its documentation. `_ms` settings are whole milliseconds, under the name the
//! Python clients use; our own durations are [`Duration`](std::time::Duration)s.

pub(crate) mod address;
mod background;
mod brokers;
mod connection;
mod consumer;
pub(crate) mod limits;
mod producer;
mod properties;
mod secret;
mod security;
mod table;
mod value;
mod values;

pub use background::BackgroundSettings;
pub use brokers::{Broker, Brokers, brokers};
pub use connection::Connection;
pub use consumer::ConsumerSettings;
pub use producer::ProducerSettings;
pub use properties::Properties;
pub use secret::Secret;
pub use security::{
    OauthToken, SaslMechanism, SecurityProtocol, Tls, TokenFuture, TokenProvider, Tokens,
};
pub use value::Text;
pub use values::{
    Acks, Attempts, CompressionType, Executor, GroupId, GroupProtocol, IsolationLevel, OffsetReset,
    OnFailure, OnTruncation, Order, PartitionFn, Partitioner, Restart,
};
