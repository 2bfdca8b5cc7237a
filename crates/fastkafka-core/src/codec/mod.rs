//! Codecs: a payload becomes bytes, and bytes a payload. A file per codec, and a file for each thing
//! that all of them can do.
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
mod payload;
mod traits;
mod value;
mod words;

pub use self::bytes::Raw;
#[cfg(feature = "avro")]
pub use avro::Avro;
pub use function::{Custom, DecodeFn, schema_of};
pub use json::{Json, Message, OutMessage};
pub(crate) use key::read_key;
pub use key::{key_of, write_key};
#[cfg(feature = "msgpack")]
pub use msgpack::Msgpack;
pub use traits::{Codec, Decode, Encode};
pub use value::{Reads, Writes};
#[cfg(not(all(feature = "msgpack", feature = "avro")))]
pub use words::Missing;

pub(crate) use self::bytes::binary;
pub(crate) use function::rejection;
pub(crate) use key::KeyReader;
