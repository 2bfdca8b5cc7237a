//! Searches the delivery engine: see the library.
#![forbid(unsafe_code)]

use proof::{cli, scopes};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(&cli::Lists {
        shapes: scopes::shapes(),
        pairs: scopes::pairs(),
        triples: scopes::triples(),
        four: scopes::four(),
        wide: scopes::wide(),
        walks: scopes::WALKS,
        mutants: scopes::mutants(),
        #[cfg(feature = "shell")]
        shell: proof::shell::scopes::pairs(),
    })
}
