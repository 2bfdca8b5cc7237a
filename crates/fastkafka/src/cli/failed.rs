//! The end of a command that failed.

use std::fmt::Display;
use std::process::ExitCode;

/// Prints an error, and is the exit code of a command that failed.
pub(super) fn failed(error: impl Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(1)
}
