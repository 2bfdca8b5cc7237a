//! The end of a command that did not do its work.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// What a shell says of a program that SIGPIPE has ended: nobody reads what it prints any more.
const UNREAD: u8 = 141;

/// The exit code of a command, and its last words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failed {
    code: u8,
    /// Empty where there is nobody to tell.
    what: String,
}

impl Failed {
    /// It did its work, and something is wrong.
    pub(super) fn found(what: impl Display) -> Self {
        Self {
            code: 1,
            what: what.to_string(),
        }
    }

    /// It could not look.
    #[cfg(feature = "docs")]
    pub(super) fn unreadable(what: impl Display) -> Self {
        Self {
            code: 2,
            what: what.to_string(),
        }
    }

    /// The standard output does not take what it has to say.
    pub(super) fn unprinted(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self {
                code: UNREAD,
                what: String::new(),
            }
        } else {
            Self::found(format_args!("cannot write to the standard output: {error}"))
        }
    }

    /// Says it, where somebody listens.
    pub(super) fn exit(self) -> ExitCode {
        if !self.what.is_empty() {
            let line = format!("error: {}\n", self.what);
            let _ = io::stderr().write_all(line.as_bytes());
        }
        ExitCode::from(self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_has_enough_is_no_error_and_a_full_disk_is_one() {
        let unread = Failed::unprinted(&io::ErrorKind::BrokenPipe.into());
        assert_eq!((unread.code, &*unread.what), (141, ""));
        let full = Failed::unprinted(&io::ErrorKind::StorageFull.into());
        assert_eq!(full.code, 1);
        assert_eq!(
            full.what,
            "cannot write to the standard output: no storage space"
        );
    }
}
