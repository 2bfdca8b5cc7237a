//! Text that is not printed.

use super::value::Value;
use super::{Text, limits};
use std::fmt;

/// A password, a key or a token. It is printed as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Text);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<&'static str> for Secret {
    fn from(text: &'static str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Value for Secret {
    fn read(text: &str) -> Result<Self, String> {
        Ok(text.to_owned().into())
    }

    fn show(&self) -> String {
        self.to_string()
    }

    fn wrong(&self, key: &str) -> Option<String> {
        limits::secret(key, self.expose())
    }
}
