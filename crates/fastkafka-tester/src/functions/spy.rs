//! Spies of handlers: every call, from the start of the tester on.

use crate::function::Function;
use crate::observed::Observed;
use crate::observed::source::{Phrases, Source, Typed};
use crate::record::TopicRecord;
use crate::subscription::Subscription;
use crate::tester::Tester;
use crate::topology::ClusterName;
use crate::watching::calls::{CallOutcome, RecordedCall};
use crate::watching::journal::Journal;
use crate::watching::watcher::Watcher;
use fastkafka::EventMetadata;
use fastkafka_core::{Consumer, Owned};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::futures::Notified;

/// The calls of a handler: `tester.spy::<on_orders>()`. A handler that has a mock is spied all the
/// same.
pub type Spy<C> = Observed<HandlerCalls<C>>;

/// The calls of a handler.
pub struct HandlerCalls<C> {
    watcher: Watcher,
    journal: Journal,
    cluster: ClusterName,
    /// Of a handler with a pattern: its topics have to be looked up.
    pattern: Option<Subscription>,
    consumer: PhantomData<fn() -> C>,
}

impl<C: Consumer> HandlerCalls<C> {
    fn recorded(&self) -> Vec<Arc<RecordedCall>> {
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
        let lines = calls.iter().map(|call| call.line()).collect();
        let mut sections = vec![(format!("calls of {}", Self::function()), lines)];
        match &self.pattern {
            Some(pattern) => sections.push(self.journal.section_of(
                self.cluster,
                &pattern.to_string(),
                |topic| pattern.takes(topic),
            )),
            None => {
                let topics = C::DEF.topics.iter();
                sections.extend(topics.map(|topic| self.journal.section(self.cluster, topic)));
            }
        }
        sections
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
        Self(HandlerCalls {
            cluster: tester.cluster_of(function),
            pattern: C::DEF.pattern.and_then(|_| tester.subscription(function)),
            watcher: tester.watcher().clone(),
            journal: tester.journal().clone(),
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

    /// The records for which the handler was not called because they do not fit its parameters, each with
    /// the reason: a payload that does not decode, a key that is missing.
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
    recorded: Arc<RecordedCall>,
    consumer: PhantomData<fn() -> C>,
}

impl<C: Consumer> Call<C> {
    fn new(recorded: Arc<RecordedCall>) -> Self {
        Self {
            recorded,
            consumer: PhantomData,
        }
    }

    /// The records of the call: one, unless the handler takes batches.
    pub fn records(&self) -> &[TopicRecord] {
        &self.recorded.records
    }

    /// Topic, partition, offset and so on of the record, or of the first of a batch.
    pub fn metadata(&self) -> EventMetadata {
        self.recorded.metadata
    }

    /// The number of the attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.recorded.attempt
    }

    /// The outcome so far.
    pub fn outcome(&self) -> CallOutcome {
        self.recorded.outcome()
    }

    /// The duration, in virtual time where the test has that; `None` while the call runs.
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
