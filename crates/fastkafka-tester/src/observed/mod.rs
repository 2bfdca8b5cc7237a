//! Assertions on calls and records.

mod awaited;
mod checks;
mod failure;
pub(crate) mod source;

pub use self::awaited::Awaited;
pub use self::source::{Comparable, Source, Typed};

use self::checks::{
    Checked, any_with, called, called_once, contains_in_a_row, counted, last_with, not_called,
    once_with,
};
use std::fmt::{self, Debug};
use std::panic::Location;

/// Calls of a handler ([`Spy`](crate::Spy)), or records of a producer
/// ([`Received`](crate::Received)), from the start of the tester on.
///
/// `assert_called*` look at once. `assert_awaited*` wait up to a second, which under
/// `#[tokio::test(start_paused = true)]` is a second of virtual time. Names and meaning are those of
/// Python's `unittest.mock`.
///
/// The value of a call is the first parameter of the handler; the value of a record is its payload.
pub struct Observed<S>(pub(crate) S);

impl<S: Source> Observed<S> {
    /// The number of calls, or of records.
    pub fn count(&self) -> usize {
        self.0.items().len()
    }

    /// Asserts that there is at least one call, or record.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn assert_called(&self) {
        self.now(called::<S>);
    }

    /// Asserts that there is exactly one call, or record.
    ///
    /// # Panics
    /// If there is none, or more than one.
    #[track_caller]
    pub fn assert_called_once(&self) {
        self.now(called_once::<S>);
    }

    /// Asserts that there is no call, or record.
    ///
    /// # Panics
    /// If there is one.
    #[track_caller]
    pub fn assert_not_called(&self) {
        self.now(not_called::<S>);
    }

    /// Waits for a call, or a record.
    #[track_caller]
    pub fn assert_awaited(&self) -> Awaited<'_, S> {
        self.soon(called::<S>)
    }

    /// Waits until there is exactly one call, or record.
    #[track_caller]
    pub fn assert_awaited_once(&self) -> Awaited<'_, S> {
        self.soon(called_once::<S>)
    }

    /// Waits for the whole time, and fails as soon as there is a call, or a record.
    #[track_caller]
    pub fn assert_not_awaited(&self) -> Awaited<'_, S> {
        self.soon(not_called::<S>).lasting()
    }

    /// Asserts that the last call, or record, has the value `expected`.
    ///
    /// # Panics
    /// If it has another value, or there is none.
    #[track_caller]
    pub fn assert_called_with(&self, expected: &<S as Typed>::Value)
    where
        S: Comparable,
    {
        self.now(|items| last_with::<S>(items, expected));
    }

    /// Asserts that there is exactly one call, or record, and that it has the value `expected`.
    ///
    /// # Panics
    /// If there is none, more than one, or one with another value.
    #[track_caller]
    pub fn assert_called_once_with(&self, expected: &<S as Typed>::Value)
    where
        S: Comparable,
    {
        self.now(|items| once_with::<S>(items, expected));
    }

    /// Asserts that one of the calls, or records, has the value `expected`.
    ///
    /// # Panics
    /// If none has.
    #[track_caller]
    pub fn assert_any_call(&self, expected: &<S as Typed>::Value)
    where
        S: Comparable,
    {
        self.now(|items| any_with::<S>(items, expected));
    }

    /// Asserts that somewhere among the calls, or records, these values follow each other without a gap.
    ///
    /// # Panics
    /// If they do not.
    #[track_caller]
    pub fn assert_has_calls(&self, expected: &[<S as Typed>::Value])
    where
        S: Comparable,
    {
        self.now(|items| contains_in_a_row::<S>(items, expected));
    }

    /// Waits until the last call, or record, has the value `expected`.
    #[track_caller]
    pub fn assert_awaited_with<'a>(&'a self, expected: &'a <S as Typed>::Value) -> Awaited<'a, S>
    where
        S: Comparable,
    {
        self.soon(|items| last_with::<S>(items, expected))
    }

    /// Waits until there is exactly one call, or record, and it has the value `expected`.
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

    /// Waits for a call, or a record, with the value `expected`.
    #[track_caller]
    pub fn assert_any_await<'a>(&'a self, expected: &'a <S as Typed>::Value) -> Awaited<'a, S>
    where
        S: Comparable,
    {
        self.soon(|items| any_with::<S>(items, expected))
    }

    /// Waits until somewhere among the calls, or records, these values follow each other without a gap.
    #[track_caller]
    pub fn assert_has_awaits<'a>(&'a self, expected: &'a [<S as Typed>::Value]) -> Awaited<'a, S>
    where
        S: Comparable,
    {
        self.soon(|items| contains_in_a_row::<S>(items, expected))
    }

    #[track_caller]
    fn now(&self, check: impl Fn(&[S::Item]) -> Checked) {
        if let Err(failure) = check(&self.0.items()) {
            let report = failure.report("", &self.0.sections(), Location::caller());
            panic!("{report}");
        }
    }

    #[track_caller]
    fn soon<'a>(&'a self, check: impl Fn(&[S::Item]) -> Checked + 'a) -> Awaited<'a, S> {
        Awaited::new(&self.0, check, Location::caller())
    }
}

impl<S: Source> Debug for Observed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", S::function(), counted::<S>(self.count()))
    }
}
