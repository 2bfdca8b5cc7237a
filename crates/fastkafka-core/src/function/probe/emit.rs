//! What a producer returns and how that becomes records.

use crate::codec::rejection;
use crate::delivery::error::ProduceError;
use crate::delivery::failure::{IntoFailure, Rejection};
use crate::function::key::{EncodeKey, IntoKey};
use bytes::Bytes;
use std::marker::PhantomData;

/// A payload with key, headers and the rest of a record.
///
/// ```
/// # use fastkafka_core::KafkaEvent;
/// let event = KafkaEvent::new("paid").key(7).header("trace", "abc");
/// assert_eq!(event.key.as_deref(), Some(&b"7"[..]));
/// ```
///
/// `K` is `Bytes`, an encoded key, unless the producer has a `key_encoder`; then it is what that takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaEvent<T, K = Bytes> {
    /// The payload; `None` is a tombstone.
    pub message: Option<T>,
    /// The key. Records with equal keys go to one partition.
    pub key: Option<K>,
    /// Headers in order; a value may be null.
    pub headers: Vec<(String, Option<Bytes>)>,
    /// Milliseconds since 1970; `None`: the client's clock.
    pub timestamp: Option<i64>,
    /// The partition; `None`: by the key.
    pub partition: Option<i32>,
    /// The topic; `None`: the producer's. For replies to a topic that the request names.
    pub topic: Option<String>,
}

impl<T> KafkaEvent<T> {
    /// A payload without a key.
    pub fn new(message: T) -> Self {
        Self::with(Some(message), None)
    }

    /// A null payload: compaction removes the key's older records.
    pub fn tombstone(key: impl EncodeKey) -> Self {
        Self::with(None, Some(key.encode_key()))
    }

    /// Sets the key: a string, bytes, or an integer (written as text). A [`Key`](crate::Key)
    /// parameter is passed on as it came, and `None` is no key.
    #[must_use]
    pub fn key(mut self, key: impl IntoKey) -> Self {
        self.key = key.into_key();
        self
    }
}

impl<T, K> KafkaEvent<T, K> {
    fn with(message: Option<T>, key: Option<K>) -> Self {
        Self {
            message,
            key,
            headers: Vec::new(),
            timestamp: None,
            partition: None,
            topic: None,
        }
    }

    /// Sets a key that the producer's `key_encoder` writes.
    #[must_use]
    pub fn with_key<L>(self, key: L) -> KafkaEvent<T, L> {
        let Self {
            message,
            headers,
            timestamp,
            partition,
            topic,
            ..
        } = self;
        KafkaEvent {
            message,
            key: Some(key),
            headers,
            timestamp,
            partition,
            topic,
        }
    }

    /// Appends a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.headers.push((name.into(), Some(value.into())));
        self
    }

    /// Sets the time, in milliseconds since 1970.
    #[must_use]
    pub fn timestamp(mut self, millis: i64) -> Self {
        self.timestamp = Some(millis);
        self
    }

    /// Sets the partition, whatever the key.
    #[must_use]
    pub fn partition(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }

    /// Sends to this topic instead of the producer's.
    #[must_use]
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.topic = Some(topic.into());
        self
    }
}

/// The return type of a producer: `Result<_, E>` with `E: From<ProduceError>`.
#[diagnostic::on_unimplemented(
    message = "a producer cannot return `{Self}`",
    label = "expected `Result<_, E>` with `E: From<ProduceError>`",
    note = "sending can fail, so the return type must be able to say so"
)]
pub trait ProducerReturn {
    /// What is sent.
    type Ok;
    /// The value, if the function made one.
    fn as_ok(&self) -> Option<&Self::Ok>;
    /// Says that it was not sent.
    fn from_error(error: ProduceError) -> Self;
}

impl<T, E: From<ProduceError>> ProducerReturn for Result<T, E> {
    type Ok = T;
    #[inline]
    fn as_ok(&self) -> Option<&T> {
        self.as_ref().ok()
    }
    fn from_error(error: ProduceError) -> Self {
        Err(error.into())
    }
}

/// One record of a returned value.
#[derive(Debug)]
pub struct Outgoing<'a, T, K> {
    /// The payload; `None` is a tombstone.
    pub message: Option<&'a T>,
    /// The key.
    pub key: Option<&'a K>,
    /// Headers.
    pub headers: &'a [(String, Option<Bytes>)],
    /// Time.
    pub timestamp: Option<i64>,
    /// Partition.
    pub partition: Option<i32>,
    /// Topic, if not the producer's.
    pub topic: Option<&'a str>,
}

impl<'a, T, K> Outgoing<'a, T, K> {
    fn plain(message: &'a T) -> Self {
        Self {
            message: Some(message),
            key: None,
            headers: &[],
            timestamp: None,
            partition: None,
            topic: None,
        }
    }
    fn event(event: &'a KafkaEvent<T, K>) -> Self {
        Self {
            message: event.message.as_ref(),
            key: event.key.as_ref(),
            headers: &event.headers,
            timestamp: event.timestamp,
            partition: event.partition,
            topic: event.topic.as_deref(),
        }
    }
}

/// Takes the records of a returned value one by one.
pub type Take<'a, T, K> = dyn FnMut(Outgoing<'_, T, K>) -> Result<(), ProduceError> + 'a;

