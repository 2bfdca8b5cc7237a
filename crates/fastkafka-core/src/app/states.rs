//! The values of `State<T>` parameters.

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::sync::OnceLock;

type Value = Box<dyn Any + Send + Sync>;

struct StateEntry {
    id: TypeId,
    type_name: &'static str,
    value: OnceLock<Value>,
}

/// The values that `State<T>` parameters are cloned from: one per type.
#[derive(Default)]
pub struct States(Vec<StateEntry>);

impl States {
    /// Adds a value. A second one of the same type takes the place of the first.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.declare::<T>();
        self.set(value);
    }

    /// Announces a value that is made when the app starts.
    pub fn declare<T: Send + Sync + 'static>(&mut self) {
        let id = TypeId::of::<T>();
        self.0.retain(|entry| entry.id != id);
        self.0.push(StateEntry {
            id,
            type_name: type_name::<T>(),
            value: OnceLock::new(),
        });
    }

    /// Fills in an announced value, once.
    pub fn set<T: Send + Sync + 'static>(&self, value: T) {
        if let Some(entry) = self.entry(TypeId::of::<T>()) {
            // A second start of the same app keeps the first value.
            let _ = entry.value.set(Box::new(value));
        }
    }

    /// The value of a type.
    #[inline]
    pub fn get<T: 'static>(&self) -> Option<&T> {
        self.entry(TypeId::of::<T>())?.value.get()?.downcast_ref()
    }

    /// A handful of entries: a scan beats hashing.
    #[inline]
    fn entry(&self, id: TypeId) -> Option<&StateEntry> {
        self.0.iter().find(|entry| entry.id == id)
    }

    /// The types of the values that were given or announced.
    pub fn types(&self) -> impl Iterator<Item = TypeId> {
        self.0.iter().map(|entry| entry.id)
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|entry| entry.type_name))
            .finish()
    }
}
