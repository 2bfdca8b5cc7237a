//! Values without a record around them: keys, and both directions of a payload in a test.

use super::Codec;
use bytes::Bytes;

/// A codec that reads a `T` from nothing but bytes. Not a function under `encoder = ..`: it has no
/// inverse.
#[diagnostic::on_unimplemented(
    message = "a test cannot read a `{T}` of this producer",
    label = "the producer's encoder has no inverse for it",
    note = "a payload in JSON or MessagePack needs `#[derive(serde::Deserialize)]`, one in Avro also `apache_avro::AvroSchema`",
    note = "a function under `encoder = ..` cannot be turned round: look at the bytes with `.records()`"
)]
pub trait Reads<T>: Codec {
    /// The value.
    ///
    /// # Errors
    /// When the bytes are something else.
    fn read(bytes: &[u8]) -> Result<T, String>;
}

/// A codec that writes a `T` by itself. Not a function under `decoder = ..`: it has no inverse.
#[diagnostic::on_unimplemented(
    message = "a test cannot write a `{T}` for this handler",
    label = "the handler's decoder has no inverse for it",
    note = "a payload in JSON or MessagePack needs `#[derive(serde::Serialize)]`, one in Avro also `apache_avro::AvroSchema`",
    note = "a function under `decoder = ..` cannot be turned round: send the bytes with `tester.mirror::<f>().raw(..)`"
)]
pub trait Writes<T>: Codec {
    /// The bytes.
    ///
    /// # Errors
    /// When the value cannot be written.
    fn write(value: &T) -> Result<Bytes, String>;
}
