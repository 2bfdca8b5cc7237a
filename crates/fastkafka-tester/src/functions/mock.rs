//! Mocks: what stands in for a handler, or takes what a producer has sent.

use crate::function::Function;
use crate::observed::report::record_line;
use crate::tester::Tester;
use crate::watching::journal::TopicRecord;
use crate::watching::watcher::Watcher;
use fastkafka::error::Rejection;
use fastkafka_core::Reads;
use fastkafka_core::{
    CallContext, Consumer, Hooks, Invoke, Owned, Producer, Run, RunFuture, panic_text, run_with,
};
use std::any::Any;
use std::collections::VecDeque;
use std::fmt::{self, Debug};
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

mod generated {
    // mockall documents what it generates for no one.
    #![allow(missing_docs, missing_debug_implementations, clippy::all)]

    mockall::mock! {
        /// One mock type for every function: `A` is what it is called with, `R` what it returns.
        pub Handler<A: 'static, R: 'static> {
            pub fn call(&self, args: A) -> R;
        }
    }
}
pub use generated::MockHandler;

/// What the watcher and the tester ask of a mock.
pub(crate) trait Mock: Any + Send + Sync {
    /// Handles a run in the function's place.
    fn run<'r>(self: Arc<Self>, run: &'r Run<'r>, hooks: Hooks<'r>) -> RunFuture<'r>;
    /// That a call waits for it while the test holds its guard.
    fn waited_for(&self) -> Option<String>;
    /// The expectations that are not met.
    fn verify(&self) -> Option<String>;
}

/// A mock in its function's place, or taken out by the test to be told what to expect.
pub(crate) struct Slot<A: 'static, R: 'static> {
    function: Function,
    state: Mutex<State<A, R>>,
    back: Notify,
    /// Rung when a call has to wait.
    wakeup: Arc<Notify>,
}

struct State<A: 'static, R: 'static> {
    mock: Option<MockHandler<A, R>>,
    /// Where the test took it out last.
    at: &'static Location<'static>,
    /// Handler calls that wait for it.
    waiting: usize,
    /// What producers sent meanwhile.
    sent: VecDeque<A>,
}

impl<A: Debug + Send + 'static, R: Send + 'static> Slot<A, R> {
    fn state(&self) -> MutexGuard<'_, State<A, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new one, taken out.
    fn new(function: Function, at: &'static Location<'static>, wakeup: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self {
            function,
            state: Mutex::new(State {
                mock: None,
                at,
                waiting: 0,
                sent: VecDeque::new(),
            }),
            back: Notify::new(),
            wakeup,
        })
    }

    #[track_caller]
    fn take_out(self: Arc<Self>, watcher: &Watcher) -> MockGuard<A, R> {
        let mut state = self.state();
        let Some(mock) = state.mock.take() else {
            let (function, at) = (self.function, state.at);
            drop(state);
            panic!(
                "the mock of {function} is being told what to expect already, at {at}: drop that guard first"
            );
        };
        state.at = Location::caller();
        drop(state);
        MockGuard {
            mock: Some(mock),
            slot: self,
            watcher: watcher.clone(),
        }
    }

    /// Calls the mock as soon as it is in its place.
    async fn call(&self, args: A) -> R {
        loop {
            let back = self.back.notified();
            let mut back = std::pin::pin!(back);
            back.as_mut().enable();
            {
                let state = self.state();
                if let Some(mock) = &state.mock {
                    return self.named(mock, state.at, args);
                }
            }
            let _waits = Waits::new(self);
            back.await;
        }
    }

    /// Calls the mock with what a producer has sent, once it is in its place.
    fn sent(&self, args: A, watcher: &Watcher) {
        self.state().sent.push_back(args);
        self.drain(watcher);
    }

    fn drain(&self, watcher: &Watcher) {
        let mut state = self.state();
        let State { mock, at, sent, .. } = &mut *state;
        let Some(mock) = mock else { return };
        for args in sent.drain(..) {
            let called = catch_unwind(AssertUnwindSafe(|| self.named(mock, at, args)));
            if let Err(panic) = called {
                watcher.fail(panic_text(&*panic).to_owned());
            }
        }
    }
}

/// A call that waits for the test to put the mock back.
struct Waits<'a, A: Debug + Send + 'static, R: Send + 'static>(&'a Slot<A, R>);

impl<'a, A: Debug + Send + 'static, R: Send + 'static> Waits<'a, A, R> {
    fn new(slot: &'a Slot<A, R>) -> Self {
        slot.state().waiting += 1;
        slot.wakeup.notify_waiters();
        Self(slot)
    }
}

impl<A: Debug + Send + 'static, R: Send + 'static> Drop for Waits<'_, A, R> {
    fn drop(&mut self) {
        self.0.state().waiting -= 1;
    }
}

/// What mockall calls the generic mock.
const GENERIC: &str = "MockHandler::call";
/// How a mock's complaint begins.
const COMPLAINT: &str = "mock of `";

/// True for the text of a panic that says a call was not expected.
pub(crate) fn is_mismatch(text: &str) -> bool {
    text.starts_with(COMPLAINT)
}

/// What mockall complains of, without its name for the mock; `None` if the text is none of its own.
fn complaint(text: &str) -> Option<&str> {
    let complaint = text.strip_prefix(GENERIC)?;
    Some(complaint.trim_start_matches("(?)").trim_start_matches(": "))
}

