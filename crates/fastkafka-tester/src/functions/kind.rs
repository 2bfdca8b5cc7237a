//! What a test may ask of a function depends on whether it consumes or produces.

use crate::functions::mirror::Mirror;
use crate::functions::mock::{self, MockGuard};
use crate::functions::received::Received;
use crate::functions::spy::{ProducerSpy, Spy};
use crate::tester::Tester;
use fastkafka_core::Reads;
use fastkafka_core::{Consumer, Consumes, Owned, Producer, Produces, Register};
use std::fmt::Debug;

/// A function's kind, by what a test may ask of it.
pub trait Kind<F> {
    /// Of a consumer what sends to it, of a producer what it has sent.
    type Mirror<'a>;
    /// What was called, or handed over.
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

/// A function's kind, by what a mock of it is called with. The values must show themselves
/// (`Debug`), own their data, and have a codec with an inverse.
pub trait Mocked<F> {
    /// What the mock is called with.
    type Args: Debug + Send + 'static;
    /// What it returns.
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
    /// The mirror of a function, also where its topic alone would be ambiguous: of a consumer what
    /// sends to its topic ([`Mirror`]), of a producer what it has sent ([`Received`]).
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

    /// The calls of a handler ([`Spy`]) or what a producer handed over ([`ProducerSpy`]), since the
    /// tester started: every function is spied.
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

    /// Puts a mock in place of a handler's function and takes it out to be told what to expect;
    /// decoding, retries, dead letters and commits stay as they are. The other parameters are not
    /// made for it. A second call takes out the same mock for more expectations.
    ///
    /// The mock of a *producer* is called with each record that reached its topic; the producing
    /// function itself runs, with its spy.
    ///
    /// An expectation that is not met fails the test when the tester stops or is dropped, a call that
    /// was not expected also at the next [`Tester::settle`].
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
}
