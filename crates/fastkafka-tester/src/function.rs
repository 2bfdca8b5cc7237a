//! The identity of an annotated function.

use fastkafka_core::{Consumer, ConsumerDef, Location, Producer, ProducerDef};
use std::fmt;

/// A function under `#[consumes]` or `#[produces]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Function {
    module: &'static str,
    name: &'static str,
    // One module may hold two functions of one name, each inside a function of its own.
    location: Location,
}

impl Function {
    pub(crate) fn consumer<C: Consumer>() -> Self {
        (const { &C::DEF }).into()
    }

    pub(crate) fn producer<P: Producer>() -> Self {
        (const { &P::DEF }).into()
    }

    /// The function's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The module that holds the function.
    pub fn module(&self) -> &'static str {
        self.module
    }

    pub(crate) fn location(&self) -> Location {
        self.location
    }
}

impl From<&ConsumerDef> for Function {
    fn from(def: &ConsumerDef) -> Self {
        Self {
            module: def.module,
            name: def.name,
            location: def.location,
        }
    }
}

impl From<&ProducerDef> for Function {
    fn from(def: &ProducerDef) -> Self {
        Self {
            module: def.module,
            name: def.name,
            location: def.location,
        }
    }
}

/// As messages show it: `` `name` ``.
impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name)
    }
}
