//! Old names and words that the code has left behind, and that nobody takes up again.

mod definitions;
mod prose;
mod words;

use crate::finding::{Finding, Report};
use crate::workspace::{self, Package};
use anyhow::{Context, Result};
use definitions::{Definition, Kind, definitions};
use serde::Deserialize;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use words::Words;

/// `tools/names.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    #[serde(default)]
    rename: Vec<Rename>,
    #[serde(default)]
    words: Forbidden,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Forbidden {
    forbidden: Vec<String>,
}

/// A name that a crate does not define any more.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rename {
    /// A package, or `*` for all.
    #[serde(rename = "crate")]
    package: String,
    kind: Kind,
    old: String,
    /// The name that it has now, or how to find one.
    new: String,
    /// Only below this path in the package's folder.
    scope: Option<PathBuf>,
}

/// Without `tools/names.toml` nothing is forbidden.
pub(crate) fn check(root: &Path) -> Result<Report> {
    let path = root.join("tools/names.toml");
    let names: Names = if path.is_file() {
        let text = fs::read_to_string(&path)?;
        toml::from_str(&text).with_context(|| path.display().to_string())?
    } else {
        Names::default()
    };
    let files = workspace::files(root)?;
    let mut report = Report::default();
    renames(root, &files, &names.rename, &mut report)?;
    let words = Words::new(&names.words.forbidden);
    for file in &files {
        // This tool names the words in its tests.
        if !file.starts_with(root.join("tools/structure")) {
            words.check(file, &mut report.broken)?;
        }
    }
    writeln!(
        report.text,
        "names: {} renamed, {} words forbidden, {} files",
        names.rename.len(),
        names.words.forbidden.len(),
        files.len(),
    )?;
    Ok(report)
}

fn renames(root: &Path, files: &[PathBuf], renames: &[Rename], report: &mut Report) -> Result<()> {
    let packages = workspace::packages(root)?;
    for file in files {
        if file.extension().is_none_or(|kind| kind != "rs") {
            continue;
        }
        let Some(package) = owner(&packages, file) else {
            continue;
        };
        let Some(defined) = definitions(file)? else {
            continue;
        };
        for rename in renames {
            for definition in &defined {
                if rename.is_broken(package, file, definition) {
                    let Rename { old, new, .. } = rename;
                    let what = format!("{} `{old}` is an old name: use {new}", definition.kind);
                    report
                        .broken
                        .push(Finding::new(file, definition.line, what));
                }
            }
        }
    }
    Ok(())
}

/// The package of a file: packages may lie in each other.
fn owner<'a>(packages: &'a [Package], file: &Path) -> Option<&'a Package> {
    let around = packages
        .iter()
        .filter(|package| file.starts_with(&package.folder));
    around.max_by_key(|package| package.folder.components().count())
}

impl Rename {
    fn is_broken(&self, package: &Package, file: &Path, definition: &Definition) -> bool {
        let scope = self.scope.as_deref().unwrap_or(Path::new(""));
        (self.package == "*" || self.package == package.name)
            && file.starts_with(package.folder.join(scope))
            && definition.kind.counts_as(self.kind)
            && definition.name == self.old_name()
    }

    /// Files and folders may be written as such: `held.rs`, `owner/`.
    fn old_name(&self) -> &str {
        let old = self.old.trim_end_matches('/');
        old.strip_suffix(".rs").unwrap_or(old)
    }
}

#[cfg(test)]
mod tests;
