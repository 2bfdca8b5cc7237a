//! Annotate plain functions and get a Kafka service that loses nothing.
#![forbid(unsafe_code)]

pub use fastkafka_core::{
    Ack, Around, Attempts, BatchFailure, Bytes, Contact, Cx, DecodeKey, DefaultApp, Delivery,
    EncodeKey, Entered, EventMetadata, Failure, FailureKind, FromCx, GroupProtocol, HandlerCall,
    HandlerFuture, Headers, IntoFailure, KafkaEvent, Key, License, OffsetReset, OnFailure,
    PerRecord, Problem, Problems, ProduceError, RawRecord, Rejection, Revoked, State,
    TimestampType, delivery_scope,
};

/// The whole contract between the attributes' expansion and the library. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use fastkafka_core::private::*;
    pub use fastkafka_core::*;
}
