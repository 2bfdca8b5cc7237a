//! Spies: every call of a handler and every record that a producer handed over, from the start on.

use crate::function::Function;
use crate::observed::report::{content_line, record_line};
use crate::observed::{Observed, Phrases, Source, Typed};
use crate::subscription::Subscription;
use crate::tester::Tester;
use crate::topology::Name;
use crate::watching::calls::{CallOutcome, HandedOver, Recorded};
use crate::watching::journal::{Journal, TopicRecord};
use crate::watching::watcher::Watcher;
use fastkafka::EventMetadata;
use fastkafka::record::Bytes;
use fastkafka_core::Reads;
use fastkafka_core::{Consumer, Owned, Producer};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::futures::Notified;

/// The calls of a handler: `tester.spy::<on_orders>()`. A handler that a mock stands in for is spied
/// all the same.
pub type Spy<C> = Observed<HandlerCalls<C>>;

/// The records that a producer handed over, whether they were taken or not:
/// `tester.spy::<to_invoices>()`. Those that reached their topic are in
/// [`Received`](crate::Received).
pub type ProducerSpy<P> = Observed<ProducerCalls<P>>;

/// The calls of a handler.
pub struct HandlerCalls<C> {
    watcher: Watcher,
    journal: Journal,
    cluster: Name,
    reads: Option<Subscription>,
    consumer: PhantomData<fn() -> C>,
}

impl<C: Consumer> HandlerCalls<C> {
    fn recorded(&self) -> Vec<Arc<Recorded>> {
        self.watcher.calls(Self::function())
    }
}

impl<C: Consumer> fmt::Debug for HandlerCalls<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HandlerCalls({})", Self::function())
    }
}

impl<C: Consumer> Source for HandlerCalls<C> {
    type Item = Call<C>;
    const PHRASES: Phrases = Phrases {
        noun: "call",
        never: "was never called",
        once: "was called once",
        often: ["was called", "times"],
    };

    fn function() -> Function {
        Function::consumer::<C>()
    }

    fn items(&self) -> Vec<Call<C>> {
        let mut calls = self.recorded();
        calls.retain(|call| call.is_call());
        calls.into_iter().map(Call::new).collect()
    }

    fn changed(&self) -> Notified<'_> {
        self.watcher.changed()
    }

    fn sections(&self) -> Vec<(String, Vec<String>)> {
        let calls = self.recorded();
        let calls = calls.iter().map(|call| call.line()).collect();
        let calls = (format!("calls of {}", Self::function()), calls);
        let records = match &self.reads {
            Some(reads @ Subscription::Pattern(_)) => {
                let takes = |topic: &str| reads.takes(topic);
                let records = self
                    .journal
                    .section_of(self.cluster, &reads.to_string(), takes);
                vec![records]
            }
            _ => {
                let topics = C::DEF.topics.iter();
                topics
                    .map(|topic| self.journal.section(self.cluster, topic))
                    .collect()
            }
        };
        [calls].into_iter().chain(records).collect()
    }
}

impl<C: Owned> Typed for HandlerCalls<C> {
    type Value = C::Args;

    fn value(call: &Call<C>) -> Result<C::Args, String> {
        call.recorded.args::<C>().map_err(|error| error.to_string())
    }
}

impl<C: Consumer> Spy<C> {
    #[track_caller]
    pub(crate) fn of_consumer(tester: &Tester) -> Self {
        let function = Function::consumer::<C>();
        tester.must_have(function);
        // Topics that have a name say it themselves.
        let by_pattern = C::DEF.pattern.and_then(|_| tester.subscription(function));
        Self(HandlerCalls {
            reads: by_pattern,
            watcher: tester.watcher().clone(),
            journal: tester.journal().clone(),
            cluster: tester.topology.cluster_of(function),
            consumer: PhantomData,
        })
    }

    /// The calls in the order in which they began.
    pub fn calls(&self) -> Vec<Call<C>> {
        self.0.items()
    }

    /// The records of all calls, as they were read.
    pub fn records(&self) -> Vec<TopicRecord> {
        let calls = self.0.items();
        calls
            .iter()
            .flat_map(|call| call.records().to_vec())
            .collect()
    }

    /// The records that do not fit the handler's parameters, so that it was not called, and why not:
    /// a payload that does not decode, a key that is missing.
    pub fn refused(&self) -> Vec<(TopicRecord, String)> {
        let calls = self.0.recorded();
        let refused = calls.into_iter().filter_map(|call| match call.outcome() {
            CallOutcome::Refused(why) => Some((call.records.first()?.clone(), why)),
            _ => None,
        });
        refused.collect()
    }
}

/// One call of a handler.
pub struct Call<C> {
    recorded: Arc<Recorded>,
    consumer: PhantomData<fn() -> C>,
}

