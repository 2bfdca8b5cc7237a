//! Mirrors of consumers: what sends into a handler's topic.

use crate::broker::NewRecord;
use crate::codec::Writes;
use crate::function::Function;
use crate::received::Received;
use crate::tester::Tester;
use bytes::Bytes;
use fastkafka::{Delivery, IntoKey};
use fastkafka_core::{Consumer, MirrorHost, Producer};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;

impl MirrorHost for Tester {
    type Sending<'a, C: Consumer> = Sending<'a, One<C>>;
    type Received<P: Producer> = Received<P>;

    fn sending<C: Consumer>(&self, payload: C::Payload) -> Sending<'_, One<C>> {
        Mirror::new(self).send(payload)
    }

    fn received<P: Producer>(&self) -> Received<P> {
        Received::of(self)
    }
}

/// Sends into the topic of a handler: `tester.mirror::<on_orders>()`.
pub struct Mirror<'a, C> {
    tester: &'a Tester,
    consumer: PhantomData<fn() -> C>,
}

impl<'a, C: Consumer> Mirror<'a, C> {
    #[track_caller]
    pub(crate) fn new(tester: &'a Tester) -> Self {
        tester.must_have(Function::consumer::<C>());
        Self {
            tester,
            consumer: PhantomData,
        }
    }

    /// One record, written as the handler reads it; for a handler of batches one element.
    #[track_caller]
    pub fn send(&self, payload: C::Payload) -> Sending<'a, One<C>> {
        self.sending(One(payload))
    }

    /// A record each, in this order, before any of them is waited for.
    #[track_caller]
    pub fn send_all(&self, payloads: impl IntoIterator<Item = C::Payload>) -> Sending<'a, Many<C>> {
        self.sending(Many(payloads.into_iter().collect()))
    }

    /// A payload that the handler's type may be unable to say, such as one that does not decode.
    #[track_caller]
    pub fn raw(&self, payload: impl Into<Bytes>) -> Sending<'a, Bare> {
        self.sending(Bare(Some(payload.into())))
    }

    /// A record whose payload is null.
    #[track_caller]
    pub fn tombstone(&self) -> Sending<'a, Bare> {
        self.sending(Bare(None))
    }

    #[track_caller]
    fn sending<B>(&self, body: B) -> Sending<'a, B> {
        Sending {
            tester: self.tester,
            at: Location::caller(),
            body,
            record: NewRecord {
                topic: C::DEF.topic.to_owned(),
                ..NewRecord::default()
            },
            settles: true,
        }
    }
}

impl<C: Consumer> fmt::Debug for Mirror<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mirror({})", C::DEF.name)
    }
}

/// A record, or several, about to be sent by [`Tester::mirror`] or `tester.to_<topic>(..)`: set key,
/// headers and so on, then `.await` it.
///
/// It returns when all is settled: the record is handled, with its retries and with whatever follows
/// from what its handler produced.
///
/// # Panics
/// When awaited, at the place of the call: if the record cannot be written or the topic does not
/// take it, and with what [`Tester::settle`] reports.
#[must_use = "nothing is sent until it is awaited"]
pub struct Sending<'a, B> {
    tester: &'a Tester,
    at: &'static Location<'static>,
    body: B,
    record: NewRecord,
    settles: bool,
}

impl<B> Sending<'_, B> {
    /// Sets the key: a string, bytes, or an integer (written as text). `None` is no key.
    pub fn key(mut self, key: impl IntoKey) -> Self {
        self.record.key = key.into_key();
        self
    }

    /// Appends a header.
    pub fn header(self, name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.headers([(name.into(), Some(value.into()))])
    }

    /// Appends headers; a value may be null.
    pub fn headers(mut self, headers: impl IntoIterator<Item = (String, Option<Bytes>)>) -> Self {
        self.record.headers.extend(headers);
        self
    }

    /// Sets the partition, whatever the key.
    pub fn partition(mut self, partition: i32) -> Self {
        self.record.partition = Some(partition);
        self
    }

    /// Sets the time, in milliseconds since 1970.
    pub fn timestamp(mut self, millis: i64) -> Self {
        self.record.timestamp = Some(millis);
        self
    }

    /// Returns as soon as it is sent; [`Tester::settle`] waits for what follows.
    pub fn unsettled(mut self) -> Self {
        self.settles = false;
        self
    }
}

