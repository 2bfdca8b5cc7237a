//! What a command prints. `print!` panics where nobody reads.

use super::failed::Failed;
use std::fmt::Display;
use std::io::{self, Write};

/// Prints to the standard output.
pub(super) fn print(text: impl Display) -> Result<(), Failed> {
    let text = text.to_string();
    let mut output = io::stdout().lock();
    let printed = output.write_all(text.as_bytes());
    printed
        .and_then(|()| output.flush())
        .map_err(|error| Failed::unprinted(&error))
}