impl<C: Consumer> Call<C> {
    fn new(recorded: Arc<Recorded>) -> Self {
        Self {
            recorded,
            consumer: PhantomData,
        }
    }

    /// The records it was called with: one, unless it takes batches.
    pub fn records(&self) -> &[TopicRecord] {
        &self.recorded.records
    }

    /// Where the record, or the first of a batch, stands.
    pub fn metadata(&self) -> EventMetadata {
        self.recorded.metadata
    }

    /// 1 for the first attempt.
    pub fn attempt(&self) -> u32 {
        self.recorded.attempt
    }

    /// What came of it.
    pub fn outcome(&self) -> CallOutcome {
        self.recorded.outcome()
    }

    /// How long it took, in virtual time where the test has that; `None` while it runs.
    pub fn duration(&self) -> Option<Duration> {
        self.recorded.took()
    }

    /// The first argument, decoded once more.
    ///
    /// # Panics
    /// If the decoder gives another answer than it gave the handler.
    #[track_caller]
    pub fn args(&self) -> C::Args
    where
        C: Owned,
    {
        match self.recorded.args::<C>() {
            Ok(args) => args,
            Err(why) => panic!(
                "{}: {why}, yet it did decode for the handler",
                self.recorded.function
            ),
        }
    }
}

impl<C> fmt::Debug for Call<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.recorded.line())
    }
}

impl Recorded {
    /// The call in one line.
    pub(crate) fn line(&self) -> String {
        let record = self.records.first().map(record_line).unwrap_or_default();
        let more = match self.records.len() {
            0 | 1 => String::new(),
            more => format!(" and {} more", more - 1),
        };
        let attempt = match self.attempt {
            1 => String::new(),
            attempt => format!("attempt {attempt} "),
        };
        let outcome = match self.outcome() {
            CallOutcome::Running => "is running".to_owned(),
            CallOutcome::Done if !self.is_call() => "skipped by the hook".to_owned(),
            CallOutcome::Done => "done".to_owned(),
            CallOutcome::Refused(why) => format!("refused: {why}"),
            CallOutcome::Failed { error, .. } => format!("failed: {error}"),
            CallOutcome::Panicked(text) => format!("panicked: {text}"),
            CallOutcome::GivenUp => "was given up".to_owned(),
        };
        format!("{record}{more} => {attempt}{outcome}")
    }
}

/// The records that a producer handed over.
pub struct ProducerCalls<P> {
    watcher: Watcher,
    journal: Journal,
    cluster: Name,
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
        let outputs = outputs.iter().map(|output| output.line()).collect();
        vec![
            (format!("records of {}", Self::function()), outputs),
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
        match &output.handed.payload {
            None => Err("a tombstone".to_owned()),
            Some(payload) => P::Codec::read(payload)
                .map_err(|error| format!("{} does not read back: {error}", output.handed.line())),
        }
    }
}

impl<P: Producer> ProducerSpy<P> {
    #[track_caller]
    pub(crate) fn of_producer(tester: &Tester) -> Self {
        let function = Function::producer::<P>();
        tester.must_have(function);
        Self(ProducerCalls {
            watcher: tester.watcher().clone(),
            journal: tester.journal().clone(),
            cluster: tester.topology.cluster_of(function),
            producer: PhantomData,
        })
    }

    /// What it handed over, in order.
    pub fn calls(&self) -> Vec<Output<P>> {
        self.0.items()
    }
}

/// One record that a producer handed over.
pub struct Output<P> {
    handed: Arc<HandedOver>,
    producer: PhantomData<fn() -> P>,
}

impl<P> Output<P> {
    fn new(handed: Arc<HandedOver>) -> Self {
        Self {
            handed,
            producer: PhantomData,
        }
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        &self.handed.topic
    }

    /// The partition it asks for; `None`: by the key.
    pub fn partition(&self) -> Option<i32> {
        self.handed.partition
    }

    /// The key.
    pub fn key(&self) -> Option<&Bytes> {
        self.handed.key.as_ref()
    }

    /// The payload as it was written; `None` is a tombstone.
    pub fn payload(&self) -> Option<&Bytes> {
        self.handed.payload.as_ref()
    }

    /// The headers in order.
    pub fn headers(&self) -> &[(String, Option<Bytes>)] {
        &self.handed.headers
    }

    /// Why it was not taken: the queue is full. Whether what was taken did arrive,
    /// [`Received`](crate::Received) says.
    pub fn error(&self) -> Option<&str> {
        self.handed.error.as_deref()
    }
}

impl<P> fmt::Debug for Output<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.handed.line())
    }
}

impl HandedOver {
    /// The record in one line.
    pub(crate) fn line(&self) -> String {
        let line = content_line(&self.topic, self.key.as_deref(), self.payload.as_deref());
        match &self.error {
            None => line,
            Some(error) => format!("{line} => refused: {error}"),
        }
    }
}
