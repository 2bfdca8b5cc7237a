//! What a test sees happen again and again, and what it asserts of it.

mod checks;
pub(crate) mod report;

use self::checks::{any_with, called, called_once, counted, has, last_with, not_called, once_with};
use crate::observed::report::Miss;
use std::fmt::{self, Debug};
use std::panic::Location;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::futures::Notified;

/// How long an awaiting assertion waits, unless [`Awaited::within`] says otherwise.
const PATIENCE: Duration = Duration::from_secs(1);

/// How a source is spoken of.
#[derive(Clone, Copy, Debug)]
pub struct Phrases {
    /// "call" or "record".
    pub(crate) noun: &'static str,
    /// "was never called".
    pub(crate) never: &'static str,
    /// "was called once".
    pub(crate) once: &'static str,
    /// "was called", the number, "times".
    pub(crate) often: [&'static str; 2],
}

/// Where the items come from: the calls of a handler, or the records of a producer. Implemented by
/// this crate only.
pub trait Source {
    /// One call, or one record.
    type Item;
    #[doc(hidden)]
    const PHRASES: Phrases;
    #[doc(hidden)]
    fn function() -> crate::Function;
    #[doc(hidden)]
    fn items(&self) -> Vec<Self::Item>;
    /// Ends with the next change from now on.
    #[doc(hidden)]
    fn changed(&self) -> Notified<'_>;
    /// What a failed assertion shows beside the values.
    #[doc(hidden)]
    fn sections(&self) -> Vec<(String, Vec<String>)>;
}

/// A source whose items can be read as values.
pub trait Typed: Source {
    /// The first parameter of a handler, or the payload of a producer.
    type Value;
    #[doc(hidden)]
    fn value(item: &Self::Item) -> Result<Self::Value, String>;
}

/// A source whose values can be compared and shown.
pub trait Comparable: Typed<Value: PartialEq + Debug> {}
impl<S: Typed<Value: PartialEq + Debug>> Comparable for S {}

/// Calls of a handler ([`Spy`](crate::Spy)), or records of a producer
/// ([`Received`](crate::Received)), from the start of the tester on.
///
/// `assert_called*` look at once, `assert_awaited*` wait up to a second, which under
/// `#[tokio::test(start_paused = true)]` is a second of virtual time. Both are named and mean the
/// same as those of Python's `unittest.mock`.
pub struct Observed<S>(pub(crate) S);

type Verdict = Result<(), Miss>;
type Judge<'a, I> = Box<dyn Fn(&[I]) -> Verdict + 'a>;

impl<S: Source> Observed<S> {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.items().len()
    }