impl<A: Debug + Send + 'static, R: Send + 'static> Slot<A, R> {
    /// Calls the mock. mockall knows neither the function nor how to show the arguments.
    fn named(&self, mock: &MockHandler<A, R>, at: &Location<'_>, args: A) -> R {
        let shown = format!("{args:?}");
        let panic = match catch_unwind(AssertUnwindSafe(|| mock.call(args))) {
            Ok(returned) => return returned,
            Err(panic) => panic,
        };
        let function = self.function;
        match complaint(panic_text(&*panic)) {
            Some(complaint) => resume_unwind(Box::new(format!(
                "mock of {function} was called with {shown}: {complaint}\n  set up at {at}"
            ))),
            None => resume_unwind(panic),
        }
    }

    fn unmet(&self) -> Option<String> {
        let mut state = self.state();
        let (function, at) = (self.function, state.at);
        let Some(mock) = &mut state.mock else {
            return Some(format!(
                "the mock of {function} was never put in its place: the guard of {at} is still held"
            ));
        };
        let panic = catch_unwind(AssertUnwindSafe(|| mock.checkpoint())).err()?;
        let text = panic_text(&*panic);
        let complaint = complaint(text).unwrap_or(text);
        Some(format!("mock of {function}: {complaint}\n  set up at {at}"))
    }
}

/// Dropped with expectations that nobody checked, mockall would panic in whatever thread that is.
impl<A: 'static, R: 'static> Drop for Slot<A, R> {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mock = state.mock.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(mock)));
    }
}

/// In a handler's place.
struct HandlerMock<C: Consumer>(Arc<Slot<C::Args, C::Output>>);

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
    fn waited_for(&self) -> Option<String> {
        let state = self.0.state();
        let (function, at) = (self.0.function, state.at);
        (state.mock.is_none() && state.waiting > 0).then(|| {
            format!("a call of {function} waits for its mock: the guard of {at} is still held")
        })
    }
    fn verify(&self) -> Option<String> {
        self.0.unmet()
    }
}

/// Takes what a producer has sent.
struct ProducerMock<P: Producer>(Arc<Slot<P::Payload, ()>>);

impl<P: Producer> Mock for ProducerMock<P>
where
    P::Payload: Debug + Send,
{
    fn run<'r>(self: Arc<Self>, _: &'r Run<'r>, _: Hooks<'r>) -> RunFuture<'r> {
        unreachable!("a producer handles no runs")
    }
    fn waited_for(&self) -> Option<String> {
        // What was sent is kept: nothing waits.
        None
    }
    fn verify(&self) -> Option<String> {
        self.0.unmet()
    }
}

/// The mock of a consumer.
#[track_caller]
pub(crate) fn of_consumer<C: Owned>(tester: &Tester) -> MockGuard<C::Args, C::Output>
where
    C::Args: Debug + Send,
{
    let function = Function::consumer::<C>();
    tester.must_have(function);
    if let Some(mock) = tester.watcher().mock(function) {
        let mock: Arc<dyn Any + Send + Sync> = mock;
        let mock: Arc<HandlerMock<C>> = mock.downcast().expect("a function has one type of mock");
        return mock.0.clone().take_out(tester.watcher());
    }
    let slot = Slot::new(function, Location::caller(), tester.watcher().wakeup());
    let mock = Arc::new(HandlerMock::<C>(slot.clone()));
    tester.watcher().set_mock(function, mock);
    MockGuard {
        mock: Some(MockHandler::new()),
        slot,
        watcher: tester.watcher().clone(),
    }
}

/// The mock of a producer.
#[track_caller]
pub(crate) fn of_producer<P: Producer>(tester: &Tester) -> MockGuard<P::Payload, ()>
where
    P::Codec: Reads<P::Payload>,
    P::Payload: Debug + Send,
{
    let function = Function::producer::<P>();
    tester.must_have(function);
    if let Some(mock) = tester.watcher().mock(function) {
        let mock: Arc<dyn Any + Send + Sync> = mock;
        let mock: Arc<ProducerMock<P>> = mock.downcast().expect("a function has one type of mock");
        return mock.0.clone().take_out(tester.watcher());
    }
    let slot = Slot::new(function, Location::caller(), tester.watcher().wakeup());
    let mock = Arc::new(ProducerMock::<P>(slot.clone()));
    tester.watcher().set_mock(function, mock);
    let (watcher, taker) = (tester.watcher().clone(), slot.clone());
    let take = move |record: &TopicRecord| {
        if record.producer != Some(function) {
            return;
        }
        let failed = |why: &str| {
            watcher.fail(format!(
                "{COMPLAINT}{}` cannot take {}: {why}",
                function.name(),
                record_line(record)
            ));
        };
        match &record.payload {
            None => failed("it takes payloads, and this is a tombstone; assert on the records"),
            Some(payload) => match P::Codec::read(payload) {
                Ok(args) => taker.sent(args, &watcher),
                Err(error) => failed(&error),
            },
        }
    };
    tester.journal().observe(Arc::new(take));
    MockGuard {
        mock: Some(MockHandler::new()),
        slot,
        watcher: tester.watcher().clone(),
    }
}

/// A mock taken out to be told what to expect: `tester.mock::<on_orders>().expect_call()..`. Dropping
/// the guard puts it in its place; a call that arrives before that waits.
#[must_use = "without an expectation a mock fails the test at its first call"]
pub struct MockGuard<A: Debug + Send + 'static, R: Send + 'static> {
    mock: Option<MockHandler<A, R>>,
    slot: Arc<Slot<A, R>>,
    watcher: Watcher,
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
        self.slot.state().mock = self.mock.take();
        self.slot.drain(&self.watcher);
        self.slot.back.notify_waiters();
    }
}

impl<A: Debug + Send + 'static, R: Send + 'static> Debug for MockGuard<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MockGuard({})", self.slot.function)
    }
}
