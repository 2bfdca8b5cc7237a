//! Links and paths that lead nowhere.

mod markdown;
mod paths;
mod rustdoc;

use crate::finding::{Finding, Report};
use crate::workspace;
use anyhow::Result;
use markdown::Link;
use paths::Paths;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Documents whose text says where things are.
const MAPS: [&str; 2] = ["CONTRIBUTING.md", "docs/architecture.md"];

pub(crate) fn check(root: &Path) -> Result<Report> {
    let files = workspace::files(root)?;
    let mut report = Report::default();
    let mut count = 0;
    for file in &files {
        let kind = file.extension().and_then(|kind| kind.to_str());
        match kind {
            Some("md") => {
                let text = fs::read_to_string(file)?;
                let links = markdown::links(&text);
                count += links.len();
                for link in links {
                    let broken = of_markdown(root, file, &text, &link)?;
                    report
                        .broken
                        .extend(broken.map(|what| Finding::new(file, link.line, what)));
                }
            }
            Some("rs") => {
                let targets = rustdoc::targets(&fs::read_to_string(file)?);
                count += targets.len();
                for target in targets {
                    let path = target.path.split('#').next().unwrap_or_default();
                    if !file.with_file_name(path).exists() {
                        let what =
                            format!("`{path}` does not exist: correct the link or remove it");
                        report.broken.push(Finding::new(file, target.line, what));
                    }
                }
            }
            _ => {}
        }
    }
    let paths = Paths::new(root, &files, &workspace::packages(root)?);
    for map in MAPS.map(|map| root.join(map)) {
        if map.is_file() {
            let written = markdown::paths(&fs::read_to_string(&map)?);
            count += written.len();
            for path in written {
                if paths.is_dead(&path.target) {
                    let what = format!("`{}` is no file: write where it is now", path.target);
                    report.broken.push(Finding::new(&map, path.line, what));
                }
            }
        }
    }
    writeln!(
        report.text,
        "links: {count} links and paths, {} dead",
        report.broken.len()
    )?;
    Ok(report)
}

/// What is wrong with a link in a Markdown file, if anything is.
fn of_markdown(root: &Path, file: &Path, text: &str, link: &Link) -> Result<Option<String>> {
    let target = &link.target;
    if !link.defined {
        return Ok(Some(format!(
            "`[{target}]` is defined nowhere: add `[{target}]: ..`"
        )));
    }
    if markdown::is_elsewhere(target) {
        return Ok(None);
    }
    let (path, fragment) = target
        .split_once('#')
        .map_or((target.as_str(), None), |(path, id)| (path, Some(id)));
    let to = match path.strip_prefix('/') {
        _ if path.is_empty() => file.to_owned(),
        // GitHub's way to begin at the top.
        Some(path) => root.join(path),
        None => file.with_file_name("").join(path),
    };
    if !to.exists() {
        return Ok(Some(format!(
            "`{path}` does not exist: correct the link or remove it"
        )));
    }
    let Some(fragment) = fragment else {
        return Ok(None);
    };
    if to.extension().is_none_or(|kind| kind != "md") {
        return Ok(None);
    }
    let slugs = if to == file {
        markdown::slugs(text)
    } else {
        markdown::slugs(&fs::read_to_string(&to)?)
    };
    if slugs.contains(fragment) {
        return Ok(None);
    }
    Ok(Some(format!(
        "`{target}`: no heading there is `#{fragment}`: its headings are {}",
        slugs
            .iter()
            .map(|slug| format!("#{slug}"))
            .collect::<Vec<_>>()
            .join(" "),
    )))
}

#[cfg(test)]
mod tests;
