//! The document as JSON and YAML, and back.

use crate::model::Document;
use serde_json::Value;

/// A text that is no AsyncAPI document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Neither JSON nor YAML.
    #[error("it is neither JSON nor YAML: {0}")]
    Syntax(String),
    /// Another version, or something else altogether.
    #[error("it is no AsyncAPI 3 document: {0}")]
    Document(String),
}

impl Document {
    /// As JSON, with a line break at the end.
    ///
    /// # Panics
    /// Never: everything in a document can be written.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a document is JSON");
        text.push('\n');
        text
    }

    /// As YAML, with a line break at the end.
    ///
    /// # Panics
    /// Never: everything in a document can be written.
    pub fn to_yaml(&self) -> String {
        let mut text = serde_saphyr::to_string(self).expect("a document is YAML");
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text
    }

    /// Reads JSON or YAML. What a document of this crate does not have is ignored.
    ///
    /// # Errors
    /// When it is something else, or of another major version.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let value = parse(text)?;
        let version = value.get("asyncapi").and_then(Value::as_str);
        match version {
            Some(version) if version.starts_with("3.") => {}
            Some(version) => {
                return Err(Unreadable::Document(format!(
                    "it says `asyncapi: {version}`"
                )));
            }
            None => {
                return Err(Unreadable::Document(
                    "it does not say `asyncapi: 3.0.0`".to_owned(),
                ));
            }
        }
        serde_json::from_value(value).map_err(|error| Unreadable::Document(error.to_string()))
    }
}

/// Any JSON or YAML.
///
/// # Errors
/// When it is neither.
pub fn parse(text: &str) -> Result<Value, Unreadable> {
    serde_json::from_str(text)
        .or_else(|_| serde_saphyr::from_str(text))
        .map_err(|error| Unreadable::Syntax(error.to_string()))
}
