//! Records on their way from a test into a topic.

use crate::record::NewRecord;
use crate::tester::Tester;
use bytes::Bytes;
use fastkafka::codec::IntoKey;
use fastkafka::record::Delivery;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;

/// One or several records that are about to be sent, by [`Tester::mirror`] or `tester.to_<topic>(..)`.
/// Set key, headers and so on, then `.await` it.
///
/// It returns when everything is settled: the record is handled, with its retries and with all that
/// follows from the records that its handler produced.
///
/// # Panics
/// When awaited, at the place of the call: if the record cannot be written or the topic does not
/// take it, and with what [`Tester::settle`] reports.
#[must_use = "nothing is sent until it is awaited"]
pub struct Sending<'a, D = Delivery> {
    tester: &'a Tester,
    at: &'static Location<'static>,
    payloads: Payloads,
    /// The record without its payload.
    record: NewRecord,
    settles: bool,
    delivered: PhantomData<fn() -> D>,
}

/// The payload of each record, or why one cannot be written.
pub(super) type Payloads = Result<Vec<Option<Bytes>>, String>;

impl<'a, D> Sending<'a, D> {
    pub(super) fn new(
        tester: &'a Tester,
        record: NewRecord,
        payloads: Payloads,
        at: &'static Location<'static>,
    ) -> Self {
        Self {
            tester,
            at,
            payloads,
            record,
            settles: true,
            delivered: PhantomData,
        }
    }
}

impl<D> Sending<'_, D> {
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

    /// Sets the timestamp, in milliseconds since 1970.
    pub fn timestamp(mut self, millis: i64) -> Self {
        self.record.timestamp = Some(millis);
        self
    }

    /// Returns as soon as the record is sent; [`Tester::settle`] waits for all that follows.
    pub fn unsettled(mut self) -> Self {
        self.settles = false;
        self
    }
}

impl<'a, D: Delivered> IntoFuture for Sending<'a, D> {
    type Output = D;
    type IntoFuture = Pin<Box<dyn Future<Output = D> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            tester,
            at,
            payloads,
            record,
            settles,
            ..
        } = self;
        Box::pin(async move {
            let topic = record.topic.clone();
            let failed =
                |why: String| -> ! { panic!("{at}: no record was sent to `{topic}`: {why}") };
            let payloads = match payloads {
                Ok(payloads) => payloads,
                Err(why) => failed(format!("the payload cannot be written: {why}")),
            };
            if let Some(why) = fastkafka_core::unwritable(record.partition, record.timestamp) {
                failed(why);
            }
            let mut delivered = Vec::with_capacity(payloads.len());
            for payload in payloads {
                let record = NewRecord {
                    payload,
                    ..record.clone()
                };
                match tester.deliver(record).await {
                    Ok(delivery) => delivered.push(delivery),
                    Err(why) => failed(why),
                }
            }
            if settles && let Err(unsettled) = tester.settle().await {
                panic!("{at}: {unsettled}");
            }
            D::from_deliveries(delivered)
        })
    }
}

impl<D> fmt::Debug for Sending<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sending({})", self.record.topic)
    }
}

/// The result of a [`Sending`]: a [`Delivery`], or one for each record.
pub trait Delivered: 'static {
    #[doc(hidden)]
    fn from_deliveries(deliveries: Vec<Delivery>) -> Self;
}

impl Delivered for Delivery {
    fn from_deliveries(mut deliveries: Vec<Delivery>) -> Self {
        deliveries.pop().expect("one record was sent")
    }
}

impl Delivered for Vec<Delivery> {
    fn from_deliveries(deliveries: Vec<Delivery>) -> Self {
        deliveries
    }
}
