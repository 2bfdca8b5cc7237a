//! Annotate plain functions and get a Kafka service that loses nothing.
#![forbid(unsafe_code)]

mod app;
mod builder;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "docs")]
mod docs;
mod error;
pub mod guide;
mod hooks;
mod overrides;
#[cfg(any(feature = "cli", feature = "axum"))]
mod signals;
mod topic;
#[cfg(feature = "axum")]
mod web;

pub use app::App;
pub use builder::AppBuilder;
#[cfg(feature = "docs")]
pub use docs::DocsError;
pub use error::RunError;
/// The AsyncAPI document of an app, apart from the app: to read, check and compare documents.
#[cfg(feature = "docs")]
pub use fastkafka_asyncapi as asyncapi;
#[cfg(feature = "avro")]
pub use fastkafka_core::avro;
pub use fastkafka_core::{
    Ack, Acks, AppInfo, Around, Attempts, BatchFailure, Broker, Brokers, Bytes, CallContext,
    CompressionType, ConsumerSettings, Contact, DecodeKey, DefaultApp, Delivery, EMBEDDED,
    EncodeKey, Entered, EventMetadata, Executor, Explained, Failure, FailureKind, FromContext,
    GroupProtocol, HandlerCall, HandlerFuture, Headers, IntoFailure, IntoKey, IsolationLevel,
    KafkaEvent, Key, License, OauthToken, OffsetReset, OnFailure, Order, PartitionFn, Partitioner,
    PerRecord, Plan, Problem, Problems, ProduceError, ProducerSettings, Properties, RawRecord,
    Rejection, Restart, Revoked, Row, SaslMechanism, Secret, SecurityProtocol, State, TaskReturn,
    TimestampType, Tls, TokenFuture, TokenProvider, Tokens, UnknownBroker, delivery_scope,
};
pub use fastkafka_macros::{benchmark, consumes, produces, run_in_background};
pub use fastkafka_runtime::{
    ControlError, GroupHealth, Handle, Health, Position, Seek, StoppedPartition, Target,
    TaskHealth, WaitingFor, WaitingRecord, spawn,
};
#[cfg(feature = "axum")]
pub use web::Lifespan;

/// The whole contract between the attributes' expansion and the library. Not for use by hand.
#[doc(hidden)]
pub use fastkafka_core::__private;
pub use topic::Topic;
