//! Which file needs which.

use crate::modules::{FileId, Found, Modules, uses};
use crate::workspace::Package;
use anyhow::Result;
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The arrows between a package's files.
#[derive(Debug)]
pub(super) struct Arrows {
    pub(super) files: Vec<PathBuf>,
    source: PathBuf,
    all: BTreeMap<(FileId, FileId), Arrow>,
}

/// `from` uses names that `to` defines.
#[derive(Debug)]
pub(super) struct Arrow {
    pub(super) from: FileId,
    pub(super) to: FileId,
    pub(super) names: BTreeSet<String>,
    /// Of the first use.
    pub(super) line: usize,
}

impl Arrows {
    pub(super) fn read(package: &Package) -> Result<Self> {
        let modules = Modules::read(package)?;
        let mut all = BTreeMap::new();
        for (id, module) in modules.all.iter().enumerate() {
            let from = module.file;
            for used in uses(&modules, id) {
                let Found::Item { file: to, name } = used.found else {
                    continue;
                };
                if to != from {
                    let arrow = all.entry((from, to)).or_insert_with(|| Arrow {
                        from,
                        to,
                        names: BTreeSet::new(),
                        line: used.line,
                    });
                    arrow.names.insert(name);
                    arrow.line = arrow.line.min(used.line);
                }
            }
        }
        Ok(Self {
            files: modules.files,
            source: package.folder.join("src"),
            all,
        })
    }

    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// The circles, the largest first.
    pub(super) fn circles(&self) -> Vec<Vec<FileId>> {
        let graph: DiGraphMap<FileId, ()> = self.all.keys().copied().collect();
        let mut circles = tarjan_scc(&graph);
        circles.retain(|circle| circle.len() > 1);
        for circle in &mut circles {
            circle.sort_by_key(|file| &self.files[*file]);
        }
        circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
        circles
    }

    /// The arrows between two files of the circle.
    pub(super) fn within<'a>(&'a self, circle: &'a [FileId]) -> impl Iterator<Item = &'a Arrow> {
        let arrows = self.all.values();
        arrows.filter(|arrow| circle.contains(&arrow.from) && circle.contains(&arrow.to))
    }

    /// The file as its path in `src`.
    pub(super) fn short(&self, file: FileId) -> String {
        let path = &self.files[file];
        let path = path.strip_prefix(&self.source).unwrap_or(path);
        path.display().to_string()
    }
}
