//! The document in files: written, and compared with what the app is.

use crate::app::App;
use crate::error::DocsError;
use fastkafka_asyncapi::{Document, Format};
use std::path::Path;

/// The name of the files of [`App::create_docs`], before the dot.
pub(crate) const NAME: &str = "asyncapi";

impl App {
    /// Writes the document in all its forms into a directory, which is made if it is missing:
    /// `asyncapi.json`, `asyncapi.yaml`, `asyncapi.md`, and a page for browsers, `asyncapi.html`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn create_docs(&self, directory: impl AsRef<Path>) -> Result<(), DocsError> {
        let directory = directory.as_ref();
        std::fs::create_dir_all(directory)
            .map_err(|error| DocsError::write(directory.to_owned(), error))?;
        for (format, text) in forms(&self.asyncapi()) {
            let path = directory.join(format!("{NAME}.{format}"));
            std::fs::write(&path, text).map_err(|error| DocsError::write(path, error))?;
        }
        Ok(())
    }

    /// Makes sure that a file says what the app is: for a test beside the file. Its form follows from
    /// its name.
    ///
    /// ```no_run
    /// # fn app() -> fastkafka::App { fastkafka::App::builder().build() }
    /// #[test]
    /// fn the_contract_is_fresh() {
    ///     app().check_docs(concat!(env!("CARGO_MANIFEST_DIR"), "/asyncapi.md")).unwrap();
    /// }
    /// ```
    ///
    /// # Errors
    /// When it says something else; the error names the command that renews it. When it cannot be
    /// read, or its name ends with none of `json`, `yaml`, `html` and `md`.
    pub fn check_docs(&self, path: impl AsRef<Path>) -> Result<(), DocsError> {
        let package = std::env::var("CARGO_PKG_NAME").ok();
        let command = package.map_or_else(
            || "<service>".to_owned(),
            |package| format!("cargo run -p {package} --"),
        );
        check_file(&self.asyncapi(), path.as_ref(), &command)
    }
}

/// Every form of a document, with links to the others in the page.
pub(crate) fn forms(document: &Document) -> Vec<(Format, String)> {
    let text = |format| match format {
        Format::Html => document.to_html_with(&[
            ("JSON", "asyncapi.json"),
            ("YAML", "asyncapi.yaml"),
            ("Markdown", "asyncapi.md"),
        ]),
        format => document.render(format),
    };
    Format::ALL.map(|format| (format, text(format))).to_vec()
}

/// Compares a file with the document. `command` runs the service's command line.
pub(crate) fn check_file(document: &Document, path: &Path, command: &str) -> Result<(), DocsError> {
    let format = Format::from_path(path).ok_or_else(|| DocsError::Format(path.to_owned()))?;
    let text = std::fs::read_to_string(path).map_err(|error| DocsError::Read {
        path: path.to_owned(),
        error,
    })?;
    // Git may have written line ends in the machine's own way.
    let text = text.replace("\r\n", "\n");
    let wanted = document.render(format);
    // A page of `create_docs` has links that a single one has not.
    let with_links = || {
        forms(document)
            .into_iter()
            .any(|(other, form)| other == format && form == text)
    };
    if text == wanted || with_links() {
        return Ok(());
    }
    let same = text
        .lines()
        .zip(wanted.lines())
        .take_while(|(is, should)| is == should);
    Err(DocsError::Stale {
        path: path.to_owned(),
        line: same.count() + 1,
        renew: format!("{command} docs generate --out {}", path.display()),
    })
}
