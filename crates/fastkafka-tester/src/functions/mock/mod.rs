//! Mocks: they take the place of a handler, or the records that a producer has sent.

mod cell;

pub use self::cell::MockHandler;

use self::cell::MockCell;
use crate::function::Function;
use crate::lines::record_line;
use crate::record::TopicRecord;
use crate::tester::Tester;
use crate::watching::mock::{COMPLAINT, Mock};
use crate::watching::watcher::Watcher;
use fastkafka::error::Rejection;
use fastkafka_core::{
    CallContext, Consumer, Hooks, Invoke, Owned, Producer, Reads, Run, RunFuture, run_with,
};
use std::any::Any;
use std::fmt::{self, Debug};
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;

/// The mock of a handler.
struct HandlerMock<C: Consumer>(Arc<MockCell<C::Args, C::Output>>);

impl<C: Owned> Invoke<C> for HandlerMock<C>
where
    C::Args: Debug + Send,
{
    async fn invoke<'a>(
        &'a self,
        input: C::Input<'a>,
        _: &'a CallContext<'a>,
    ) -> Result<C::Output, Rejection> {
        Ok(self.0.call(C::owned(input)).await)
    }
}

impl<C: Owned> Mock for HandlerMock<C>
where
    C::Args: Debug + Send,
{
    fn run<'r>(self: Arc<Self>, run: &'r Run<'r>, hooks: Hooks<'r>) -> RunFuture<'r> {
        Box::pin(async move { run_with::<C, Self>(run, hooks, &self).await })
    }

    fn blocked_call(&self) -> Option<String> {
        self.0.blocked_call()
    }

    fn verify(&self) -> Option<String> {
        self.0.verify()
    }
}

/// The mock of a producer. It takes the records that the producer has sent.
struct ProducerMock<P: Producer>(Arc<MockCell<P::Payload, ()>>);

impl<P: Producer> Mock for ProducerMock<P>
where
    P::Payload: Debug + Send,
{
    fn run<'r>(self: Arc<Self>, _: &'r Run<'r>, _: Hooks<'r>) -> RunFuture<'r> {
        unreachable!("a producer handles no runs")
    }

    fn blocked_call(&self) -> Option<String> {
        // Payloads are kept until the mock is back: nothing waits.
        None
    }

    fn verify(&self) -> Option<String> {
        self.0.verify()
    }
}

/// The mock of a consumer.
#[track_caller]
pub(crate) fn of_consumer<C: Owned>(tester: &Tester) -> MockGuard<C::Args, C::Output>
where
    C::Args: Debug + Send,
{
    let function = Function::consumer::<C>();
    tester.cluster_of(function);
    let watcher = tester.watcher();
    if let Some(mock) = known::<HandlerMock<C>>(watcher, function) {
        return MockGuard::take(&mock.0, watcher);
    }
    let cell = MockCell::new(function, Location::caller(), watcher.notifier());
    watcher.set_mock(function, Arc::new(HandlerMock::<C>(cell.clone())));
    MockGuard::new(cell, watcher)
}

/// The mock of a producer.
#[track_caller]
pub(crate) fn of_producer<P: Producer>(tester: &Tester) -> MockGuard<P::Payload, ()>
where
    P::Codec: Reads<P::Payload>,
    P::Payload: Debug + Send,
{
    let function = Function::producer::<P>();
    tester.cluster_of(function);
    let watcher = tester.watcher();
    if let Some(mock) = known::<ProducerMock<P>>(watcher, function) {
        return MockGuard::take(&mock.0, watcher);
    }
    let cell = MockCell::new(function, Location::caller(), watcher.notifier());
    watcher.set_mock(function, Arc::new(ProducerMock::<P>(cell.clone())));
    let (sent_to, observer) = (cell.clone(), watcher.clone());
    tester.journal().observe(Arc::new(move |record| {
        if record.producer == Some(function) {
            let complaints = match read::<P>(function, record) {
                Ok(payload) => sent_to.call_later(payload),
                Err(complaint) => vec![complaint],
            };
            for complaint in complaints {
                observer.fail(complaint);
            }
        }
    }));
    MockGuard::new(cell, watcher)
}

/// The mock that a function has already.
fn known<M: Mock>(watcher: &Watcher, function: Function) -> Option<Arc<M>> {
    let mock: Arc<dyn Any + Send + Sync> = watcher.mock(function)?;
    Some(mock.downcast().expect("a function has one type of mock"))
}

/// The payload of a record that the producer has sent.
///
/// # Errors
/// Why the mock cannot take it.
fn read<P: Producer>(function: Function, record: &TopicRecord) -> Result<P::Payload, String>
where
    P::Codec: Reads<P::Payload>,
{
    let payload = match &record.payload {
        None => Err("it takes payloads, and this is a tombstone; assert on the records".to_owned()),
        Some(payload) => P::Codec::read(payload),
    };
    payload.map_err(|why| {
        format!(
            "{COMPLAINT}{}` cannot take {}: {why}",
            function.name(),
            record_line(record)
        )
    })
}

/// A mock in the hands of the test: `tester.mock::<on_orders>().expect_call()..`. Dropping the guard
/// puts it in the place of its function; a call that arrives before that waits.
#[must_use = "without an expectation a mock fails the test at its first call"]
pub struct MockGuard<A: Debug + Send + 'static, R: Send + 'static> {
    mock: Option<MockHandler<A, R>>,
    cell: Arc<MockCell<A, R>>,
    watcher: Watcher,
}

impl<A: Debug + Send + 'static, R: Send + 'static> MockGuard<A, R> {
    /// A new mock for a new cell.
    fn new(cell: Arc<MockCell<A, R>>, watcher: &Watcher) -> Self {
        Self {
            mock: Some(MockHandler::new()),
            cell,
            watcher: watcher.clone(),
        }
    }

    /// Takes the mock of a cell out.
    #[track_caller]
    fn take(cell: &Arc<MockCell<A, R>>, watcher: &Watcher) -> Self {
        Self {
            mock: Some(cell.take()),
            cell: cell.clone(),
            watcher: watcher.clone(),
        }
    }
}

impl<A: Debug + Send + 'static, R: Send + 'static> Deref for MockGuard<A, R> {
    type Target = MockHandler<A, R>;
    fn deref(&self) -> &MockHandler<A, R> {
        self.mock.as_ref().expect("only `drop` takes it")
    }
}

impl<A: Debug + Send + 'static, R: Send + 'static> DerefMut for MockGuard<A, R> {
    fn deref_mut(&mut self) -> &mut MockHandler<A, R> {
        self.mock.as_mut().expect("only `drop` takes it")
    }
}

impl<A: Debug + Send + 'static, R: Send + 'static> Drop for MockGuard<A, R> {
    fn drop(&mut self) {
        if let Some(mock) = self.mock.take() {
            for complaint in self.cell.put(mock) {
                self.watcher.fail(complaint);
            }
        }
    }
}

impl<A: Debug + Send + 'static, R: Send + 'static> Debug for MockGuard<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MockGuard({})", self.cell.function)
    }
}