impl<'a, B: Body> IntoFuture for Sending<'a, B> {
    type Output = B::Delivered;
    type IntoFuture = Pin<Box<dyn Future<Output = B::Delivered> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let at = self.at;
            let topic = self.record.topic.clone();
            let failed =
                |why: String| -> ! { panic!("{at}: no record was sent to `{topic}`: {why}") };
            let payloads = match self.body.payloads() {
                Ok(payloads) => payloads,
                Err(why) => failed(format!("the payload cannot be written: {why}")),
            };
            let mut delivered = Vec::with_capacity(payloads.len());
            for payload in payloads {
                let record = NewRecord {
                    payload,
                    ..self.record.clone()
                };
                match self.tester.deliver(record).await {
                    Ok(delivery) => delivered.push(delivery),
                    Err(why) => failed(why),
                }
            }
            if self.settles
                && let Err(unsettled) = self.tester.settle().await
            {
                panic!("{at}: {unsettled}");
            }
            B::delivered(delivered)
        })
    }
}

impl<B> fmt::Debug for Sending<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sending({})", self.record.topic)
    }
}

/// What a [`Sending`] sends.
pub trait Body: 'static {
    /// Where it ended up: a [`Delivery`], or one of each record.
    type Delivered;
    /// The payload of each record; `None` is a tombstone.
    ///
    /// # Errors
    /// When a value cannot be written.
    fn payloads(self) -> Result<Vec<Option<Bytes>>, String>;
    /// From one delivery of each record.
    fn delivered(deliveries: Vec<Delivery>) -> Self::Delivered;
}

/// One value of a handler's payload.
pub struct One<C: Consumer>(C::Payload);

impl<C: Consumer> Body for One<C>
where
    C::Codec: Writes<C::Payload>,
{
    type Delivered = Delivery;
    fn payloads(self) -> Result<Vec<Option<Bytes>>, String> {
        Ok(vec![Some(C::Codec::write(&self.0)?)])
    }
    fn delivered(deliveries: Vec<Delivery>) -> Delivery {
        only(deliveries)
    }
}

/// Values of a handler's payload.
pub struct Many<C: Consumer>(Vec<C::Payload>);

impl<C: Consumer> Body for Many<C>
where
    C::Codec: Writes<C::Payload>,
{
    type Delivered = Vec<Delivery>;
    fn payloads(self) -> Result<Vec<Option<Bytes>>, String> {
        let payloads = self.0.iter();
        payloads
            .map(|payload| C::Codec::write(payload).map(Some))
            .collect()
    }
    fn delivered(deliveries: Vec<Delivery>) -> Vec<Delivery> {
        deliveries
    }
}

/// Bytes, or a tombstone.
#[derive(Debug)]
pub struct Bare(Option<Bytes>);

impl Body for Bare {
    type Delivered = Delivery;
    fn payloads(self) -> Result<Vec<Option<Bytes>>, String> {
        Ok(vec![self.0])
    }
    fn delivered(deliveries: Vec<Delivery>) -> Delivery {
        only(deliveries)
    }
}

fn only(mut deliveries: Vec<Delivery>) -> Delivery {
    deliveries.pop().expect("one record was sent")
}

macro_rules! opaque {
    ($($name:ident),*) => {$(
        impl<C: Consumer> fmt::Debug for $name<C> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), C::DEF.name)
            }
        }
    )*};
}
opaque!(One, Many);
