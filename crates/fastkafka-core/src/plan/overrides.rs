//! Settings from the environment and the file.

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
#[derive(Clone, Debug, PartialEq, Eq)]
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