    /// At least one.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn assert_called(&self) {
        self.now(called::<S>);
    }

    /// Exactly one.
    ///
    /// # Panics
    /// If there is none, or more than one.
    #[track_caller]
    pub fn assert_called_once(&self) {
        self.now(called_once::<S>);
    }

    /// None.
    ///
    /// # Panics
    /// If there is one.
    #[track_caller]
    pub fn assert_not_called(&self) {
        self.now(not_called::<S>);
    }

    /// Waits for one.
    #[track_caller]
    pub fn assert_awaited(&self) -> Awaited<'_, S> {
        self.soon(called::<S>)
    }

    /// Waits until there is exactly one.
    #[track_caller]
    pub fn assert_awaited_once(&self) -> Awaited<'_, S> {
        self.soon(called_once::<S>)
    }

    /// Waits for the whole time, and fails if there is one.
    #[track_caller]
    pub fn assert_not_awaited(&self) -> Awaited<'_, S> {
        Awaited {
            lasting: true,
            ..self.soon(not_called::<S>)
        }
    }

    /// The last one was with `expected`.
    ///
    /// # Panics
    /// If it was with something else, or there is none.
    #[track_caller]
    pub fn assert_called_with(&self, expected: &<S as Typed>::Value)
    where
        S: Comparable,
    {
        self.now(|items| last_with::<S>(items, expected));
    }

    /// There is exactly one, with `expected`.
    ///
    /// # Panics
    /// If there is none, more than one, or one with something else.
    #[track_caller]
    pub fn assert_called_once_with(&self, expected: &<S as Typed>::Value)
    where
        S: Comparable,
    {
        self.now(|items| once_with::<S>(items, expected));
    }

    /// One of them was with `expected`.
    ///
    /// # Panics
    /// If none was.
    #[track_caller]
    pub fn assert_any_call(&self, expected: &<S as Typed>::Value)
    where
        S: Comparable,
    {
        self.now(|items| any_with::<S>(items, expected));
    }

    /// These follow each other somewhere among them.
    ///
    /// # Panics
    /// If they do not.
    #[track_caller]
    pub fn assert_has_calls(&self, expected: &[<S as Typed>::Value])
    where
        S: Comparable,
    {
        self.now(|items| has::<S>(items, expected));
    }

    /// Waits until the last one is with `expected`.
    #[track_caller]
    pub fn assert_awaited_with<'a>(&'a self, expected: &'a <S as Typed>::Value) -> Awaited<'a, S>
    where
        S: Comparable,
    {
        self.soon(|items| last_with::<S>(items, expected))
    }

    /// Waits until there is exactly one, with `expected`.
    #[track_caller]
    pub fn assert_awaited_once_with<'a>(
        &'a self,
        expected: &'a <S as Typed>::Value,
    ) -> Awaited<'a, S>
    where
        S: Comparable,
    {
        self.soon(|items| once_with::<S>(items, expected))
    }

    /// Waits for one with `expected`.
    #[track_caller]
    pub fn assert_any_await<'a>(&'a self, expected: &'a <S as Typed>::Value) -> Awaited<'a, S>
    where
        S: Comparable,
    {
        self.soon(|items| any_with::<S>(items, expected))
    }

    /// Waits until these follow each other somewhere among them.
    #[track_caller]
    pub fn assert_has_awaits<'a>(&'a self, expected: &'a [<S as Typed>::Value]) -> Awaited<'a, S>
    where
        S: Comparable,
    {
        self.soon(|items| has::<S>(items, expected))
    }

    #[track_caller]
    fn now(&self, judge: impl Fn(&[S::Item]) -> Verdict) {
        if let Err(miss) = judge(&self.0.items()) {
            panic!(
                "{}",
                miss.report("", &self.0.sections(), Location::caller())
            );
        }
    }

    #[track_caller]
    fn soon<'a>(&'a self, judge: impl Fn(&[S::Item]) -> Verdict + 'a) -> Awaited<'a, S> {
        Awaited {
            source: &self.0,
            judge: Box::new(judge),
            within: PATIENCE,
            lasting: false,
            at: Location::caller(),
        }
    }
}

impl<S: Source> Debug for Observed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", S::function(), counted::<S>(self.count()))
    }
}

/// An assertion that waits until it holds.
///
/// # Panics
/// When awaited: if it does not hold in time, naming the place of the call.
#[must_use = "nothing is asserted until it is awaited"]
pub struct Awaited<'a, S: Source> {
    source: &'a S,
    judge: Judge<'a, S::Item>,
    within: Duration,
    /// It has to hold for the whole time.
    lasting: bool,
    at: &'static Location<'static>,
}

impl<S: Source> Awaited<'_, S> {
    /// Waits at most so long instead of a second.
    pub fn within(mut self, duration: Duration) -> Self {
        self.within = duration;
        self
    }

    async fn run(self) {
        let over = tokio::time::sleep(self.within);
        tokio::pin!(over);
        let miss = loop {
            let changed = self.source.changed();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let verdict = (self.judge)(&self.source.items());
            match verdict {
                Ok(()) if !self.lasting => return,
                Err(miss) if self.lasting => break miss,
                verdict => tokio::select! {
                    biased;
                    () = changed => {}
                    () = &mut over => match verdict {
                        Ok(()) => return,
                        Err(miss) => break miss,
                    },
                },
            }
        };
        let when = format!(", within {:?}", self.within);
        panic!("{}", miss.report(&when, &self.source.sections(), self.at));
    }
}

impl<'a, S: Source> IntoFuture for Awaited<'a, S> {
    type Output = ();
    type IntoFuture = Pin<Box<dyn Future<Output = ()> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<S: Source> Debug for Awaited<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Awaited({}, within {:?})", S::function(), self.within)
    }
}
