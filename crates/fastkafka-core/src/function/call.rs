//! A run of records, and the context of one call of the handler in it.

use crate::app::States;
use crate::delivery::failure::Failure;
use crate::delivery::slot::{DeliveryToken, ScopeRef};
use crate::record::{EventMetadata, Fetched, RawRecord, Record, TopicPartition};
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::AtomicUsize;

/// Consecutive records of one partition, handled by one boxed future.
#[derive(Debug)]
pub struct Run<'r> {
    /// The states of the app whose handler runs.
    pub states: &'r States,
    /// The partition of the records.
    pub place: &'static TopicPartition,
    /// The records.
    pub records: &'r [Record<'r>],
    /// The client's block of records, for the headers.
    pub fetched: &'r dyn Fetched,
    /// Index of `records[0]` in `fetched`.
    pub base: usize,
    /// The outputs of the records are charged to this scope.
    pub scope: &'r ScopeRef,
    /// Hand the records of a batch handler over one by one.
    pub single: bool,
    /// The number of this attempt for the first record; the others are tried for the first time.
    pub attempt: u32,
    /// For a handler on a thread of its own: the index of a record whose call took too long, and 1; 0 where none
    /// has.
    pub expired: Option<&'r AtomicUsize>,
    /// Where records go that have failed for the last time; `None` where nobody takes them at once.
    pub letters: Option<&'r dyn Letters>,
}

/// The dead letters of a run: the end of a record that cannot be handled, which nobody waits for. A letter is an
/// output of its record: its offset waits for the report, the next record does not.
pub trait Letters: fmt::Debug + Sync {
    /// True when this failure of the record at `at`, which was called alone, is the last one.
    fn is_last(&self, at: usize, failure: &Failure) -> bool;

    /// Sends the record at `at`, which the token keeps open.
    ///
    /// # Errors
    /// The failure, when the letter is not taken or has to wait for room: the record has failed as any other then.
    fn send(&self, at: usize, failure: Failure, token: DeliveryToken) -> Result<(), Failure>;
}

/// The handlers of one run.
pub type RunFuture<'r> = Pin<Box<dyn Future<Output = RunEnd> + Send + 'r>>;

/// The end of a run. If neither all are handled nor one failed, the run was asked to stop.
#[derive(Debug)]
pub struct RunEnd {
    /// The number of records that were handled.
    pub handled: usize,
    /// The number of records after those that failed together (a batch, else one), and the reason.
    pub failure: Option<(usize, Failure)>,
}

/// The source of a handler's parameters: one record, or the records of a batch.
#[derive(Debug)]
pub struct CallContext<'r> {
    run: &'r Run<'r>,
    first: usize,
    len: usize,
    metadata: EventMetadata,
}

impl<'r> CallContext<'r> {
    /// The context of a call with the `len` records from index `first` on.
    pub(crate) fn new(run: &'r Run<'r>, first: usize, len: usize) -> Self {
        Self {
            run,
            first,
            len,
            metadata: EventMetadata::from_record(run.place, &run.records[first]),
        }
    }

    /// The call takes only its first `len` records: a batch ends before one that does not decode.
    pub(crate) fn shorten(&mut self, len: usize) {
        self.len = len;
    }

    /// The app's value of type `T`, if one was given to the builder.
    pub fn state<T: 'static>(&self) -> Option<&'r T> {
        self.run.states.get()
    }

    pub(crate) fn states(&self) -> &'r States {
        self.run.states
    }

    /// Keeps the first record open until the token is settled.
    pub(crate) fn token(&self) -> DeliveryToken {
        self.run.scope.token(self.first)
    }

    /// The first record's metadata.
    pub fn metadata(&self) -> &EventMetadata {
        &self.metadata
    }

    /// The records, one unless the handler takes batches.
    pub fn records(&self) -> impl ExactSizeIterator<Item = RawRecord<'r>> + use<'r> {
        let (run, first) = (self.run, self.first);
        (0..self.len).map(move |i| raw(run, first + i))
    }

    /// The first record.
    #[inline]
    pub fn record(&self) -> RawRecord<'r> {
        raw(self.run, self.first)
    }

    /// The number of this attempt; 1 for the first.
    pub fn attempt(&self) -> u32 {
        if self.first == 0 { self.run.attempt } else { 1 }
    }
}

#[inline]
fn raw<'r>(run: &'r Run<'r>, at: usize) -> RawRecord<'r> {
    RawRecord::new(run.place, &run.records[at], run.fetched, run.base + at)
}
