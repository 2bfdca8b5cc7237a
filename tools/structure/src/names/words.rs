//! Words that say nothing to a reader who has not been told.

use super::prose;
use crate::finding::Finding;
use anyhow::Result;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every form of the forbidden words, with the word.
pub(super) struct Words(BTreeMap<String, String>);

impl Words {
    pub(super) fn new(forbidden: &[String]) -> Self {
        let forms = forbidden
            .iter()
            .flat_map(|word| forms(word).map(|form| (form, word.clone())));
        Self(forms.collect())
    }

    pub(super) fn check(&self, file: &Path, broken: &mut Vec<Finding>) -> Result<()> {
        let kind = file.extension().and_then(|kind| kind.to_str());
        let prose = match kind {
            Some("rs") => prose::of_rust(&fs::read_to_string(file)?),
            // The changelog says in a table what things were called.
            Some("md") => {
                let tables = file.file_name().is_none_or(|name| name != "CHANGELOG.md");
                Some(prose::of_markdown(&fs::read_to_string(file)?, tables))
            }
            _ => None,
        };
        for (at, line) in prose.unwrap_or_default().lines().enumerate() {
            // A name of two words is a name of the code.
            let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            for word in words {
                if let Some(forbidden) = self.0.get(&word.to_lowercase()) {
                    let what = format!(
                        "\"{word}\": \"{forbidden}\" is no word of Kafka's or Rust's; say it plainly"
                    );
                    broken.push(Finding::new(file, at + 1, what));
                }
            }
        }
        Ok(())
    }
}

/// The word with the endings of nouns and verbs.
fn forms(word: &str) -> impl Iterator<Item = String> {
    let (stem, endings): (&str, &[&str]) = if let Some(stem) = word.strip_suffix('y') {
        (stem, &["y", "ies", "ied", "ying"])
    } else if let Some(stem) = word.strip_suffix('e') {
        (stem, &["e", "es", "ed", "ing"])
    } else {
        (word, &["", "s", "ed", "ing"])
    };
    endings.iter().map(move |ending| format!("{stem}{ending}"))
}
