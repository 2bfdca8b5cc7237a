//! Keys among the parameters of a handler, asked of their types.

use crate::codec::{KeyReader, binary, read_key, rejection};
use crate::delivery::failure::{IntoFailure, Rejection};
use crate::function::call::CallContext;
use crate::function::extract::FromContext;
use crate::function::key::{DecodeKey, Key, missing};
use crate::function::shape::Shape;
use schemars::Schema;
use std::any::TypeId;
use std::marker::PhantomData;

/// Makes a parameter where the consumer has a `key_decoder`: keys by the decoder, all others by their
/// own rule. The inherent function wins over the trait's.
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

/// The answer of [`KeyProbe`] for every other parameter.
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

    /// The states that it needs.
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
    /// A key needs no state.
    pub fn requires<S>(_: &mut dyn FnMut(TypeId, &'static str), _shape: PhantomData<S>) {}
}
impl<K> KeyProbe<Option<Key<K>>> {
    /// A key that may be missing.
    pub const IS_KEY: bool = true;
    /// A key needs no state.
    pub fn requires<S>(_: &mut dyn FnMut(TypeId, &'static str), _shape: PhantomData<S>) {}
}

/// The schema of the key that a parameter is made of: an inherent constant wins over the trait's.
#[derive(Debug)]
pub struct KeySchemaProbe<T>(PhantomData<T>);
/// The answer of [`KeySchemaProbe`] for every other type.
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

/// The schema of a key that a function of the user's reads or writes.
pub fn custom_key() -> Schema {
    binary()
}
