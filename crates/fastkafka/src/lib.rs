//! Annotate plain functions and get a Kafka service that loses nothing.
#![forbid(unsafe_code)]

mod app;
mod broker;
mod builder;
#[cfg(feature = "cli")]
pub mod cli;
mod error;
pub mod guide;
mod hooks;

pub use app::{App, EMBEDDED};
pub use broker::{Broker, Topic, UnknownBroker};
pub use builder::AppBuilder;
pub use error::RunError;
pub use fastkafka_core::{
    Ack, AppInfo, Around, Attempts, BatchFailure, Bytes, Contact, Cx, DecodeKey, DefaultApp,
    Delivery, EncodeKey, Entered, EventMetadata, Executor, Failure, FailureKind, FromCx,
    GroupProtocol, HandlerCall, HandlerFuture, Headers, IntoFailure, IntoKey, KafkaEvent, Key,
    License, OffsetReset, OnFailure, Order, PerRecord, Plan, Problem, Problems, ProduceError,
    RawRecord, Rejection, Revoked, State, TimestampType, delivery_scope,
};
pub use fastkafka_macros::{consumes, produces};
pub use fastkafka_runtime::{
    ControlError, GroupHealth, Handle, Health, Position, Seek, StoppedPartition, Target,
    TaskReturn, WaitingFor, WaitingRecord, spawn,
};

/// The whole contract between the attributes' expansion and the library. Not for use by hand.
#[doc(hidden)]
pub use fastkafka_core::__private;
