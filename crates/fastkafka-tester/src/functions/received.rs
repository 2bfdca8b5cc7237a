//! Mirrors of producers: what a producer's records were when they reached their topics.

use crate::function::Function;
use crate::observed::report::record_line;
use crate::observed::{Observed, Phrases, Source, Typed};
use crate::tester::Tester;
use crate::topology::Name;
use crate::watching::journal::{Journal, TopicRecord};
use fastkafka_core::Producer;
use fastkafka_core::Reads;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use tokio::sync::futures::Notified;

/// What a producer has sent: `tester.on_<topic>()`, or `tester.mirror::<to_orders>()`.
///
/// It holds each record of this producer that reached a topic, from the start of the tester on, with
/// its payload read back by the inverse of the producer's encoder.
pub type Received<P> = Observed<Arrivals<P>>;

/// The records of a producer that reached a topic.
pub struct Arrivals<P> {
    journal: Journal,
    cluster: Name,
    producer: PhantomData<fn() -> P>,
}

impl<P: Producer> fmt::Debug for Arrivals<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arrivals({})", Self::function())
    }
}

impl<P: Producer> Source for Arrivals<P> {
    type Item = Arc<TopicRecord>;
    const PHRASES: Phrases = Phrases {
        noun: "record",
        never: "has sent nothing",
        once: "has sent one record",
        often: ["has sent", "records"],
    };

    fn function() -> Function {
        Function::producer::<P>()
    }

    fn items(&self) -> Vec<Arc<TopicRecord>> {
        self.journal.sent_by(Self::function())
    }

    fn changed(&self) -> Notified<'_> {
        self.journal.changed()
    }

    fn sections(&self) -> Vec<(String, Vec<String>)> {
        vec![self.journal.section(self.cluster, P::DEF.topic)]
    }
}

impl<P: Producer> Typed for Arrivals<P>
where
    P::Codec: Reads<P::Payload>,
{
    type Value = P::Payload;

    fn value(record: &Arc<TopicRecord>) -> Result<P::Payload, String> {
        match &record.payload {
            None => Err("a tombstone".to_owned()),
            Some(payload) => P::Codec::read(payload)
                .map_err(|error| format!("{} does not read back: {error}", record_line(record))),
        }
    }
}

impl<P: Producer> Received<P> {
    #[track_caller]
    pub(crate) fn new(tester: &Tester) -> Self {
        tester.must_have(Function::producer::<P>());
        Self(Arrivals {
            journal: tester.journal().clone(),
            cluster: tester.topology.cluster_of(Function::producer::<P>()),
            producer: PhantomData,
        })
    }

    /// The records as they are in their topics, tombstones included, in the order of arrival.
    pub fn records(&self) -> Vec<Arc<TopicRecord>> {
        self.0.items()
    }

    /// The payloads in the order of arrival; tombstones have none.
    ///
    /// # Panics
    /// If one does not read back.
    #[track_caller]
    pub fn messages(&self) -> Vec<P::Payload>
    where
        P::Codec: Reads<P::Payload>,
    {
        let mut records = self.0.items();
        records.retain(|record| record.payload.is_some());
        let values = records.iter().map(Arrivals::<P>::value);
        match values.collect() {
            Ok(messages) => messages,
            Err(why) => panic!("{}: {why}", Arrivals::<P>::function()),
        }
    }

    /// The last of [`Received::messages`].
    ///
    /// # Panics
    /// If it does not read back.
    #[track_caller]
    pub fn last(&self) -> Option<P::Payload>
    where
        P::Codec: Reads<P::Payload>,
    {
        self.messages().pop()
    }
}
