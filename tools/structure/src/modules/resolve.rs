//! From a path to the file that defines what it names.

use super::{FileId, ModuleId, Modules};
use std::collections::BTreeSet;

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    Module(ModuleId),
    Item {
        file: FileId,
        name: String,
    },
    /// Another crate's, a local name, or nothing.
    Foreign,
}

/// A module and an item may have one name: `mod explain; pub use explain::explain;`. In the middle of
/// a path the module is meant, at its end the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Middle,
    End,
}

/// The look-ups under way: re-exports may go in a circle.
type Seen = BTreeSet<(ModuleId, String, Place)>;

impl Modules {
    /// What `path`, written in the module `from`, leads to.
    pub(crate) fn resolve(&self, from: ModuleId, path: &[String]) -> Found {
        self.follow(from, path, Place::End, &mut Seen::new())
    }

    /// The definition of a macro that is called by its bare name: macros are in scope by the order of
    /// the text, so the name decides.
    pub(crate) fn resolve_macro(&self, from: ModuleId, name: &str) -> Found {
        let path = [name.to_owned()];
        let by_scope = self.resolve(from, &path);
        if matches!(by_scope, Found::Item { .. }) {
            return by_scope;
        }
        let root = self.all[from].root;
        let mut modules = self.all.iter();
        match modules.find(|module| module.root == root && module.scope.macros.contains(name)) {
            Some(module) => Found::Item {
                file: module.file,
                name: name.to_owned(),
            },
            None => Found::Foreign,
        }
    }

    fn follow(&self, from: ModuleId, path: &[String], place: Place, seen: &mut Seen) -> Found {
        let Some((first, mut rest)) = path.split_first() else {
            return Found::Module(from);
        };
        let at = |rest: &[String]| {
            if rest.is_empty() {
                place
            } else {
                Place::Middle
            }
        };
        let mut found = match first.as_str() {
            "crate" => Found::Module(self.all[from].root),
            "self" => Found::Module(from),
            "super" => self.parent(from),
            name => match self.look_up(from, name, at(rest), seen) {
                Some(found) => found,
                None => match &self.library {
                    Some((library, root)) if library == name => Found::Module(*root),
                    _ => Found::Foreign,
                },
            },
        };
        while let (Found::Module(module), Some((name, others))) = (&found, rest.split_first()) {
            found = if name == "super" {
                self.parent(*module)
            } else {
                // What a module is said to have and does not show is made there by a macro.
                let shown = self.look_up(*module, name, at(others), seen);
                shown.unwrap_or_else(|| Found::Item {
                    file: self.all[*module].file,
                    name: name.clone(),
                })
            };
            rest = others;
        }
        found
    }

    fn parent(&self, module: ModuleId) -> Found {
        self.all[module]
            .parent
            .map_or(Found::Foreign, Found::Module)
    }

    /// `None` when the name is not in the module's scope.
    fn look_up(&self, id: ModuleId, name: &str, place: Place, seen: &mut Seen) -> Option<Found> {
        let this = (id, name.to_owned(), place);
        if !seen.insert(this.clone()) {
            return None;
        }
        let found = self.search(id, name, place, seen);
        seen.remove(&this);
        found
    }

    fn search(&self, id: ModuleId, name: &str, place: Place, seen: &mut Seen) -> Option<Found> {
        let module = &self.all[id];
        let scope = &module.scope;
        let child = || module.children.get(name).copied().map(Found::Module);
        let own = || {
            Some(Found::Item {
                file: module.file,
                name: name.to_owned(),
            })
        };
        if place == Place::Middle && module.children.contains_key(name) {
            return child();
        }
        if scope.defined.contains(name) || scope.macros.contains(name) {
            return own();
        }
        if let Some(paths) = scope.imported.get(name) {
            let all = paths.iter().map(|path| self.follow(id, path, place, seen));
            let mut all: Vec<Found> = all.collect();
            // An import of ours goes before one of another crate, an item before a module.
            all.sort_by_key(|found| match (found, place) {
                (Found::Item { .. }, Place::End) | (Found::Module(_), Place::Middle) => 0,
                (Found::Foreign, _) => 2,
                _ => 1,
            });
            return all.into_iter().next();
        }
        for glob in &scope.globs {
            if let Found::Module(of) = self.follow(id, glob, Place::Middle, seen)
                && let Some(found) = self.look_up(of, name, place, seen)
            {
                return Some(found);
            }
        }
        if scope.mentioned.contains(name) {
            return own();
        }
        child()
    }
}
