//! Settings from the environment and from one file. Both have the same sections; the environment wins over
//! the file, and both over the code.

mod admin;
mod environment;
mod file;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod thrown;

use fastkafka_core::{Override, Target};
use std::ffi::OsString;
use std::path::Path;

/// Names the file, and wins over the builder's.
const FILE: &str = "FASTKAFKA_CONFIG";

/// The sections, as a file calls them; variables write them in capital letters.
const SECTIONS: [(&str, Target); 4] = [
    ("handlers", Target::Handler),
    ("producers", Target::Producer),
    ("consumer_defaults", Target::Consumers),
    ("producer_defaults", Target::Producers),
];

/// The settings that were found, and the places that could not be read.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Overrides {
    /// By place, the winner first.
    pub(crate) found: Vec<Override>,
    /// A sentence for each mistake: it becomes a problem of the start.
    pub(crate) unreadable: Vec<String>,
    /// What variables say of the admin listener.
    #[cfg(feature = "admin")]
    pub(crate) admin: crate::admin::Admin,
}

impl Overrides {
    /// Reads the environment of the process, and the file that it or the builder names.
    pub(crate) fn read(file: Option<&Path>) -> Self {
        Self::new(file, std::env::vars_os())
    }

    fn new(file: Option<&Path>, variables: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let mut overrides = Self::default();
        let variables = overrides.ours(variables);
        overrides.read_environment(&variables);
        // Variables have no case; the one that is written as we write it comes first.
        let mut named = variables.iter();
        let named = named.find(|(name, _)| name.eq_ignore_ascii_case(FILE));
        match named.map(|(_, file)| &**file) {
            Some("") => overrides
                .unreadable
                .push(format!("{FILE}: is empty; name the file or leave it out")),
            Some(named) => overrides.read_file(Path::new(named)),
            None => file.into_iter().for_each(|file| overrides.read_file(file)),
        }
        overrides
    }

    /// Adds a value to those of its place.
    fn add(&mut self, place: &Place<'_>, key: String, text: String) {
        let known = self
            .found
            .iter_mut()
            .find(|known| known.place == place.name);
        if let Some(known) = known {
            known.values.push((key, text));
            return;
        }
        self.found.push(Override {
            place: place.name.clone(),
            target: place.target,
            function: place.function.iter().map(|&word| word.into()).collect(),
            values: vec![(key, text)],
        });
    }
}

/// A table of a file, or the variables that begin alike.
struct Place<'a> {
    /// As problems and `check --explain` call it.
    name: String,
    target: Target,
    /// The function's path, as far as it is given; empty for defaults.
    function: Vec<&'a str>,
}

fn target(section: &str) -> Option<Target> {
    let found = SECTIONS.iter().find(|(name, _)| *name == section);
    found.map(|(_, target)| *target)
}

/// The sections, for a message.
fn sections() -> String {
    SECTIONS.map(|(name, _)| format!("`{name}`")).join(", ")
}

/// Whether the section has a table for each function.
fn is_of_functions(target: Target) -> bool {
    matches!(target, Target::Handler | Target::Producer)
}
