//! Record keys: strings, bytes, and integers as decimal text, as the common producers write them.

use super::call::CallContext;
use super::extract::{FromContext, PerRecord};
use crate::codec::binary;
use crate::delivery::failure::Rejection;
use bytes::Bytes;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::any::type_name;

/// The record's key, decoded as `K`. A parameter of handlers; `Option<Key<K>>` accepts a null key.
///
/// Other types than strings, bytes and integers through a `key_decoder`: `"json"`, `"msgpack"`, `"avro"`,
/// or the path of a `fn(&[u8]) -> Result<K, E>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key<K>(pub K);

/// A type that a key can be read as without a `key_decoder`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a key",
    label = "keys are strings, bytes or integers",
    note = "give the consumer a `key_decoder = path` with `fn(&[u8]) -> Result<{Self}, E>`"
)]
pub trait DecodeKey<'r>: Sized {
    /// Reads the key's bytes.
    ///
    /// # Errors
    /// When they are something else.
    fn decode_key(bytes: &'r [u8]) -> Result<Self, Rejection>;

    /// The key's schema in the AsyncAPI document: bytes, unless the type knows better.
    fn key_schema() -> Schema {
        binary()
    }
}

/// A type that a key can be made of without a `key_encoder`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written as a key",
    label = "keys are strings, bytes or integers",
    note = "give the producer a `key_encoder = path` with `fn(&{Self}) -> Result<Vec<u8>, E>` and the key with `KafkaEvent::with_key`"
)]
pub trait EncodeKey {
    /// The key's bytes.
    fn encode_key(self) -> Bytes;
}

/// The argument of [`KafkaEvent::key`](crate::KafkaEvent::key): a key, or an `Option` of one.
pub trait IntoKey {
    /// The key's bytes, if there is a key.
    fn into_key(self) -> Option<Bytes>;
}
impl<K: EncodeKey> IntoKey for K {
    fn into_key(self) -> Option<Bytes> {
        Some(self.encode_key())
    }
}
impl<K: EncodeKey> IntoKey for Option<K> {
    fn into_key(self) -> Option<Bytes> {
        self.map(K::encode_key)
    }
}

/// A key passed on as it came.
impl<K: EncodeKey> EncodeKey for Key<K> {
    fn encode_key(self) -> Bytes {
        self.0.encode_key()
    }
}

fn text(bytes: &[u8]) -> Result<&str, Rejection> {
    std::str::from_utf8(bytes)
        .map_err(|e| Rejection::new(format_args!("the key is not UTF-8: {e}")))
}

impl<'r> DecodeKey<'r> for &'r str {
    fn decode_key(bytes: &'r [u8]) -> Result<Self, Rejection> {
        text(bytes)
    }
    fn key_schema() -> Schema {
        json_schema!({ "type": "string" })
    }
}
impl<'r> DecodeKey<'r> for String {
    fn decode_key(bytes: &'r [u8]) -> Result<Self, Rejection> {
        text(bytes).map(str::to_owned)
    }
    fn key_schema() -> Schema {
        <&str>::key_schema()
    }
}
impl<'r> DecodeKey<'r> for &'r [u8] {
    fn decode_key(bytes: &'r [u8]) -> Result<Self, Rejection> {
        Ok(bytes)
    }
}
impl<'r> DecodeKey<'r> for Bytes {
    fn decode_key(bytes: &'r [u8]) -> Result<Self, Rejection> {
        Ok(Bytes::copy_from_slice(bytes))
    }
}

impl EncodeKey for &str {
    fn encode_key(self) -> Bytes {
        Bytes::copy_from_slice(self.as_bytes())
    }
}
impl EncodeKey for String {
    fn encode_key(self) -> Bytes {
        self.into()
    }
}
impl EncodeKey for &String {
    fn encode_key(self) -> Bytes {
        self.as_str().encode_key()
    }
}
impl EncodeKey for &[u8] {
    fn encode_key(self) -> Bytes {
        Bytes::copy_from_slice(self)
    }
}
impl<const N: usize> EncodeKey for &[u8; N] {
    fn encode_key(self) -> Bytes {
        Bytes::copy_from_slice(self)
    }
}
impl EncodeKey for Vec<u8> {
    fn encode_key(self) -> Bytes {
        self.into()
    }
}
impl EncodeKey for Bytes {
    fn encode_key(self) -> Bytes {
        self
    }
}

macro_rules! integers {
    ($($int:ty),*) => {$(
        impl<'r> DecodeKey<'r> for $int {
            fn decode_key(bytes: &'r [u8]) -> Result<Self, Rejection> {
                text(bytes)?.parse().map_err(|e| Rejection::new(format_args!("the key is not a {}: {e}", stringify!($int))))
            }
            // The decimal digits of its text are those of its JSON.
            fn key_schema() -> Schema {
                <$int>::json_schema(&mut SchemaGenerator::default())
            }
        }
        impl EncodeKey for $int {
            fn encode_key(self) -> Bytes {
                self.to_string().into()
            }
        }
    )*};
}
integers!(
    i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize
);

/// The record has no key, and the handler takes one.
pub(super) fn missing<K>() -> Rejection {
    Rejection::new(format_args!(
        "the record has no key, the handler takes `Key<{}>`; take `Option<Key<..>>` to accept it",
        type_name::<K>()
    ))
}

impl<'r, S: PerRecord, K: DecodeKey<'r>> FromContext<'r, S> for Key<K> {
    fn from_context(cx: &'r CallContext<'r>) -> Result<Self, Rejection> {
        cx.record()
            .key()
            .ok_or_else(missing::<K>)
            .and_then(K::decode_key)
            .map(Key)
    }
}
impl<'r, S: PerRecord, K: DecodeKey<'r>> FromContext<'r, S> for Option<Key<K>> {
    fn from_context(cx: &'r CallContext<'r>) -> Result<Self, Rejection> {
        cx.record()
            .key()
            .map(|key| K::decode_key(key).map(Key))
            .transpose()
    }
}