/// How a returned value of shape `S` becomes records.
pub trait Emit<S> {
    /// What one record carries.
    type Payload;
    /// The key's type before `key_encoder`.
    type Key;
    /// Calls `send` for each record in order, until one fails.
    ///
    /// # Errors
    /// The first that `send` returns.
    fn each(&self, send: &mut Take<'_, Self::Payload, Self::Key>) -> Result<(), ProduceError>;
}

/// Exactly one record.
#[derive(Debug)]
pub struct One;
/// Any number, in order.
#[derive(Debug)]
pub struct Many;
/// One or none.
#[derive(Debug)]
pub struct Maybe;
/// Payloads without key and headers.
#[derive(Debug)]
pub struct Plain<S>(PhantomData<S>);
/// [`KafkaEvent`]s.
#[derive(Debug)]
pub struct Event<S>(PhantomData<S>);

macro_rules! emit {
    ($([$($generics:ident),*] $shape:ty => $returned:ty, key $key:ty, |$value:ident| $items:expr, $make:path;)*) => {$(
        impl<$($generics),*> Emit<$shape> for $returned {
            type Payload = T;
            type Key = $key;
            #[inline]
            fn each(&self, send: &mut Take<'_, T, $key>) -> Result<(), ProduceError> {
                let $value = self;
                for item in $items {
                    send($make(item))?;
                }
                Ok(())
            }
        }
    )*};
}
emit! {
    [T] Plain<One> => T, key Bytes, |value| [value], Outgoing::plain;
    [T] Plain<Many> => Vec<T>, key Bytes, |values| values, Outgoing::plain;
    [T] Plain<Maybe> => Option<T>, key Bytes, |value| value.iter(), Outgoing::plain;
    [T, K] Event<One> => KafkaEvent<T, K>, key K, |event| [event], Outgoing::event;
    [T, K] Event<Many> => Vec<KafkaEvent<T, K>>, key K, |events| events, Outgoing::event;
    [T, K] Event<Maybe> => Option<KafkaEvent<T, K>>, key K, |event| event.iter(), Outgoing::event;
}

/// Asks a return type how many records it makes, and of which kind: an inherent constant wins over
/// the trait's. Two constants, since `Result<Vec<_>, _>` and `Result<Vec<KafkaEvent<_>>, _>` overlap.
#[derive(Debug)]
pub struct EmitProbe<T>(PhantomData<T>);
/// What [`EmitProbe`] says of every other type.
pub trait DefaultEmit {
    /// One record.
    const OUTER: u8 = 0;
    /// A plain payload.
    const INNER: u8 = 0;
    /// Its payload is written as JSON.
    const RAW: bool = false;
}
impl<T> DefaultEmit for EmitProbe<T> {}
impl<T, E> EmitProbe<Result<Vec<T>, E>> {
    /// Many records.
    pub const OUTER: u8 = 1;
}
impl<T, E> EmitProbe<Result<Option<T>, E>> {
    /// One or none.
    pub const OUTER: u8 = 2;
}
impl<T, K, E> EmitProbe<Result<KafkaEvent<T, K>, E>> {
    /// An event.
    pub const INNER: u8 = 1;
}
impl<T, K, E> EmitProbe<Result<Vec<KafkaEvent<T, K>>, E>> {
    /// Events.
    pub const INNER: u8 = 1;
}
impl<T, K, E> EmitProbe<Result<Option<KafkaEvent<T, K>>, E>> {
    /// An event.
    pub const INNER: u8 = 1;
}

macro_rules! raw {
    ($([$($generics:ident),*] $returned:ty;)*) => {$(
        impl<$($generics),*> EmitProbe<Result<$returned, E>> {
            /// Its payload is written as it is.
            pub const RAW: bool = true;
        }
    )*};
}
raw! {
    [E] Bytes;
    [E] Vec<Bytes>;
    [E] Option<Bytes>;
    [K, E] KafkaEvent<Bytes, K>;
    [K, E] Vec<KafkaEvent<Bytes, K>>;
    [K, E] Option<KafkaEvent<Bytes, K>>;
}

/// Turns the answers of [`EmitProbe`] into a type.
pub trait SelectEmit<const OUTER: u8, const INNER: u8> {
    /// The shape.
    type Shape;
}
impl SelectEmit<0, 0> for () {
    type Shape = Plain<One>;
}
impl SelectEmit<1, 0> for () {
    type Shape = Plain<Many>;
}
impl SelectEmit<2, 0> for () {
    type Shape = Plain<Maybe>;
}
impl SelectEmit<0, 1> for () {
    type Shape = Event<One>;
}
impl SelectEmit<1, 1> for () {
    type Shape = Event<Many>;
}
impl SelectEmit<2, 1> for () {
    type Shape = Event<Maybe>;
}

/// The key as it is, for producers without a `key_encoder`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as a key",
    label = "set the key with `KafkaEvent::key`",
    note = "or give the producer a `key_encoder = path` with `fn(&{Self}) -> Result<Vec<u8>, E>`"
)]
pub trait EncodedKey {
    /// The bytes.
    fn bytes(&self) -> Bytes;
}
impl EncodedKey for Bytes {
    fn bytes(&self) -> Bytes {
        self.clone()
    }
}

/// The key through a `key_encoder`.
///
/// # Errors
/// The encoder's.
pub fn encode_key_with<K, B: Into<Bytes>, E: IntoFailure>(
    encoder: impl Fn(&K) -> Result<B, E>,
    key: &K,
) -> Result<Bytes, Rejection> {
    encoder(key).map(Into::into).map_err(rejection)
}

/// The payload through an `encoder`.
///
/// # Errors
/// The encoder's.
pub fn encode_with<T, B: AsRef<[u8]>, E: IntoFailure>(
    encoder: impl Fn(&T) -> Result<B, E>,
    value: &T,
    into: &mut Vec<u8>,
) -> Result<(), Rejection> {
    into.extend_from_slice(encoder(value).map_err(rejection)?.as_ref());
    Ok(())
}
