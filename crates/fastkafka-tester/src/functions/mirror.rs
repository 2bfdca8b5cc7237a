//! Mirrors of consumers: they send into a handler's topic.

use super::received::Received;
use super::sending::{Payloads, Sending};
use crate::function::Function;
use crate::record::NewRecord;
use crate::tester::Tester;
use crate::topology::ClusterName;
use bytes::Bytes;
use fastkafka::record::Delivery;
use fastkafka_core::{Consumer, MirrorHost, Producer, Sends, Writes};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

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

/// Sends into the topic of a handler: `tester.mirror::<on_orders>()`. For a handler that reads several
/// topics, or by pattern, choose one: `tester.mirror::<on_orders>().topic("orders.eu")`.
pub struct Mirror<'a, C> {
    tester: &'a Tester,
    cluster: ClusterName,
    /// `None`: the only topic that the handler reads.
    topic: Option<String>,
    consumer: PhantomData<fn() -> C>,
}

impl<'a, C: Consumer> Mirror<'a, C> {
    #[track_caller]
    pub(crate) fn new(tester: &'a Tester) -> Self {
        Self {
            tester,
            cluster: tester.cluster_of(Function::consumer::<C>()),
            topic: None,
            consumer: PhantomData,
        }
    }

    /// Chooses one of the handler's topics.
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
    /// If the handler does not read that topic: names those that it reads.
    #[must_use]
    #[track_caller]
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        let (topic, function) = (topic.into(), Function::consumer::<C>());
        // The plan is asked only when the definition alone does not answer.
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

    /// The chosen topic, or the only one.
    #[track_caller]
    fn destination(&self) -> String {
        match (&self.topic, C::DEF.topics) {
            (Some(topic), _) => topic.clone(),
            (None, [only]) => (*only).to_owned(),
            (None, _) => {
                let function = Function::consumer::<C>();
                let reads = self
                    .tester
                    .subscription(function)
                    .map_or_else(String::new, |reads| reads.to_string());
                let name = C::DEF.name;
                panic!(
                    "{function} reads {reads}: say which, `tester.mirror::<{name}>().topic(\"..\")`"
                )
            }
        }
    }

    /// Sends one record, written as the handler reads it; for a handler of batches one element.
    #[track_caller]
    pub fn send(&self, payload: C::Payload) -> Sending<'a>
    where
        C::Codec: Writes<C::Payload>,
    {
        self.sending(C::Codec::write(&payload).map(|bytes| vec![Some(bytes)]))
    }

    /// Sends a record for each payload, in this order, before any of them is waited for.
    #[track_caller]
    pub fn send_all(
        &self,
        payloads: impl IntoIterator<Item = C::Payload>,
    ) -> Sending<'a, Vec<Delivery>>
    where
        C::Codec: Writes<C::Payload>,
    {
        self.sending(
            payloads
                .into_iter()
                .map(|payload| C::Codec::write(&payload).map(Some))
                .collect(),
        )
    }

    /// Sends bytes that the handler's type may be unable to express, such as a payload that does not
    /// decode. A handler with a function as decoder is sent to in this way, because the function has no
    /// inverse:
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

    /// Sends a record whose payload is null.
    #[track_caller]
    pub fn tombstone(&self) -> Sending<'a> {
        self.sending(Ok(vec![None]))
    }

    #[track_caller]
    fn sending<D>(&self, payloads: Payloads) -> Sending<'a, D> {
        let record = NewRecord {
            cluster: self.cluster,
            topic: self.destination(),
            ..NewRecord::default()
        };
        Sending::new(self.tester, record, payloads, Location::caller())
    }
}

impl<C: Consumer> fmt::Debug for Mirror<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mirror({})", C::DEF.name)
    }
}
