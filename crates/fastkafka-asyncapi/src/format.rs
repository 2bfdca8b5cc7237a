//! The forms in which a document is written.

use crate::model::Document;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// A form of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For programs.
    Json,
    /// For people who keep it in a repository.
    Yaml,
    /// One page for a browser.
    Html,
    /// For `cargo doc`.
    Markdown,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Json, Self::Yaml, Self::Html, Self::Markdown];

    /// The form of a file, by its name.
    pub fn from_path(path: &Path) -> Option<Self> {
        path.extension()?.to_str()?.to_lowercase().parse().ok()
    }

    /// How the name of such a file ends.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Html => "html",
            Self::Markdown => "md",
        }
    }

    /// What a server says that it is.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Yaml => "application/yaml",
            Self::Html => "text/html; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.extension())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "json" => Ok(Self::Json),
            "yaml" | "yml" => Ok(Self::Yaml),
            "html" => Ok(Self::Html),
            "md" => Ok(Self::Markdown),
            _ => Err(format!("`{text}` is not one of json, yaml, html, md")),
        }
    }
}

impl Document {
    /// In one of its forms.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Json => self.to_json(),
            Format::Yaml => self.to_yaml(),
            Format::Html => self.to_html(),
            Format::Markdown => self.to_markdown(),
        }
    }
}
