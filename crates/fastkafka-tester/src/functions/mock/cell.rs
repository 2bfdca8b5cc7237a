//! A mock of mockall in the place of a function, with its complaints in the words of this crate.

use crate::function::Function;
use crate::lock::lock;
use fastkafka_core::panic_text;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use tokio::sync::Notify;

mod generated {
    // mockall documents what it generates for no one.
    #![allow(missing_docs, missing_debug_implementations, clippy::all)]

    mockall::mock! {
        /// One mock type for every function: `A` is its argument, `R` its result.
        pub Handler<A: 'static, R: 'static> {
            pub fn call(&self, args: A) -> R;
        }
    }
}
pub use generated::MockHandler;

/// The name of the generic mock in mockall's messages.
const GENERIC: &str = "MockHandler::call";

/// The place of a mock. The test takes the mock out to set expectations; a call waits until it is back.
///
/// What the mock does is code of the test: no lock is held meanwhile, and whoever comes then (another
/// thread, or the mock itself, which may send more records) waits or leaves its arguments.
pub(super) struct MockCell<A: 'static, R: 'static> {
    pub(super) function: Function,
    contents: Mutex<Contents<A, R>>,
    put_back: Notify,
    returned: Condvar,
    /// Notified when a call has to wait.
    on_wait: Arc<Notify>,
}

enum Place<A: 'static, R: 'static> {
    In(MockHandler<A, R>),
    /// In the hands of the test.
    Taken,
    /// This thread calls it.
    Called(ThreadId),
}

struct Contents<A: 'static, R: 'static> {
    mock: Place<A, R>,
    /// The place in the test where the mock was taken out last.
    taken_at: &'static Location<'static>,
    /// The number of handler calls that wait for the mock.
    waiting: usize,
    /// Arguments that came while the mock was out, from producers, which do not wait.
    arguments: VecDeque<A>,
}

impl<A: Debug + Send + 'static, R: Send + 'static> MockCell<A, R> {
    /// A cell without its mock, which the test has from the start.
    pub(super) fn new(
        function: Function,
        taken_at: &'static Location<'static>,
        on_wait: Arc<Notify>,
    ) -> Arc<Self> {
        Arc::new(Self {
            function,
            contents: Mutex::new(Contents {
                mock: Place::Taken,
                taken_at,
                waiting: 0,
                arguments: VecDeque::new(),
            }),
            put_back: Notify::new(),
            returned: Condvar::new(),
            on_wait,
        })
    }

    fn contents(&self) -> MutexGuard<'_, Contents<A, R>> {
        lock(&self.contents)
    }

    /// The contents, once no other thread calls the mock.
    fn between_calls(&self) -> MutexGuard<'_, Contents<A, R>> {
        let me = thread::current().id();
        let is_called =
            |contents: &mut Contents<A, R>| matches!(contents.mock, Place::Called(by) if by != me);
        let contents = self.returned.wait_while(self.contents(), is_called);
        contents.unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the mock out, at the end of a call that has it.
    ///
    /// # Panics
    /// When it is out already, and inside the mock itself.
    #[track_caller]
    pub(super) fn take(&self) -> MockHandler<A, R> {
        let mut contents = self.between_calls();
        let problem = match std::mem::replace(&mut contents.mock, Place::Taken) {
            Place::In(mock) => {
                contents.taken_at = Location::caller();
                return mock;
            }
            Place::Taken => format!(
                "the mock of {} is being told what to expect already, at {}: drop that guard first",
                self.function, contents.taken_at
            ),
            Place::Called(by) => {
                contents.mock = Place::Called(by);
                let function = self.function;
                format!(
                    "the mock of {function} is told what to expect by itself, while it is called"
                )
            }
        };
        drop(contents);
        panic!("{problem}");
    }

    /// Puts the mock back, and calls it with everything that came meanwhile. Returns the complaints.
    pub(super) fn put(&self, mock: MockHandler<A, R>) -> Vec<String> {
        self.contents().mock = Place::In(mock);
        let complaints = self.call_with_arguments();
        self.put_back.notify_waiters();
        complaints
    }

    /// Calls the mock as soon as it is in its place.
    pub(super) async fn call(&self, argument: A) -> R {
        loop {
            let put_back = self.put_back.notified();
            let mut put_back = std::pin::pin!(put_back);
            put_back.as_mut().enable();
            if let Some(call) = self.begin() {
                return call.with(argument);
            }
            let _waits = Waiting::begin(self);
            put_back.await;
        }
    }

    /// Calls the mock, later if it is out. Returns the complaints.
    pub(super) fn call_later(&self, argument: A) -> Vec<String> {
        self.contents().arguments.push_back(argument);
        self.call_with_arguments()
    }

    fn call_with_arguments(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        // A call that is under way looks again when it is over.
        while let Some((call, argument)) = self.begin_with_argument() {
            let called = catch_unwind(AssertUnwindSafe(|| call.with(argument)));
            complaints.extend(called.err().map(|panic| panic_text(&*panic).to_owned()));
        }
        complaints
    }

    fn begin(&self) -> Option<Calling<'_, A, R>> {
        self.begin_in(&mut self.contents())
    }

    fn begin_with_argument(&self) -> Option<(Calling<'_, A, R>, A)> {
        let mut contents = self.contents();
        if contents.arguments.is_empty() {
            return None;
        }
        let call = self.begin_in(&mut contents)?;
        Some((call, contents.arguments.pop_front()?))
    }

    fn begin_in(&self, contents: &mut Contents<A, R>) -> Option<Calling<'_, A, R>> {
        let called = Place::Called(thread::current().id());
        match std::mem::replace(&mut contents.mock, called) {
            Place::In(mock) => Some(Calling {
                cell: self,
                mock: Some(mock),
                at: contents.taken_at,
            }),
            other => {
                contents.mock = other;
                None
            }
        }
    }

    /// The message that a call waits, because the test has the mock.
    pub(super) fn blocked_call(&self) -> Option<String> {
        let contents = self.contents();
        let (function, at) = (self.function, contents.taken_at);
        let is_blocked = matches!(contents.mock, Place::Taken) && contents.waiting > 0;
        is_blocked.then(|| {
            format!("a call of {function} waits for its mock: the guard of {at} is still held")
        })
    }

    /// The expectations that are not met. They are not checked again.
    pub(super) fn verify(&self) -> Option<String> {
        let mut contents = self.between_calls();
        let (function, at) = (self.function, contents.taken_at);
        let call = self.begin_in(&mut contents);
        drop(contents);
        let Some(mut call) = call else {
            return Some(format!(
                "the mock of {function} was never put in its place: the guard of {at} is still held"
            ));
        };
        let panic = catch_unwind(AssertUnwindSafe(|| call.mock().checkpoint())).err()?;
        let text = panic_text(&*panic);
        let complaint = complaint(text).unwrap_or(text);
        Some(format!("mock of {function}: {complaint}\n  set up at {at}"))
    }
}

