//! Bugs that an engine of this kind was seen to have, as changes of its source. Each names the
//! invariant of `docs/architecture.md` that has to find it, and the tool demands that death.
//!
//! [`patch`] reads and applies the changes, [`scratch`] builds a copy of the crates with one of
//! them, [`verdict`] runs the search there and judges what it found.
#![forbid(unsafe_code)]

pub mod patch;
pub mod scratch;
pub mod verdict;

use std::path::{Path, PathBuf};

/// The root of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR"));
    tool.ancestors()
        .nth(2)
        .expect("the tool is in tools/mutants")
        .to_owned()
}
