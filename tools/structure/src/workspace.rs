//! The repository's files and packages.

use anyhow::{Context, Result};
use ignore::Walk;
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder with a manifest of a package.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
}

#[derive(Deserialize)]
struct Manifest {
    package: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Package {
    /// `None` where the manifest is one of a workspace alone.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join("Cargo.toml");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let manifest: Manifest =
            toml::from_str(&text).with_context(|| path.display().to_string())?;
        Ok(manifest.package.map(|package| Self {
            name: package.name,
            folder: folder.to_owned(),
        }))
    }
}

/// The files below `root` that git does not ignore, sorted. Hidden folders are left out.
pub(crate) fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in Walk::new(root) {
        let entry = entry?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            files.push(entry.into_path());
        }
    }
    files.sort();
    Ok(files)
}

/// The packages below `root`, sorted by folder.
pub(crate) fn packages(root: &Path) -> Result<Vec<Package>> {
    let mut packages = Vec::new();
    for file in files(root)? {
        if file.file_name().is_some_and(|name| name == "Cargo.toml") {
            let folder = file.parent().expect("a file is in a folder");
            packages.extend(Package::read(folder)?);
        }
    }
    Ok(packages)
}

/// The repository: the nearest folder above `from` with `tools/structure.toml`.
pub(crate) fn root(from: &Path) -> Result<PathBuf> {
    let mut folders = from.ancestors();
    let root = folders.find(|folder| folder.join("tools/structure.toml").is_file());
    let root = root.context("run it in the repository: no tools/structure.toml here or above")?;
    Ok(root.to_owned())
}
