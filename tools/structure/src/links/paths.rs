//! Paths as the documents about this repository write them.
//!
//! `crates/fastkafka-core/src/slot.rs` may be written from the top, from the package on with or without
//! `src` (`core/src/slot.rs`, `core/slot.rs`), or as any end of it (`slot.rs`). A package has the name
//! of its folder; `fastkafka-` may be left out.

use crate::workspace::Package;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(super) struct Paths {
    root: PathBuf,
    /// Each package by its names.
    packages: Vec<(String, PathBuf)>,
    /// Every end of every path to a file or a folder.
    ends: BTreeSet<PathBuf>,
}

impl Paths {
    pub(super) fn new(root: &Path, files: &[PathBuf], packages: &[Package]) -> Self {
        let names = packages.iter().flat_map(|package| {
            let name = package
                .folder
                .file_name()
                .unwrap_or_default()
                .to_string_lossy();
            let short = name.strip_prefix("fastkafka-").map(str::to_owned);
            let names = std::iter::once(name.into_owned()).chain(short);
            names.map(|name| (name, package.folder.clone()))
        });
        let mut ends = BTreeSet::new();
        for file in files {
            let below = file.strip_prefix(root).unwrap_or(file);
            for path in below.ancestors() {
                let parts: Vec<_> = path.iter().collect();
                ends.extend((0..parts.len()).map(|at| parts[at..].iter().collect()));
            }
        }
        Self {
            root: root.to_owned(),
            packages: names.collect(),
            ends,
        }
    }

    /// Whether the code looks like a path and there is no file of it.
    pub(super) fn is_dead(&self, code: &str) -> bool {
        let path = code.trim_end_matches('/');
        self.looks_like_one(code)
            && !self.root.join(path).exists()
            && !self.ends.contains(Path::new(path))
            && !self.in_package(path)
    }

    fn looks_like_one(&self, code: &str) -> bool {
        let of_path = |c: char| c.is_alphanumeric() || "._-/".contains(c);
        if !code.chars().all(of_path) || code.starts_with(['/', '.']) {
            return false;
        }
        let known = |first: &str| {
            let mut packages = self.packages.iter();
            packages.any(|(name, _)| name == first) || self.root.join(first).is_dir()
        };
        let file = [".rs", ".md", ".toml"]
            .iter()
            .any(|kind| code.ends_with(kind));
        file || code.ends_with('/') || code.split_once('/').is_some_and(|(first, _)| known(first))
    }

    fn in_package(&self, path: &str) -> bool {
        let Some((first, rest)) = path.split_once('/') else {
            return false;
        };
        let mut packages = self.packages.iter().filter(|(name, _)| name == first);
        packages
            .any(|(_, folder)| folder.join(rest).exists() || folder.join("src").join(rest).exists())
    }
}
