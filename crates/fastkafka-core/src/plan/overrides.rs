//! Settings from the environment and the file.

use std::fmt;

/// The functions that an override is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A consumer by its name.
    Handler,
    /// A producer by its name.
    Producer,
    /// All consumers.
    Consumers,
    /// All producers.
    Producers,
}

/// The settings that one place outside the code has for one function, or for all.
#[derive(Clone, PartialEq, Eq)]
pub struct Override {
    /// The place: the beginning of the variables' names, or the file and its section.
    pub place: String,
    /// The functions that it is for.
    pub target: Target,
    /// The function: its name, or the end of its path. Empty for all.
    pub function: Vec<String>,
    /// Keys with their values as text. A property of `config` is `config.the.property`.
    pub values: Vec<(String, String)>,
}

/// Without the values: a secret may be among them.
impl fmt::Debug for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.values.iter().map(|(key, _)| key).collect();
        f.debug_struct("Override")
            .field("place", &self.place)
            .field("target", &self.target)
            .field("function", &self.function)
            .field("keys", &keys)
            .finish_non_exhaustive()
    }
}

impl Override {
    /// True for a function that the place calls by its name, or by the end of its path. Variables have
    /// no case.
    pub(crate) fn means(&self, path: &str) -> bool {
        let path: Vec<_> = path.split("::").collect();
        let same = |(a, b): (&String, &&str)| a.eq_ignore_ascii_case(b);
        self.function.len() <= path.len()
            && self.function.iter().rev().zip(path.iter().rev()).all(same)
    }
}
