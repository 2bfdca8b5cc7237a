//! Mirrors of producers: the records of a producer that reached their topics.

use crate::function::Function;
use crate::lines::record_line;
use crate::observed::Observed;
use crate::observed::source::{Phrases, Source, Typed};
use crate::record::TopicRecord;
use crate::tester::Tester;
use crate::topology::ClusterName;
use crate::watching::journal::Journal;
use fastkafka_core::{Producer, Reads};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use tokio::sync::futures::Notified;

/// The records that a producer has sent: `tester.on_<topic>()`, or `tester.mirror::<to_orders>()`.
///
/// It holds each record of this producer that reached a topic since the tester started. The inverse of
/// the producer's encoder reads the payloads.
pub type Received<P> = Observed<Arrivals<P>>;

/// The records of a producer that reached a topic.
pub struct Arrivals<P> {
    journal: Journal,
    cluster: ClusterName,
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
        Self(Arrivals {
            journal: tester.journal().clone(),
            cluster: tester.cluster_of(Function::producer::<P>()),
            producer: PhantomData,
        })
    }

    /// The records as they are in their topics, tombstones included, in the order of arrival.
    pub fn records(&self) -> Vec<Arc<TopicRecord>> {
        self.0.items()
    }

    /// The payloads in the order of arrival. Tombstones are left out.
    ///
    /// # Panics
    /// If a payload does not read back.
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
    /// If a payload does not read back.
    #[track_caller]
    pub fn last(&self) -> Option<P::Payload>
    where
        P::Codec: Reads<P::Payload>,
    {
        self.messages().pop()
    }
}
