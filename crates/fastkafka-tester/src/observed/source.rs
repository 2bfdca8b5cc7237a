//! The sources of assertions: items that come in one after another.

use crate::function::Function;
use std::fmt::Debug;
use tokio::sync::futures::Notified;

/// The words in which reports speak of a source.
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

/// The calls of a handler, or the records of a producer. Implemented by this crate only.
pub trait Source {
    /// One call, or one record.
    type Item;
    #[doc(hidden)]
    const PHRASES: Phrases;
    #[doc(hidden)]
    fn function() -> Function;
    #[doc(hidden)]
    fn items(&self) -> Vec<Self::Item>;
    /// Ends with the next change. Make it before looking, await it after.
    #[doc(hidden)]
    fn changed(&self) -> Notified<'_>;
    /// The titles and lines that a failed assertion shows beside the values.
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
