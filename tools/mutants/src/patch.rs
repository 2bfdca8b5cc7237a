//! A bug as a file: texts that are replaced in the source.

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Files of the source by their path from the root of the repository.
pub type Files = BTreeMap<String, String>;

/// One planted bug.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// The name of its file, without the extension.
    #[serde(skip)]
    pub name: String,
    /// The bug in one sentence.
    pub bug: String,
    /// The invariant that has to find it.
    pub kills: String,
    /// The model whose search finds it.
    #[serde(default)]
    pub model: Searched,
    /// The scope in which the search finds it.
    pub scope: String,
    /// The replacements, done one after another.
    pub change: Vec<Change>,
}

/// A model of proof.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Searched {
    /// Engine and cluster.
    #[default]
    Engine,
    /// The driver and the client's machines.
    Shell,
}

/// Whole lines of one file that are replaced.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The file, from the root of the repository.
    pub file: String,
    /// The lines; they have to be in the file exactly once.
    pub old: String,
    /// The lines that stand in their place.
    pub new: String,
}

impl Patch {
    /// Reads a patch.
    ///
    /// # Errors
    ///
    /// The file is not there, is not TOML, or has a field too many or too few.
    pub fn read(path: &Path) -> Result<Self> {
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let patch: Patch = toml::from_str(&text).with_context(|| path.display().to_string())?;
        Ok(Patch {
            name: stem.context("a patch has a name")?.to_owned(),
            ..patch
        })
    }

    /// The files with this bug planted.
    ///
    /// # Errors
    ///
    /// A text is not there, or is there more than once: the source has changed, and the patch has
    /// to be written again.
    pub fn apply(&self, files: &Files) -> Result<Files> {
        let mut files = files.clone();
        ensure!(!self.change.is_empty(), "`{}` changes nothing", self.name);
        for Change { file, old, new } in &self.change {
            let place = || format!("`{}`, {file}", self.name);
            let Some(text) = files.get_mut(file) else {
                bail!("{}: no such file is copied and built", place());
            };
            ensure!(
                old != new && old.ends_with('\n'),
                "{}: `old` has to be whole lines that change",
                place()
            );
            let places = starts(text, old);
            let &[at] = places.as_slice() else {
                bail!(
                    "{}: the old text is there {} times and not once; write the change again:\n{old}",
                    place(),
                    places.len()
                );
            };
            text.replace_range(at..at + old.len(), new);
        }
        Ok(files)
    }

    /// Whether one of its files is among `changed`, or it is itself.
    #[must_use]
    pub fn concerns(&self, changed: &[String]) -> bool {
        let own = format!("tools/mutants/patches/{}.toml", self.name);
        let mut files = self.change.iter().map(|change| &change.file);
        changed.contains(&own) || files.any(|file| changed.contains(file))
    }
}

/// Where `lines` stand in `text`, each from the beginning of a line.
fn starts(text: &str, lines: &str) -> Vec<usize> {
    let mut places = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if text[at..].starts_with(lines) {
            places.push(at);
        }
        at += line.len();
    }
    places
}

/// All patches of a folder, by name.
///
/// # Errors
///
/// One of them cannot be read, or there is none.
pub fn all(folder: &Path) -> Result<Vec<Patch>> {
    let mut patches = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            patches.push(Patch::read(&path)?);
        }
    }
    ensure!(!patches.is_empty(), "{} holds no patch", folder.display());
    patches.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(patches)
}
