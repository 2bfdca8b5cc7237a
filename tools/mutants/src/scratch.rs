//! A copy of the crates that are searched, where one bug after another is planted and built.

use crate::patch::{Files, Searched};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crates that a search is built of.
const COPIED: [&str; 8] = [
    "crates/fastkafka-core",
    "crates/fastkafka-engine",
    "crates/fastkafka-kafka",
    "crates/fastkafka-log",
    "crates/fastkafka-macros",
    "crates/fastkafka-runtime",
    "crates/fastkafka-sim",
    "tools/proof",
];
/// What of a crate is copied: its sources, and what its manifest or its sources name.
const PARTS: [&str; 5] = ["Cargo.toml", "README.md", "benches", "docs", "src"];

/// Built for the sum of compile time and search time: a death takes few states, most of them in
/// less than a second.
const PROFILE: &str = r#"
[profile.mutants]
inherits = "release"
opt-level = 1
debug = false
incremental = true
codegen-units = 16
"#;

/// Reads everything that is copied: manifests and sources.
///
/// # Errors
///
/// A file cannot be read, or the manifest of the workspace has another form.
pub fn sources(repository: &Path) -> Result<Files> {
    let mut files = Files::new();
    for part in parts() {
        if repository.join(&part).is_dir() {
            walk(repository, &part, &mut files)?;
        } else if repository.join(&part).exists() {
            read(repository, &part, &mut files)?;
        }
    }
    read(repository, Path::new("Cargo.lock"), &mut files)?;
    read(repository, Path::new("Cargo.toml"), &mut files)?;
    let manifest = files.get_mut("Cargo.toml").expect("it was just read");
    let members = |line: &&str| line.starts_with("members = [") && line.ends_with(']');
    let line = manifest.lines().find(members);
    let line = line.context("Cargo.toml has no line `members = [..]`")?;
    *manifest = manifest.replace(line, &format!("members = {COPIED:?}")) + PROFILE;
    Ok(files)
}

fn parts() -> impl Iterator<Item = PathBuf> {
    let parts = |crate_| PARTS.iter().map(move |part| Path::new(crate_).join(part));
    COPIED.into_iter().flat_map(parts)
}

fn walk(repository: &Path, folder: &Path, files: &mut Files) -> Result<()> {
    let here = repository.join(folder);
    for entry in fs::read_dir(&here).with_context(|| here.display().to_string())? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            walk(repository, &path, files)?;
        } else {
            read(repository, &path, files)?;
        }
    }
    Ok(())
}

fn read(repository: &Path, file: &Path, files: &mut Files) -> Result<()> {
    let text = fs::read_to_string(repository.join(file));
    let text = text.with_context(|| file.display().to_string())?;
    let name = file.to_str().context("a path in UTF-8")?.to_owned();
    files.insert(name, text);
    Ok(())
}

/// A workspace beside the target directory, and a target directory of its own, so that a bug builds
/// what it changes and what depends on that.
#[derive(Debug)]
pub struct Scratch {
    root: PathBuf,
    /// Files that may be there.
    written: BTreeSet<String>,
}

impl Scratch {
    /// `root` is kept from one run of the tool to the next.
    ///
    /// # Errors
    ///
    /// The folder cannot be made.
    pub fn new(root: PathBuf) -> Result<Self> {
        fs::create_dir_all(root.join("workspace"))?;
        let mut before = Files::new();
        for folder in parts() {
            if root.join("workspace").join(&folder).is_dir() {
                walk(&root.join("workspace"), &folder, &mut before)?;
            }
        }
        let written = before.into_keys().collect();
        Ok(Scratch { root, written })
    }

    /// Makes `files` all that is there. What is as it should be is not touched, or cargo would build
    /// it again.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn write(&mut self, files: &Files) -> Result<()> {
        let workspace = self.root.join("workspace");
        for gone in self
            .written
            .iter()
            .filter(|file| !files.contains_key(*file))
        {
            fs::remove_file(workspace.join(gone))?;
        }
        for (file, text) in files {
            let path = workspace.join(file);
            // Cargo takes out of the lock file what this workspace does not need.
            let kept = file == "Cargo.lock" && path.exists();
            if kept || fs::read_to_string(&path).is_ok_and(|there| there == *text) {
                continue;
            }
            fs::create_dir_all(path.parent().expect("a file is in a folder"))?;
            fs::write(path, text)?;
        }
        self.written = files.keys().cloned().collect();
        Ok(())
    }

    /// Builds the search and says where it is. That of the engine is built without the rest of the app.
    ///
    /// # Errors
    ///
    /// It does not compile.
    pub fn build(&self, model: Searched) -> Result<PathBuf> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        cargo
            .current_dir(self.root.join("workspace"))
            .args(["build", "--quiet", "--profile", "mutants"])
            .args(["--package", "proof", "--bin", "proof"])
            .args((model == Searched::Engine).then_some("--no-default-features"))
            .env("CARGO_TARGET_DIR", self.root.join("target"))
            // One bug after another in the same crates: what CI turns off pays here.
            .env("CARGO_INCREMENTAL", "1");
        let built = cargo.output().context("cargo")?;
        ensure!(
            built.status.success(),
            "it does not compile:\n{}",
            String::from_utf8_lossy(&built.stderr)
        );
        Ok(self.root.join("target/mutants/proof"))
    }

    /// A file for what the search prints.
    #[must_use]
    pub fn output(&self) -> PathBuf {
        self.root.join("output")
    }
}
