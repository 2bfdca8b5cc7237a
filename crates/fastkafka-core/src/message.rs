//! What a payload must be able to do, and how it becomes bytes.

use crate::failure::{IntoFailure, Rejection};
use crate::record::RawRecord;
use bytes::Bytes;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// A payload that can be read: `Deserialize + JsonSchema + Send`. Implemented for all such types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the payload of a consumer",
    label = "this type must be readable and have a schema",
    note = "derive both: `#[derive(serde::Deserialize, schemars::JsonSchema)]`",
    note = "for the bytes as they are take `&[u8]` or `bytes::Bytes`"
)]
pub trait Message<'r>: Deserialize<'r> + JsonSchema + Send {}
#[diagnostic::do_not_recommend]
impl<'r, T: Deserialize<'r> + JsonSchema + Send> Message<'r> for T {}

/// A payload that can be written: `Serialize + JsonSchema`. Implemented for all such types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the payload of a producer",
    label = "this type must be writable and have a schema",
    note = "derive both: `#[derive(serde::Serialize, schemars::JsonSchema)]`",
    note = "for bytes as they are return `bytes::Bytes`"
)]
pub trait OutMessage: Serialize + JsonSchema {}
#[diagnostic::do_not_recommend]
impl<T: Serialize + JsonSchema> OutMessage for T {}

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

/// JSON through `serde_json`, the default.
#[derive(Debug)]
pub struct Json;

impl Codec for Json {
    const CONTENT_TYPE: &'static str = "application/json";
}

#[diagnostic::do_not_recommend]
impl<'r, T: Message<'r>> Decode<'r, T> for Json {
    #[inline]
    fn decode(record: &RawRecord<'r>) -> Result<T, Rejection> {
        let bytes = payload(record)?;
        serde_json::from_slice(bytes).map_err(|e| {
            Rejection::new(format_args!(
                "the payload is not the JSON it should be: {e}"
            ))
        })
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        described::<T>(generator)
    }
}

#[diagnostic::do_not_recommend]
impl<T: OutMessage> Encode<T> for Json {
    #[inline]
    fn encode(value: &T, into: &mut Vec<u8>) -> Result<(), Rejection> {
        serde_json::to_writer(into, value).map_err(Rejection::new)
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        described::<T>(generator)
    }
}

/// A function of the user's.
#[derive(Debug)]
pub struct Custom;

impl Codec for Custom {
    const CONTENT_TYPE: &'static str = "application/octet-stream";
}

/// The bytes as they are: `&[u8]` and [`Bytes`].
#[derive(Debug)]
pub struct Raw;

impl Codec for Raw {
    const CONTENT_TYPE: &'static str = "application/octet-stream";
}

/// The schema of a payload: a reference to a named one, or one with a title that names it.
fn described<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = generator.subschema_for::<T>();
    if schema.get("$ref").is_none() && schema.get("title").is_none() {
        schema.insert("title".to_owned(), T::schema_name().into());
    }
    schema
}

/// Bytes of any kind.
pub(crate) fn binary() -> Schema {
    schemars::json_schema!({ "type": "string", "format": "binary" })
}

impl<'r> Decode<'r, &'r [u8]> for Raw {
    #[inline]
    fn decode(record: &RawRecord<'r>) -> Result<&'r [u8], Rejection> {
        payload(record)
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        binary()
    }
}

impl<'r> Decode<'r, Bytes> for Raw {
    fn decode(record: &RawRecord<'r>) -> Result<Bytes, Rejection> {
        payload(record).map(Bytes::copy_from_slice)
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        binary()
    }
}

impl<T: AsRef<[u8]>> Encode<T> for Raw {
    fn encode(value: &T, into: &mut Vec<u8>) -> Result<(), Rejection> {
        into.extend_from_slice(value.as_ref());
        Ok(())
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        binary()
    }
}

fn payload<'r>(record: &RawRecord<'r>) -> Result<&'r [u8], Rejection> {
    record.payload().ok_or_else(|| {
        Rejection::new(
            "the record is a tombstone: its payload is null; take `Option<..>` to accept it",
        )
    })
}

/// A function under `decoder = path`: `fn(&RawRecord<'_>) -> Result<T, E>` or `fn(&[u8]) -> Result<T, E>`.
///
/// `By` tells the two forms apart and is always inferred.
#[diagnostic::on_unimplemented(
    message = "this function cannot decode `{T}`",
    label = "expected `fn(&RawRecord<'_>) -> Result<{T}, E>` or `fn(&[u8]) -> Result<{T}, E>` with `E: Display`"
)]
pub trait DecodeFn<'r, T, By> {
    /// Calls it.
    ///
    /// # Errors
    /// The function's own, as a rejection.
    fn decode(&self, record: &RawRecord<'r>) -> Result<T, Rejection>;
}

/// A decoder that takes the whole record.
#[derive(Debug)]
pub struct ByRecord<E>(PhantomData<E>);
/// A decoder that takes the payload.
#[derive(Debug)]
pub struct ByPayload<E>(PhantomData<E>);

impl<'r, T, E: IntoFailure, F: Fn(&RawRecord<'r>) -> Result<T, E>> DecodeFn<'r, T, ByRecord<E>>
    for F
{
    fn decode(&self, record: &RawRecord<'r>) -> Result<T, Rejection> {
        self(record).map_err(rejection)
    }
}

impl<'r, T, E: IntoFailure, F: Fn(&'r [u8]) -> Result<T, E>> DecodeFn<'r, T, ByPayload<E>> for F {
    fn decode(&self, record: &RawRecord<'r>) -> Result<T, Rejection> {
        self(payload(record)?).map_err(rejection)
    }
}

pub(crate) fn rejection(error: impl IntoFailure) -> Rejection {
    Rejection::new(error.into_failure().message())
}

/// What the payload of a custom decoder or encoder must have: a schema, for the AsyncAPI document.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no schema, which the AsyncAPI document needs",
    label = "derive it: `#[derive(schemars::JsonSchema)]`",
    note = "a payload with a function as `decoder` or `encoder` needs neither `Deserialize` nor `Serialize`, but a schema"
)]
pub trait HasSchema: JsonSchema {}
#[diagnostic::do_not_recommend]
impl<T: JsonSchema> HasSchema for T {}

/// The schema of a payload that a function of the user's reads or writes.
pub fn schema_of<T: HasSchema>(generator: &mut SchemaGenerator) -> Schema {
    described::<T>(generator)
}

/// The types whose default codec is [`Raw`]: an inherent constant wins over the trait's.
#[derive(Debug)]
pub struct CodecProbe<T>(PhantomData<T>);
/// What [`CodecProbe`] says of every other type.
pub trait DefaultCodec {
    /// JSON.
    const RAW: bool = false;
}
impl<T> DefaultCodec for CodecProbe<T> {}
impl CodecProbe<&[u8]> {
    /// Bytes.
    pub const RAW: bool = true;
}
impl CodecProbe<Bytes> {
    /// Bytes.
    pub const RAW: bool = true;
}

/// Turns the answer of [`CodecProbe`] into a type.
pub trait SelectCodec<const RAW: bool> {
    /// The codec.
    type Codec: Codec;
}
impl SelectCodec<false> for () {
    type Codec = Json;
}
impl SelectCodec<true> for () {
    type Codec = Raw;
}
