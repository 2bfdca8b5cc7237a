//! Spies of producers: every record that was handed over, from the start of the tester on.

use crate::function::Function;
use crate::observed::Observed;
use crate::observed::source::{Phrases, Source, Typed};
use crate::tester::Tester;
use crate::topology::ClusterName;
use crate::watching::calls::RecordedOutput;
use crate::watching::journal::Journal;
use crate::watching::watcher::Watcher;
use fastkafka::record::Bytes;
use fastkafka_core::{Producer, Reads};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use tokio::sync::futures::Notified;

/// The records that a producer handed over, whether they were taken or not:
/// `tester.spy::<to_invoices>()`. Those that reached their topic are in
/// [`Received`](crate::Received).
pub type ProducerSpy<P> = Observed<ProducerCalls<P>>;

/// The records that a producer handed over.
pub struct ProducerCalls<P> {
    watcher: Watcher,
    journal: Journal,
    cluster: ClusterName,
    producer: PhantomData<fn() -> P>,
}

impl<P: Producer> fmt::Debug for ProducerCalls<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProducerCalls({})", Self::function())
    }
}

impl<P: Producer> Source for ProducerCalls<P> {
    type Item = Output<P>;
    const PHRASES: Phrases = Phrases {
        noun: "record",
        never: "has handed over nothing",
        once: "has handed over one record",
        often: ["has handed over", "records"],
    };

    fn function() -> Function {
        Function::producer::<P>()
    }

    fn items(&self) -> Vec<Output<P>> {
        let outputs = self.watcher.outputs(Self::function());
        outputs.into_iter().map(Output::new).collect()
    }

    fn changed(&self) -> Notified<'_> {
        self.watcher.changed()
    }

    fn sections(&self) -> Vec<(String, Vec<String>)> {
        let outputs = self.watcher.outputs(Self::function());
        let lines = outputs.iter().map(|output| output.line()).collect();
        vec![
            (format!("records of {}", Self::function()), lines),
            self.journal.section(self.cluster, P::DEF.topic),
        ]
    }
}

impl<P: Producer> Typed for ProducerCalls<P>
where
    P::Codec: Reads<P::Payload>,
{
    type Value = P::Payload;

    fn value(output: &Output<P>) -> Result<P::Payload, String> {
        match &output.recorded.payload {
            None => Err("a tombstone".to_owned()),
            Some(payload) => P::Codec::read(payload)
                .map_err(|error| format!("{} does not read back: {error}", output.recorded.line())),
        }
    }
}

impl<P: Producer> ProducerSpy<P> {
    #[track_caller]
    pub(crate) fn of_producer(tester: &Tester) -> Self {
        Self(ProducerCalls {
            cluster: tester.cluster_of(Function::producer::<P>()),
            watcher: tester.watcher().clone(),
            journal: tester.journal().clone(),
            producer: PhantomData,
        })
    }

    /// The records that it handed over, in order.
    pub fn calls(&self) -> Vec<Output<P>> {
        self.0.items()
    }
}

/// One record that a producer handed over.
pub struct Output<P> {
    recorded: Arc<RecordedOutput>,
    producer: PhantomData<fn() -> P>,
}

impl<P> Output<P> {
    fn new(recorded: Arc<RecordedOutput>) -> Self {
        Self {
            recorded,
            producer: PhantomData,
        }
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        &self.recorded.topic
    }

    /// The partition that the record asks for; `None`: by the key.
    pub fn partition(&self) -> Option<i32> {
        self.recorded.partition
    }

    /// The key.
    pub fn key(&self) -> Option<&Bytes> {
        self.recorded.key.as_ref()
    }

    /// The payload as the codec wrote it; `None` is a tombstone.
    pub fn payload(&self) -> Option<&Bytes> {
        self.recorded.payload.as_ref()
    }

    /// The headers, in order.
    pub fn headers(&self) -> &[(String, Option<Bytes>)] {
        &self.recorded.headers
    }

    /// Why the record was not taken: the queue is full. [`Received`](crate::Received) says whether a
    /// record that was taken did arrive.
    pub fn error(&self) -> Option<&str> {
        self.recorded.error.as_deref()
    }
}

impl<P> fmt::Debug for Output<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.recorded.line())
    }
}
