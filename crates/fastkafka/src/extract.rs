//! Parameters of handlers that are types of yours.
//!
//! A handler takes its payload, then any of [`EventMetadata`](crate::EventMetadata), [`Key`](crate::Key),
//! [`Headers`](crate::Headers), [`State`](crate::State), [`Ack`](crate::Ack) and
//! [`RawRecord`](crate::record::RawRecord). Implement [`FromContext`] where something else should be made of a
//! record, such as a tenant from a header. The guide's chapter [Consuming](crate::guide::consuming) has an
//! example.

#[doc(inline)]
pub use fastkafka_core::{CallContext, FromContext, PerRecord};
