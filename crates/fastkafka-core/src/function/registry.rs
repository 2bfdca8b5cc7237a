//! The registry of annotated functions.
//!
//! `#[consumes]`, `#[produces]` and `#[run_in_background]` submit an [`Entry`] each to one link-time list. A [`Registry`] is
//! the part of it that belongs to one app, as an ordinary value: sorted, and the same in every
//! build. It can also be made by hand.

use crate::function::definition::{BackgroundDef, ConsumerDef, Location, ProducerDef};
use std::any::TypeId;

/// The app of every function without `app = ..`.
#[derive(Debug)]
pub enum DefaultApp {}

/// One annotated function.
#[derive(Clone, Copy, Debug)]
pub enum Def {
    /// Under `#[consumes]`.
    Consumer(&'static ConsumerDef),
    /// Under `#[produces]`.
    Producer(&'static ProducerDef),
    /// Under `#[run_in_background]`.
    Background(&'static BackgroundDef),
}

impl Def {
    /// The function's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Consumer(def) => def.name,
            Self::Producer(def) => def.name,
            Self::Background(def) => def.name,
        }
    }

    /// The function's module.
    pub fn module(&self) -> &'static str {
        match self {
            Self::Consumer(def) => def.module,
            Self::Producer(def) => def.module,
            Self::Background(def) => def.module,
        }
    }

    /// `module::name`.
    pub fn path(&self) -> String {
        format!("{}::{}", self.module(), self.name())
    }

    /// The function's place in the source.
    pub fn location(&self) -> Location {
        match self {
            Self::Consumer(def) => def.location,
            Self::Producer(def) => def.location,
            Self::Background(def) => def.location,
        }
    }
}

/// An annotated function as a type. Implemented by the attributes only.
pub trait Register: 'static {
    /// The app it belongs to: [`DefaultApp`], or the type of `app = ..`.
    type App: 'static;
    /// [`Consumes`](crate::Consumes), [`Produces`](crate::Produces) or
    /// [`RunsInBackground`](crate::RunsInBackground): its kind decides what a test may do with it.
    type Kind: 'static;
    /// The function's definition.
    const ENTRY: Def;
}

/// The entry that an attribute submits at link time.
#[derive(Debug)]
pub struct Entry {
    /// The app's type.
    pub scope: fn() -> TypeId,
    /// The function.
    pub def: Def,
}
inventory::collect!(Entry);

/// The functions of one app, sorted by module, name and place.
#[derive(Clone, Debug, Default)]
pub struct Registry(Vec<Def>);

impl Registry {
    /// Everything the linker found for the app of type `scope`.
    pub fn linked(scope: TypeId) -> Self {
        Self::new(
            inventory::iter::<Entry>
                .into_iter()
                .filter(|e| (e.scope)() == scope)
                .map(|e| e.def),
        )
    }

    /// The same, and these functions if they are not among them.
    pub fn linked_and(scope: TypeId, defs: impl IntoIterator<Item = Def>) -> Self {
        let mut registry = Self::linked(scope);
        for def in defs {
            if !registry
                .0
                .iter()
                .any(|known| known.location() == def.location() && known.name() == def.name())
            {
                registry.0.push(def);
            }
        }
        Self::new(registry.0)
    }

    /// These functions.
    pub fn new(defs: impl IntoIterator<Item = Def>) -> Self {
        let mut defs: Vec<_> = defs.into_iter().collect();
        defs.sort_by_key(|def| (def.module(), def.name(), def.location()));
        Self(defs)
    }

    /// All functions in order.
    pub fn defs(&self) -> &[Def] {
        &self.0
    }

    /// The consumers in order.
    pub fn consumers(&self) -> impl Iterator<Item = &'static ConsumerDef> + '_ {
        self.0.iter().filter_map(|def| {
            if let Def::Consumer(def) = def {
                Some(*def)
            } else {
                None
            }
        })
    }

    /// The producers in order.
    pub fn producers(&self) -> impl Iterator<Item = &'static ProducerDef> + '_ {
        self.0.iter().filter_map(|def| {
            if let Def::Producer(def) = def {
                Some(*def)
            } else {
                None
            }
        })
    }
}
