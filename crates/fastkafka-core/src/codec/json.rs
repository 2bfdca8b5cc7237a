//! JSON, the default.

use super::payload::{described, payload};
use super::{Codec, Decode, Encode, Reads, Writes};
use crate::delivery::failure::Rejection;
use crate::record::RawRecord;
use bytes::Bytes;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

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
            let e = e.to_string();
            let hint = match e.contains("a borrowed string") {
                true => {
                    " (a string with an escape cannot be borrowed: take `String` or `Cow<str>`)"
                }
                false => "",
            };
            Rejection::new(format_args!(
                "the payload is not the JSON it should be{hint}: {e}"
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

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Reads<T> for Json {
    fn read(bytes: &[u8]) -> Result<T, String> {
        serde_json::from_slice(bytes).map_err(|error| error.to_string())
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Writes<T> for Json {
    fn write(value: &T) -> Result<Bytes, String> {
        let bytes = serde_json::to_vec(value).map_err(|error| error.to_string())?;
        Ok(bytes.into())
    }
}
