//! A function under `#[produces]`, seen as a type.

use super::definition::ProducerDef;
use super::probe::emit::Emit;
use super::registry::Register;
use crate::codec::Codec;
use crate::delivery::failure::Rejection;
use bytes::Bytes;
use schemars::{Schema, SchemaGenerator};

/// A function under `#[produces]`, seen as a type. Implemented by the attribute only.
pub trait Producer: Register + Sized + Send + Sync + 'static {
    /// The definition.
    const DEF: ProducerDef;
    /// The codec that writes the payload.
    type Codec: Codec;
    /// The number of records in one returned value.
    type Shape;
    /// The value inside the returned `Result`.
    type Returned: Emit<Self::Shape, Payload = Self::Payload, Key = Self::Key>;
    /// The payload of one record.
    type Payload: 'static;
    /// The key before `key_encoder`.
    type Key: 'static;

    /// Writes one record's payload.
    ///
    /// # Errors
    /// When it cannot be written.
    fn encode(payload: &Self::Payload, into: &mut Vec<u8>) -> Result<(), Rejection>;

    /// Writes one record's key.
    ///
    /// # Errors
    /// When it cannot be written.
    fn encode_key(key: &Self::Key) -> Result<Bytes, Rejection>;

    /// The schema of the payload.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}
