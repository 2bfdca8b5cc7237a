//! Small crates and repositories for tests.

use crate::workspace::Package;
use std::fs;
use tempfile::TempDir;

/// A repository of these files.
pub(crate) fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    folder
}

/// The package `small` with these files in `src`.
pub(crate) fn package(files: &[(&str, &str)]) -> (TempDir, Package) {
    let paths: Vec<_> = files
        .iter()
        .map(|(path, text)| (format!("src/{path}"), *text))
        .collect();
    let files: Vec<_> = paths
        .iter()
        .map(|(path, text)| (path.as_str(), *text))
        .collect();
    let folder = repository(&files);
    let package = Package {
        name: "small".to_owned(),
        folder: folder.path().to_owned(),
    };
    (folder, package)
}
