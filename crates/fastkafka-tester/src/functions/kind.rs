//! The mirror, the spy and the mock of a function, by its kind: it consumes or it produces.

use super::mirror::Mirror;
use super::mock::{self, MockGuard};
use super::producer_spy::ProducerSpy;
use super::received::Received;
use super::spy::Spy;
use crate::function::Function;
use crate::tester::Tester;
use fastkafka_core::{Consumer, Consumes, Owned, Producer, Produces, Reads, Register};
use std::fmt::Debug;
use std::time::Duration;

/// A function's kind, with the types of its mirror and its spy.
pub trait Kind<F> {
    /// For a consumer the sender to its topic, for a producer the records it has sent.
    type Mirror<'a>;
    /// The calls of a consumer, or the records that a producer handed over.
    type Spy;
    #[doc(hidden)]
    #[track_caller]
    fn mirror(tester: &Tester) -> Self::Mirror<'_>;
    #[doc(hidden)]
    #[track_caller]
    fn spy(tester: &Tester) -> Self::Spy;
}

impl<C: Consumer> Kind<C> for Consumes {
    type Mirror<'a> = Mirror<'a, C>;
    type Spy = Spy<C>;
    fn mirror(tester: &Tester) -> Mirror<'_, C> {
        Mirror::new(tester)
    }
    fn spy(tester: &Tester) -> Spy<C> {
        Spy::of_consumer(tester)
    }
}

impl<P: Producer> Kind<P> for Produces {
    type Mirror<'a> = Received<P>;
    type Spy = ProducerSpy<P>;
    fn mirror(tester: &Tester) -> Received<P> {
        Received::new(tester)
    }
    fn spy(tester: &Tester) -> ProducerSpy<P> {
        ProducerSpy::of_producer(tester)
    }
}

/// A function's kind, with the types of its mock. The values must implement `Debug`, own their data,
/// and have a codec with an inverse.
pub trait Mocked<F> {
    /// The argument of the mock.
    type Args: Debug + Send + 'static;
    /// The result of the mock.
    type Output: Send + 'static;
    #[doc(hidden)]
    #[track_caller]
    fn mock(tester: &Tester) -> MockGuard<Self::Args, Self::Output>;
}

impl<C: Owned> Mocked<C> for Consumes
where
    C::Args: Debug + Send,
{
    type Args = C::Args;
    type Output = C::Output;
    fn mock(tester: &Tester) -> MockGuard<C::Args, C::Output> {
        mock::of_consumer::<C>(tester)
    }
}

impl<P: Producer> Mocked<P> for Produces
where
    P::Codec: Reads<P::Payload>,
    P::Payload: Debug + Send,
{
    type Args = P::Payload;
    type Output = ();
    fn mock(tester: &Tester) -> MockGuard<P::Payload, ()> {
        mock::of_producer::<P>(tester)
    }
}

impl Tester {
    /// The mirror of a function: for a consumer the sender to its topic ([`Mirror`]), for a producer the
    /// records that it has sent ([`Received`]). It also works where the names `to_<topic>` and
    /// `on_<topic>` are ambiguous.
    ///
    /// # Panics
    /// If the function belongs to no app of this tester.
    #[track_caller]
    pub fn mirror<F: Register>(&self) -> <F::Kind as Kind<F>>::Mirror<'_>
    where
        F::Kind: Kind<F>,
    {
        F::Kind::mirror(self)
    }

    /// The calls of a handler ([`Spy`]), or the records that a producer handed over ([`ProducerSpy`]),
    /// since the tester started. Every function has a spy.
    ///
    /// # Panics
    /// If the function belongs to no app of this tester.
    #[track_caller]
    pub fn spy<F: Register>(&self) -> <F::Kind as Kind<F>>::Spy
    where
        F::Kind: Kind<F>,
    {
        F::Kind::spy(self)
    }

    /// Puts a mock in place of a handler's function, and returns a guard that takes the expectations.
    /// Decoding, retries, dead letters and commits stay as they are. The handler's other parameters are
    /// not made. A second call returns a guard of the same mock, for more expectations.
    ///
    /// The mock of a *producer* is called with each record that reached its topic; the producing
    /// function itself runs, with its spy.
    ///
    /// An expectation that is not met fails the test when the tester stops or is dropped. A call that
    /// was not expected also fails it at the next [`Tester::settle`].
    ///
    /// # Panics
    /// While the guard of an earlier call for this function is held, and if the function belongs to no
    /// app of this tester.
    #[track_caller]
    pub fn mock<F: Register>(
        &self,
    ) -> MockGuard<<F::Kind as Mocked<F>>::Args, <F::Kind as Mocked<F>>::Output>
    where
        F::Kind: Mocked<F>,
    {
        F::Kind::mock(self)
    }

    /// Delays each call of a handler from here on: that much of the test's time passes before its function
    /// is called. For time limits, and for rebalances and crashes in the middle of a call.
    pub fn slow<C: Consumer>(&self, time: Duration) {
        self.watcher().slow(Function::consumer::<C>(), time);
    }
}
