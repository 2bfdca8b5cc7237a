//! Definitions: what the attributes say about a function. Data only.

mod background;
mod consumer;
mod producer;

pub use background::{BackgroundDef, BackgroundFuture};
pub use consumer::ConsumerDef;
pub use producer::ProducerDef;

use std::fmt;

/// A place in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The file, as the compiler was given it.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
