//! Records as Kafka has them.
//!
//! A handler that takes a payload and [`EventMetadata`](crate::EventMetadata) needs none of these. You need
//! [`RawRecord`] where a decoder or a handler looks at the bytes, [`Bytes`] for payloads that are not decoded,
//! and [`Delivery`] for the partition and offset of a record that was produced.

#[doc(inline)]
pub use fastkafka_core::{Bytes, Delivery, RawRecord, TimestampType};
