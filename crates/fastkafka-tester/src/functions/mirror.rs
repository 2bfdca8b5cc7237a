//! Mirrors of consumers: what sends into a handler's topic.

use crate::function::Function;
use crate::functions::received::Received;
use crate::record::NewRecord;
use crate::tester::Tester;
use bytes::Bytes;
use fastkafka::codec::IntoKey;
use fastkafka::record::Delivery;
use fastkafka_core::Writes;
use fastkafka_core::{Consumer, MirrorHost, Producer, Sends};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;

impl MirrorHost for Tester {
    type Received<P: Producer> = Received<P>;

    fn received<P: Producer>(&self) -> Received<P> {
        Received::new(self)
    }
}

impl<C: Consumer> Sends<C> for Tester
where
    C::Codec: Writes<C::Payload>,
{
    type Sending<'a> = Sending<'a>;

    fn sending(&self, topic: &'static str, payload: C::Payload) -> Sending<'_> {
        Mirror::<C>::new(self).topic(topic).send(payload)
    }
}

/// Sends into the topic of a handler: `tester.mirror::<on_orders>()`. One that reads several topics, or
/// by pattern, needs to be told which: `tester.mirror::<on_orders>().topic("orders.eu")`.
pub struct Mirror<'a, C> {
    tester: &'a Tester,
    /// `None`: the only one that it reads.
    topic: Option<String>,
    consumer: PhantomData<fn() -> C>,
}

impl<'a, C: Consumer> Mirror<'a, C> {
    #[track_caller]
    pub(crate) fn new(tester: &'a Tester) -> Self {
        tester.must_have(Function::consumer::<C>());
        Self {
            tester,
            topic: None,
            consumer: PhantomData,
        }
    }

    /// Which of the handler's topics.
    ///
    /// ```standalone_crate
    /// use fastkafka::{App, Topic, consumes};
    /// use fastkafka_tester::Tester;
    ///
    /// #[consumes(pattern = "^orders\\..+", auto_offset_reset = "earliest")]
    /// async fn on_orders(order: u64) {}
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let app = App::builder().title("Shop").topic("orders.eu", Topic::new()).build();
    /// let tester = Tester::start(app).await.unwrap();
    /// tester.mirror::<on_orders>().topic("orders.eu").send(1).await;
    ///
    /// // The handler finds what comes later.
    /// tester.create_topic("orders.asia", 1);
    /// tester.mirror::<on_orders>().topic("orders.asia").send(2).await;
    /// assert_eq!(tester.spy::<on_orders>().count(), 2);
    /// # }
    /// ```
    ///
    /// # Panics
    /// If the handler does not read it: names what it reads.
    #[must_use]
    #[track_caller]
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        let (topic, function) = (topic.into(), Function::consumer::<C>());
        // Of a single topic there is nothing to look up.
        if C::DEF.topics != [topic.as_str()]
            && let Some(reads) = self.tester.subscription(function)
        {
            assert!(
                reads.takes(&topic),
                "{function} does not read `{topic}`: it reads {reads}"
            );
        }
        self.topic = Some(topic);
        self
    }

    /// Where the record goes.
    #[track_caller]
    fn destination(&self) -> String {
        match (&self.topic, C::DEF.topics) {
            (Some(topic), _) => topic.clone(),
            (None, [only]) => (*only).to_owned(),
            (None, _) => {
                let function = Function::consumer::<C>();
                let reads = self.tester.subscription(function);
                let reads = reads.map_or_else(String::new, |reads| reads.to_string());
                let name = C::DEF.name;
                panic!(
                    "{function} reads {reads}: say which, `tester.mirror::<{name}>().topic(\"..\")`"
                )
            }
        }
    }

    /// One record, written as the handler reads it; for a handler of batches one element.
    #[track_caller]
    pub fn send(&self, payload: C::Payload) -> Sending<'a>
    where
        C::Codec: Writes<C::Payload>,
    {
        self.sending(C::Codec::write(&payload).map(|bytes| vec![Some(bytes)]))
    }

    /// A record each, in this order, before any of them is waited for.
    #[track_caller]
    pub fn send_all(
        &self,
        payloads: impl IntoIterator<Item = C::Payload>,
    ) -> Sending<'a, Vec<Delivery>>
    where
        C::Codec: Writes<C::Payload>,
    {
        let payloads = payloads.into_iter();
        self.sending(
            payloads
                .map(|payload| C::Codec::write(&payload).map(Some))
                .collect(),
        )
    }

    /// A payload that the handler's type may be unable to say, such as one that does not decode. The way
    /// to send to a handler with a function as decoder, which cannot be turned round:
    ///
    /// ```compile_fail
    /// # use fastkafka::consumes;
    /// # use fastkafka_tester::Tester;
    /// # fn degrees(_: &[u8]) -> Result<i32, String> { Ok(0) }
    /// #[consumes(decoder = degrees)]
    /// async fn on_degrees(degrees: i32) {}
    ///
    /// async fn test(tester: &Tester) {
    ///     tester.to_degrees(20).await;
    /// }
    /// ```
    ///
    /// ```
    /// # use fastkafka::consumes;
    /// # use fastkafka_tester::Tester;
    /// # fn degrees(_: &[u8]) -> Result<i32, String> { Ok(0) }
    /// # #[consumes(decoder = degrees)]
    /// # async fn on_degrees(degrees: i32) {}
    /// async fn test(tester: &Tester) {
    ///     tester.mirror::<on_degrees>().raw("20").await;
    /// }
    /// # let _ = test;
    /// ```
    #[track_caller]
    pub fn raw(&self, payload: impl Into<Bytes>) -> Sending<'a> {
        self.sending(Ok(vec![Some(payload.into())]))
    }

    /// A record whose payload is null.
    #[track_caller]
    pub fn tombstone(&self) -> Sending<'a> {
        self.sending(Ok(vec![None]))
    }

    #[track_caller]
    fn sending<D>(&self, payloads: Payloads) -> Sending<'a, D> {
        Sending {
            tester: self.tester,
            at: Location::caller(),
            payloads,
            record: NewRecord {
                cluster: self.tester.topology.cluster_of(Function::consumer::<C>()),
                topic: self.destination(),
                ..NewRecord::default()
            },
            settles: true,
            delivered: PhantomData,
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
pub struct Sending<'a, D = Delivery> {
    tester: &'a Tester,
    at: &'static Location<'static>,
    payloads: Payloads,
    /// What they have in common.
    record: NewRecord,
    settles: bool,
    delivered: PhantomData<fn() -> D>,
}

/// The payload of each record, or why one cannot be written.
type Payloads = Result<Vec<Option<Bytes>>, String>;

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

/// What a [`Sending`] returns: a [`Delivery`], or one of each record.
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
