//! Record keys: strings, bytes, and integers as decimal text, as the common producers write them.

use crate::codec::{KeyReader, binary, read_key, rejection};
use crate::delivery::ack::Ack;
use crate::delivery::failure::{IntoFailure, Rejection};
use crate::function::extract::FromContext;
use crate::function::extract::PerRecord;
use crate::function::probe::shape::Shape;
use crate::record::CallContext;
use bytes::Bytes;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::any::{TypeId, type_name};
use std::marker::PhantomData;

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

    /// What the AsyncAPI document says of it: bytes, unless the type knows better.
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

/// What [`KafkaEvent::key`](crate::KafkaEvent::key) takes: a key, or an `Option` of one.
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

fn missing<K>() -> Rejection {
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

/// How a parameter is made where the consumer has a `key_decoder`: keys by it, all else as ever.
/// The inherent function wins over the trait's.
#[derive(Debug)]
pub struct KeyProbe<T>(PhantomData<T>);

impl<K> KeyProbe<Key<K>> {
    /// Decodes the key.
    ///
    /// # Errors
    /// The decoder's, or that there is no key.
    pub fn extract<'r, S, E: IntoFailure>(
        cx: &'r CallContext<'r>,
        decoder: impl Fn(&'r [u8]) -> Result<K, E>,
        _shape: PhantomData<S>,
    ) -> Result<Key<K>, Rejection> {
        let key = cx.record().key().ok_or_else(missing::<K>)?;
        decoder(key).map(Key).map_err(rejection)
    }

    /// The same through a payload's codec.
    ///
    /// # Errors
    /// The codec's, or that there is no key.
    pub fn through<'r, S, C: KeyReader<K>>(
        cx: &'r CallContext<'r>,
        _codec: PhantomData<C>,
        shape: PhantomData<S>,
    ) -> Result<Key<K>, Rejection> {
        Self::extract(cx, read_key::<C, K>, shape)
    }
}
impl<K> KeyProbe<Option<Key<K>>> {
    /// Decodes the key if there is one.
    ///
    /// # Errors
    /// The decoder's.
    pub fn extract<'r, S, E: IntoFailure>(
        cx: &'r CallContext<'r>,
        decoder: impl Fn(&'r [u8]) -> Result<K, E>,
        _shape: PhantomData<S>,
    ) -> Result<Option<Key<K>>, Rejection> {
        cx.record()
            .key()
            .map(|key| decoder(key).map(Key).map_err(rejection))
            .transpose()
    }

    /// The same through a payload's codec.
    ///
    /// # Errors
    /// The codec's.
    pub fn through<'r, S, C: KeyReader<K>>(
        cx: &'r CallContext<'r>,
        _codec: PhantomData<C>,
        shape: PhantomData<S>,
    ) -> Result<Option<Key<K>>, Rejection> {
        Self::extract(cx, read_key::<C, K>, shape)
    }
}

/// What [`KeyProbe`] does with every other parameter.
pub trait NotKey<T> {
    /// Not a key.
    const IS_KEY: bool = false;

    /// The parameter by its own rule; the decoder is not asked.
    ///
    /// # Errors
    /// As [`FromContext::from_context`].
    fn extract<'r, S: Shape, D>(
        cx: &'r CallContext<'r>,
        _decoder: D,
        _shape: PhantomData<S>,
    ) -> Result<T, Rejection>
    where
        T: FromContext<'r, S>,
    {
        T::from_context(cx)
    }

    /// The same: the codec is not asked either.
    ///
    /// # Errors
    /// As [`FromContext::from_context`].
    fn through<'r, S: Shape, C>(
        cx: &'r CallContext<'r>,
        _codec: PhantomData<C>,
        _shape: PhantomData<S>,
    ) -> Result<T, Rejection>
    where
        T: FromContext<'r, S>,
    {
        T::from_context(cx)
    }

    /// The state it needs.
    fn requires<S: Shape>(need: &mut dyn FnMut(TypeId, &'static str), _shape: PhantomData<S>)
    where
        T: FromContext<'static, S>,
    {
        T::requires(need);
    }
}
impl<T> NotKey<T> for KeyProbe<T> {}

impl<K> KeyProbe<Key<K>> {
    /// A key.
    pub const IS_KEY: bool = true;
    /// None.
    pub fn requires<S>(_: &mut dyn FnMut(TypeId, &'static str), _shape: PhantomData<S>) {}
}
impl<K> KeyProbe<Option<Key<K>>> {
    /// A key that may be missing.
    pub const IS_KEY: bool = true;
    /// None.
    pub fn requires<S>(_: &mut dyn FnMut(TypeId, &'static str), _shape: PhantomData<S>) {}
}

/// Finds an `Ack` among the parameters where they are not asked through `FromContext`.
#[derive(Debug)]
pub struct SettlesProbe<T>(PhantomData<T>);
/// What [`SettlesProbe`] says of every other type.
pub trait SettlesNot {
    /// The return value settles the record.
    const SETTLES: bool = false;
}
impl<T> SettlesNot for SettlesProbe<T> {}
impl SettlesProbe<Ack> {
    /// The handler does.
    pub const SETTLES: bool = true;
}

/// What the AsyncAPI document says of the key that a parameter is made of: an inherent constant wins
/// over the trait's.
#[derive(Debug)]
pub struct KeySchemaProbe<T>(PhantomData<T>);
/// What [`KeySchemaProbe`] says of every other type.
pub trait NoKeySchema {
    /// Not a key.
    const KEY: Option<fn() -> Schema> = None;
}
impl<T> NoKeySchema for KeySchemaProbe<T> {}
impl<K: DecodeKey<'static>> KeySchemaProbe<Key<K>> {
    /// A key.
    pub const KEY: Option<fn() -> Schema> = Some(K::key_schema);
}
impl<K: DecodeKey<'static>> KeySchemaProbe<Option<Key<K>>> {
    /// A key that may be missing.
    pub const KEY: Option<fn() -> Schema> = Some(K::key_schema);
}

/// The first key among the parameters.
pub const fn first_key(keys: &[Option<fn() -> Schema>]) -> Option<fn() -> Schema> {
    let mut i = 0;
    while i < keys.len() {
        if keys[i].is_some() {
            return keys[i];
        }
        i += 1;
    }
    None
}

/// A key that a function of the user's reads or writes.
pub fn custom_key() -> Schema {
    binary()
}
