//! The traits of a codec.

use crate::delivery::failure::Rejection;
use crate::record::RawRecord;
use schemars::{Schema, SchemaGenerator};

/// A way from bytes to a payload and back. A marker type: `decoder = ".."` and `encoder = ".."` choose it.
pub trait Codec: 'static {
    /// The `contentType` of AsyncAPI.
    const CONTENT_TYPE: &'static str;
}

/// Reads a payload. Implemented by [`Codec`]s for the types they can read.
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be the payload of a consumer",
    label = "this type must be readable and have a schema",
    note = "derive both: `#[derive(serde::Deserialize, schemars::JsonSchema)]`",
    note = "for the bytes as they are take `&[u8]` or `bytes::Bytes`"
)]
pub trait Decode<'r, T>: Codec {
    /// Decodes one record's payload.
    ///
    /// # Errors
    /// When the bytes are not a `T`; the record is then rejected.
    fn decode(record: &RawRecord<'r>) -> Result<T, Rejection>;
    /// The schema of `T`.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

/// Writes a payload. Implemented by [`Codec`]s for the types they can write.
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be the payload of a producer",
    label = "this type must be writable and have a schema",
    note = "derive both on the payload: `#[derive(serde::Serialize, schemars::JsonSchema)]`"
)]
pub trait Encode<T>: Codec {
    /// Appends the payload's bytes.
    ///
    /// # Errors
    /// When the value cannot be written.
    fn encode(value: &T, into: &mut Vec<u8>) -> Result<(), Rejection>;
    /// The schema of `T`.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}
