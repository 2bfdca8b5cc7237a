//! `docs`: the contract in files, checked, compared and served.

mod serve;
mod site;

use super::failed::Failed;
use super::output::print;
use crate::app::App;
use crate::asyncapi;
use crate::asyncapi::check_file;
use crate::error::DocsError;
use clap::{Args, Subcommand};
use fastkafka_asyncapi::{Document, Format};
pub use serve::Serve;
use std::path::{Path, PathBuf};

/// What can be done with the contract.
#[derive(Clone, Debug, Subcommand)]
#[non_exhaustive]
pub enum Docs {
    /// Write the document, to standard output or a file.
    Generate(Generate),
    /// Check that the document is valid, and that files say what the service is.
    Check(CheckDocs),
    /// Show what changed between two documents, and whether it breaks those who rely on the first.
    Diff(Diff),
    /// Serve the document to a browser, until Ctrl-C.
    Serve(Serve),
}

/// Options of `docs generate`.
#[derive(Args, Clone, Debug)]
#[non_exhaustive]
pub struct Generate {
    /// json, yaml, html or md; without it as the name of the file ends, else yaml.
    #[arg(long)]
    pub format: Option<Format>,
    /// A file, or a directory for all formats.
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
}

/// Options of `docs check`.
#[derive(Args, Clone, Debug)]
#[non_exhaustive]
pub struct CheckDocs {
    /// Files made by `docs generate`.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// Options of `docs diff`.
#[derive(Args, Clone, Debug)]
#[non_exhaustive]
pub struct Diff {
    /// The document that others rely on, JSON or YAML.
    pub old: PathBuf,
    /// The document to compare; without it the service as it is.
    pub new: Option<PathBuf>,
}

pub(super) fn docs(app: &App, command: &Docs) -> Result<(), Failed> {
    match command {
        Docs::Generate(options) => generate(app, options),
        Docs::Check(options) => check(app, options),
        Docs::Diff(options) => diff(app, options),
        Docs::Serve(options) => serve::serve(&app.asyncapi(), options),
    }
}

fn generate(app: &App, options: &Generate) -> Result<(), Failed> {
    let Some(path) = &options.out else {
        let format = options.format.unwrap_or(Format::Yaml);
        return print(app.asyncapi().render(format));
    };
    if path.is_dir() && options.format.is_none() {
        return app.create_docs(path).map_err(Failed::found);
    }
    let format = options.format.or_else(|| Format::from_path(path));
    let format = format.ok_or_else(|| Failed::unreadable(DocsError::Format(path.clone())))?;
    std::fs::write(path, app.asyncapi().render(format))
        .map_err(|error| Failed::found(DocsError::write(path.clone(), error)))
}

fn check(app: &App, options: &CheckDocs) -> Result<(), Failed> {
    let document = app.asyncapi();
    let value = asyncapi::parse(&document.to_json()).map_err(Failed::found)?;
    let mut wrong: Vec<_> = asyncapi::check(&value)
        .iter()
        .map(|finding| format!("the document is not valid: {finding}"))
        .collect();
    for file in &options.files {
        match check_file(&document, file, &program()) {
            Ok(()) => {}
            Err(stale @ DocsError::Stale { .. }) => wrong.push(stale.to_string()),
            Err(unreadable) => return Err(Failed::unreadable(unreadable)),
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Failed::found(wrong.join("\nerror: ")))
    }
}

/// As the service was called.
fn program() -> String {
    std::env::args()
        .next()
        .unwrap_or_else(|| "<service>".to_owned())
}

fn diff(app: &App, options: &Diff) -> Result<(), Failed> {
    let old = read(&options.old)?;
    let new = match &options.new {
        Some(path) => read(path)?,
        None => app.asyncapi(),
    };
    let changes = asyncapi::diff(&old, &new);
    let lines: String = changes.iter().map(|change| format!("{change}\n")).collect();
    let printed = print(lines);
    match changes.iter().filter(|change| change.breaking).count() {
        0 => printed,
        1 => Err(Failed::found(
            "1 change breaks those who rely on the contract",
        )),
        n => Err(Failed::found(format!(
            "{n} changes break those who rely on the contract"
        ))),
    }
}

fn read(path: &Path) -> Result<Document, Failed> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failed::unreadable(DocsError::Read {
            path: path.to_owned(),
            error,
        })
    })?;
    Document::parse(&text)
        .map_err(|error| Failed::unreadable(format!("{}: {error}", path.display())))
}
