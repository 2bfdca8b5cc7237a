//! Errors of files of documentation.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// A file of documentation that is stale, or cannot be read or written.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum DocsError {
    /// It does not say what the app is.
    #[error("{} is stale from line {line} on; renew it with `{renew}`", path.display())]
    Stale {
        /// The file.
        path: PathBuf,
        /// The first line that differs, from 1.
        line: usize,
        /// The command that renews it.
        renew: String,
    },
    /// It cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Its name does not tell its form.
    #[error("{} must end with .json, .yaml, .html or .md", .0.display())]
    Format(PathBuf),
}

impl DocsError {
    pub(crate) fn write(path: PathBuf, error: io::Error) -> Self {
        Self::Write { path, error }
    }
}

/// As it reads: `unwrap` prints it.
impl fmt::Debug for DocsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
