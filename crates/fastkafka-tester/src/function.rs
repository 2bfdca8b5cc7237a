//! Which annotated function something belongs to.

use crate::tester::Tester;
use fastkafka_core::{Consumer, ConsumerDef, Def, Location, Producer, ProducerDef};
use std::fmt;

/// A function under `#[consumes]` or `#[produces]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Function {
    module: &'static str,
    name: &'static str,
    // Two functions of one name may stand in one module: each inside a function of its own.
    location: Location,
}

impl Function {
    pub(crate) fn consumer<C: Consumer>() -> Self {
        (const { &C::DEF }).into()
    }

    pub(crate) fn producer<P: Producer>() -> Self {
        (const { &P::DEF }).into()
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The module it stands in.
    pub fn module(&self) -> &'static str {
        self.module
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

impl Tester {
    /// Of a function that no app under test has, nothing would ever be seen.
    #[track_caller]
    pub(crate) fn must_have(&self, function: Function) {
        let apps = self.apps();
        let defs = apps.iter().flat_map(|app| app.spec().registry.defs());
        let mut functions = defs.filter_map(|def| match def {
            Def::Consumer(def) => Some(Function::from(*def)),
            Def::Producer(def) => Some(Function::from(*def)),
            Def::Background(_) => None,
        });
        assert!(
            functions.any(|known| known == function),
            "{function} ({}) belongs to no app of this tester; start it with the app that has it",
            function.location
        );
    }
}

/// As messages show it: `` `name` ``.
impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name)
    }
}
