//! A mock of mockall in the place of a function, with its complaints in the words of this crate.

use crate::function::Function;
use crate::lock::lock;
use fastkafka_core::panic_text;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
pub(super) struct MockCell<A: 'static, R: 'static> {
    pub(super) function: Function,
    contents: Mutex<Contents<A, R>>,
    put_back: Notify,
    /// Notified when a call has to wait.
    on_wait: Arc<Notify>,
}

struct Contents<A: 'static, R: 'static> {
    mock: Option<MockHandler<A, R>>,
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
                mock: None,
                taken_at,
                waiting: 0,
                arguments: VecDeque::new(),
            }),
            put_back: Notify::new(),
            on_wait,
        })
    }

    fn contents(&self) -> MutexGuard<'_, Contents<A, R>> {
        lock(&self.contents)
    }

    /// Takes the mock out.
    ///
    /// # Panics
    /// When it is out already.
    #[track_caller]
    pub(super) fn take(&self) -> MockHandler<A, R> {
        let mut contents = self.contents();
        let Some(mock) = contents.mock.take() else {
            let (function, at) = (self.function, contents.taken_at);
            drop(contents);
            panic!(
                "the mock of {function} is being told what to expect already, at {at}: drop that guard first"
            );
        };
        contents.taken_at = Location::caller();
        mock
    }

    /// Puts the mock back, and calls it with everything that came meanwhile. Returns the complaints.
    pub(super) fn put(&self, mock: MockHandler<A, R>) -> Vec<String> {
        self.contents().mock = Some(mock);
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
            {
                let contents = self.contents();
                if let Some(mock) = &contents.mock {
                    return self.call_mock(mock, contents.taken_at, argument);
                }
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
        let mut contents = self.contents();
        let Contents {
            mock,
            taken_at,
            arguments,
            ..
        } = &mut *contents;
        let Some(mock) = mock else { return Vec::new() };
        let called = arguments.drain(..).filter_map(|argument| {
            let call = AssertUnwindSafe(|| self.call_mock(mock, taken_at, argument));
            let panic = catch_unwind(call).err()?;
            Some(panic_text(&*panic).to_owned())
        });
        called.collect()
    }

    /// Calls the mock. mockall knows neither the function nor how to show the argument.
    fn call_mock(&self, mock: &MockHandler<A, R>, at: &Location<'_>, argument: A) -> R {
        let shown = format!("{argument:?}");
        let panic = match catch_unwind(AssertUnwindSafe(|| mock.call(argument))) {
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

    /// The message that a call waits, because the test has the mock.
    pub(super) fn blocked_call(&self) -> Option<String> {
        let contents = self.contents();
        let (function, at) = (self.function, contents.taken_at);
        let is_blocked = contents.mock.is_none() && contents.waiting > 0;
        is_blocked.then(|| {
            format!("a call of {function} waits for its mock: the guard of {at} is still held")
        })
    }

    /// The expectations that are not met. They are not checked again.
    pub(super) fn verify(&self) -> Option<String> {
        let mut contents = self.contents();
        let (function, at) = (self.function, contents.taken_at);
        let Some(mock) = &mut contents.mock else {
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
        let mock = contents.mock.take();
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
