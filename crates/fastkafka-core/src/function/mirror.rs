//! The view of a function that a test's mirrors, spies and mocks have.

use super::call::{CallContext, Run};
use super::consumer::Consumer;
use super::producer::Producer;
use crate::app::States;
use crate::delivery::failure::Rejection;
use crate::delivery::slot::DeliveryScope;
use crate::function::shape::InputOf;
use crate::record::{Fetched, Header, Record, TopicPartition};
use std::ops::Range;

/// The tester, as the mirrors of an app's functions see it: each function has a trait with one method,
/// `to_<topic>` or `on_<topic>`, for everything that implements this.
pub trait MirrorHost {
    /// The records that a producer has sent.
    type Received<P: Producer>;

    /// The records that a producer has sent.
    #[track_caller]
    fn received<P: Producer>(&self) -> Self::Received<P>;
}

/// A tester that can write what a consumer reads.
pub trait Sends<C: Consumer>: MirrorHost {
    /// A record on its way.
    type Sending<'a>
    where
        Self: 'a;

    /// Sends to a topic of the consumer's.
    #[track_caller]
    fn sending(&self, topic: &'static str, payload: C::Payload) -> Self::Sending<'_>;
}

/// A consumer whose first parameter borrows nothing from its record, so that it can be kept.
/// Implemented by the attribute, where that is so.
#[diagnostic::on_unimplemented(
    message = "the payload of `{Self}` borrows from its record, so a test cannot keep it",
    label = "mocks, and assertions on the value, need a payload that owns its data",
    note = "`tester.spy::<{Self}>().records()` has the records as bytes"
)]
pub trait Owned: Consumer {
    /// The same value, kept.
    fn owned(input: Self::Input<'_>) -> Self::Args;
}

/// Reads records once more into the handler's first parameter; `headers` are those of `records`, one by
/// one.
///
/// # Errors
/// When the first record does not decode.
pub fn read_again<C: Owned>(
    place: &'static TopicPartition,
    records: &[Record<'_>],
    headers: &[Vec<Header<'_>>],
) -> Result<C::Args, Rejection> {
    let run = Run {
        states: &States::default(),
        place,
        records,
        fetched: &Again { records, headers },
        base: 0,
        scope: &DeliveryScope::collecting(),
        single: false,
        attempt: 1,
        expired: None,
        letters: None,
    };
    let cx = CallContext::new(&run, 0, records.len());
    C::Input::gather(&cx, C::decode).map(|(input, _)| C::owned(input))
}

#[derive(Debug)]
struct Again<'a> {
    records: &'a [Record<'a>],
    headers: &'a [Vec<Header<'a>>],
}

impl Fetched for Again<'_> {
    fn len(&self) -> usize {
        self.records.len()
    }
    fn offset(&self, at: usize) -> i64 {
        self.records[at].offset
    }
    fn records<'r>(&'r self, range: Range<usize>, into: &mut Vec<Record<'r>>) {
        into.extend_from_slice(&self.records[range]);
    }
    fn headers(&self, at: usize) -> Vec<Header<'_>> {
        self.headers[at].clone()
    }
}
