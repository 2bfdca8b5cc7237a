//! How a payload becomes bytes and back: a file per codec, and one for each of the questions that all
//! of them answer.
//!
//! The words `"msgpack"` and `"avro"` are features; their codecs are here only with them.

#[cfg(feature = "avro")]
pub mod avro;
mod bytes;
mod function;
mod json;
mod key;
#[cfg(feature = "msgpack")]
mod msgpack;
mod value;
mod words;

pub use self::bytes::Raw;
#[cfg(feature = "avro")]
pub use avro::Avro;
pub use function::{Custom, DecodeFn, schema_of};
pub use json::{Json, Message, OutMessage};
pub use key::{key_of, read_key, write_key};
#[cfg(feature = "msgpack")]
pub use msgpack::Msgpack;
pub use value::{Reads, Writes};
#[cfg(not(all(feature = "msgpack", feature = "avro")))]
pub use words::Missing;

pub(crate) use self::bytes::binary;
pub(crate) use function::rejection;
pub(crate) use key::KeyReader;

use crate::delivery::failure::Rejection;
use crate::record::RawRecord;
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// How bytes become a payload and back. A marker type: `decoder = ".."` and `encoder = ".."` choose it.
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
    /// One record's payload.
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

fn payload<'r>(record: &RawRecord<'r>) -> Result<&'r [u8], Rejection> {
    record.payload().ok_or_else(|| {
        Rejection::new(
            "the record is a tombstone: its payload is null; take `Option<..>` to accept it",
        )
    })
}

/// The schema of a payload: a reference to a named one, or one with a title that names it.
fn described<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = generator.subschema_for::<T>();
    if schema.get("$ref").is_none() && schema.get("title").is_none() {
        schema.insert("title".to_owned(), T::schema_name().into());
    }
    schema
}