/// The mock while it is called. It is back in its place when this is dropped, also by a panic.
struct Calling<'a, A: 'static, R: 'static> {
    cell: &'a MockCell<A, R>,
    mock: Option<MockHandler<A, R>>,
    at: &'static Location<'static>,
}

impl<A: Debug + 'static, R: 'static> Calling<'_, A, R> {
    fn mock(&mut self) -> &mut MockHandler<A, R> {
        self.mock.as_mut().expect("only `drop` takes it")
    }

    /// mockall knows neither the function nor how to show the argument.
    fn with(mut self, argument: A) -> R {
        let shown = format!("{argument:?}");
        let mock = self.mock();
        let panic = match catch_unwind(AssertUnwindSafe(|| mock.call(argument))) {
            Ok(returned) => return returned,
            Err(panic) => panic,
        };
        let (function, at) = (self.cell.function, self.at);
        match complaint(panic_text(&*panic)) {
            Some(complaint) => resume_unwind(Box::new(format!(
                "mock of {function} was called with {shown}: {complaint}\n  set up at {at}"
            ))),
            None => resume_unwind(panic),
        }
    }
}

impl<A: 'static, R: 'static> Drop for Calling<'_, A, R> {
    fn drop(&mut self) {
        if let Some(mock) = self.mock.take() {
            lock(&self.cell.contents).mock = Place::In(mock);
        }
        self.cell.returned.notify_all();
        self.cell.put_back.notify_waiters();
    }
}

/// mockall's complaint without its name for the mock; `None` if the text is not mockall's.
fn complaint(text: &str) -> Option<&str> {
    let complaint = text.strip_prefix(GENERIC)?;
    Some(complaint.trim_start_matches("(?)").trim_start_matches(": "))
}

/// A mock that is dropped with unmet expectations panics in whatever thread that is. The tester has
/// verified it by then.
impl<A: 'static, R: 'static> Drop for MockCell<A, R> {
    fn drop(&mut self) {
        let contents = self
            .contents
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let mock = std::mem::replace(&mut contents.mock, Place::Taken);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(mock)));
    }
}

/// A call that waits for the test to put the mock back.
struct Waiting<'a, A: Debug + Send + 'static, R: Send + 'static>(&'a MockCell<A, R>);

impl<'a, A: Debug + Send + 'static, R: Send + 'static> Waiting<'a, A, R> {
    fn begin(cell: &'a MockCell<A, R>) -> Self {
        cell.contents().waiting += 1;
        cell.on_wait.notify_waiters();
        Self(cell)
    }
}

impl<A: Debug + Send + 'static, R: Send + 'static> Drop for Waiting<'_, A, R> {
    fn drop(&mut self) {
        self.0.contents().waiting -= 1;
    }
}
