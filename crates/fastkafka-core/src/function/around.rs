//! The hook around handler calls.

use crate::delivery::failure::Failure;
use crate::function::call::CallContext;
use crate::function::definition::ConsumerDef;
use crate::record::{EventMetadata, RawRecord};
use std::fmt;
use std::pin::Pin;

/// A call of a handler under way.
pub type HandlerFuture<'a> = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 'a>>;

/// A handler that is about to be called, and its records.
#[derive(Clone, Copy)]
pub struct HandlerCall<'a> {
    /// The handler.
    pub handler: &'static ConsumerDef,
    cx: &'a CallContext<'a>,
}

impl<'a> HandlerCall<'a> {
    pub(crate) fn new(handler: &'static ConsumerDef, cx: &'a CallContext<'a>) -> Self {
        Self { handler, cx }
    }

    /// Topic, partition, offset and time of the record, or of the first of a batch.
    pub fn metadata(&self) -> EventMetadata {
        *self.cx.metadata()
    }

    /// The records of the call: one, unless it is a batch.
    pub fn records(&self) -> impl ExactSizeIterator<Item = RawRecord<'a>> + use<'a> {
        self.cx.records()
    }

    /// The number of this attempt; 1 for the first.
    pub fn attempt(&self) -> u32 {
        self.cx.attempt()
    }
}

impl fmt::Debug for HandlerCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerCall")
            .field("handler", &self.handler.name)
            .field("metadata", &self.metadata())
            .finish_non_exhaustive()
    }
}

/// A hook around every handler call of an app: tracing context, metrics, deduplication.
///
/// `next` is the call, not begun yet. Return what it returned, or something else: a hook may skip
/// the call (return `Ok(())`), fail it, or change the failure. With a hook, each call costs two
/// boxed futures; without one, none.
///
/// ```
/// use fastkafka_core::{Around, HandlerCall, HandlerFuture};
///
/// struct Timed;
///
/// impl Around for Timed {
///     fn around<'a>(&'a self, call: HandlerCall<'a>, next: HandlerFuture<'a>) -> HandlerFuture<'a> {
///         Box::pin(async move {
///             let start = std::time::Instant::now();
///             let outcome = next.await;
///             println!("{} {:?}: {:?}", call.handler.name, call.metadata(), start.elapsed());
///             outcome
///         })
///     }
/// }
/// ```
pub trait Around: Send + Sync + 'static {
    /// Called for each attempt of each record or batch that was decoded.
    fn around<'a>(&'a self, call: HandlerCall<'a>, next: HandlerFuture<'a>) -> HandlerFuture<'a>;
}
