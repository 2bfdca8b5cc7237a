//! `key_decoder = "json"` and the like: keys by a payload's codec.

use super::bytes::binary;
use super::{Codec, Reads, Writes};
use crate::delivery::failure::Rejection;
use bytes::Bytes;
use schemars::Schema;

/// A codec by which keys of type `K` are read.
#[diagnostic::on_unimplemented(
    message = "`{K}` cannot be read from a key by this `key_decoder`",
    label = "in this parameter",
    note = "`\"json\"` and `\"msgpack\"` take types with `#[derive(serde::Deserialize)]`, `\"avro\"` those that have `apache_avro::AvroSchema` as well; keys own their data"
)]
pub trait KeyReader<K>: Reads<K> {}
#[diagnostic::do_not_recommend]
impl<C: Reads<K>, K> KeyReader<K> for C {}

/// A codec by which keys of type `K` are written.
#[diagnostic::on_unimplemented(
    message = "`{K}` cannot be written as a key by this `key_encoder`",
    label = "it cannot write this type",
    note = "`\"json\"` and `\"msgpack\"` take types with `#[derive(serde::Serialize)]`, `\"avro\"` those that have `apache_avro::AvroSchema` as well"
)]
pub trait KeyWriter<K>: Writes<K> {}
#[diagnostic::do_not_recommend]
impl<C: Writes<K>, K> KeyWriter<K> for C {}

/// Reads a key through a codec.
///
/// # Errors
/// When the bytes are something else.
pub(crate) fn read_key<C: KeyReader<K>, K>(key: &[u8]) -> Result<K, Rejection> {
    C::read(key).map_err(|error| {
        Rejection::new(format_args!("the key is not {}: {error}", C::CONTENT_TYPE))
    })
}

/// Writes a key through a codec.
///
/// # Errors
/// When the value cannot be written.
pub fn write_key<C: KeyWriter<K>, K>(key: &K) -> Result<Bytes, Rejection> {
    C::write(key).map_err(|error| {
        Rejection::new(format_args!(
            "the key cannot be {}: {error}",
            C::CONTENT_TYPE
        ))
    })
}

/// The schema of a key through a codec: bytes, and their content type.
pub fn key_of<C: Codec>() -> Schema {
    let mut schema = binary();
    schema.insert("contentMediaType".to_owned(), C::CONTENT_TYPE.into());
    schema
}
