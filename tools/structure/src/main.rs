//! Holds the structure of this repository. Each subcommand prints a report and fails when a rule is
//! broken; without one all of them run. Limits are in `tools/structure.toml`.
#![forbid(unsafe_code)]

mod circles;
mod finding;
#[cfg(test)]
mod fixture;
mod lengths;
mod limits;
mod links;
mod modules;
mod names;
mod workspace;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use finding::Report;
use limits::Limits;
use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use workspace::Package;

#[derive(Parser)]
#[command(about)]
struct Command {
    #[command(subcommand)]
    check: Option<Check>,
}

#[derive(Subcommand)]
enum Check {
    /// Files that need each other, per crate
    Circles {
        /// The crate's folder; default: all in `crates/`
        #[arg(long = "crate", value_name = "PATH")]
        crates: Vec<PathBuf>,
        /// List the arrows in the largest circle and in those that are too large
        #[arg(long)]
        why: bool,
    },
    /// Source files that are too long
    Lengths,
    /// Old names and words, by `tools/names.toml`
    Names,
    /// Dead links in Markdown and documentation, dead paths in the maps of the code
    Links,
}

fn main() -> Result<ExitCode> {
    let command = Command::parse();
    // Paths in the report are relative to the repository.
    let here = env::current_dir()?;
    let root = workspace::root(&here)?;
    let limits = Limits::read(&root)?;
    let reports = match command.check {
        Some(Check::Circles { crates, why }) => {
            let crates = crates.iter().map(|path| here.join(path));
            vec![circles(&root, &crates.collect::<Vec<_>>(), &limits, why)?]
        }
        Some(Check::Lengths) => vec![lengths(&root, &limits)?],
        Some(Check::Names) => vec![names::check(&root)?],
        Some(Check::Links) => vec![links::check(&root)?],
        None => vec![
            circles(&root, &[], &limits, false)?,
            lengths(&root, &limits)?,
            names::check(&root)?,
            links::check(&root)?,
        ],
    };
    print(&root, &reports)
}

fn circles(root: &Path, crates: &[PathBuf], limits: &Limits, why: bool) -> Result<Report> {
    let packages = if crates.is_empty() {
        workspace::packages(&root.join("crates"))?
    } else {
        let packages = crates.iter().map(|folder| {
            Package::read(folder)?.with_context(|| format!("{}: no package", folder.display()))
        });
        packages.collect::<Result<_>>()?
    };
    circles::check(&packages, &limits.circles, why)
}

fn lengths(root: &Path, limits: &Limits) -> Result<Report> {
    lengths::check(&workspace::packages(root)?, limits.lengths.below)
}

fn print(root: &Path, reports: &[Report]) -> Result<ExitCode> {
    let mut output = io::stdout().lock();
    for report in reports {
        write!(output, "{}", report.text)?;
    }
    let mut code = ExitCode::SUCCESS;
    let broken = reports.iter().flat_map(|report| {
        let mut broken = report.broken.clone();
        broken.sort();
        broken
    });
    for mut finding in broken {
        if let Ok(file) = finding.file.strip_prefix(root) {
            finding.file = file.to_owned();
        }
        writeln!(output, "error: {finding}")?;
        code = ExitCode::FAILURE;
    }
    Ok(code)
}
