//! What `tools/structure.toml` permits.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// The largest circle of files by package. A package that is not named may have none.
    pub(crate) circles: BTreeMap<String, usize>,
    pub(crate) lengths: Lengths,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lengths {
    /// A source file has fewer lines than this.
    pub(crate) below: usize,
}

impl Limits {
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let path = root.join("tools/structure.toml");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }
}
