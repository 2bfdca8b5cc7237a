//! How a failed assertion reads.

use crate::watching::journal::TopicRecord;
use similar::{ChangeTag, TextDiff};
use std::fmt::{Debug, Write as _};
use std::panic::Location;

/// So many calls and records are shown, the last ones.
const SHOWN: usize = 5;
/// So much of a payload is shown, in characters.
const PAYLOAD: usize = 200;

/// Why an assertion does not hold.
#[derive(Debug)]
pub(crate) struct Miss {
    headline: String,
    /// What was expected and what there is, as texts.
    compared: Option<(String, Option<String>)>,
}

impl Miss {
    pub(crate) fn new(headline: impl Into<String>) -> Self {
        Self {
            headline: headline.into(),
            compared: None,
        }
    }

    /// Shows what was expected.
    pub(crate) fn expected(mut self, expected: &dyn Debug) -> Self {
        self.compared = Some((format!("{expected:#?}"), None));
        self
    }

    /// Shows what was expected and what there is instead.
    pub(crate) fn compared(mut self, expected: &dyn Debug, actual: String) -> Self {
        self.compared = Some((format!("{expected:#?}"), Some(actual)));
        self
    }

    /// The whole text. `when` follows the headline; a section has a title and lines.
    pub(crate) fn report(
        &self,
        when: &str,
        sections: &[(String, Vec<String>)],
        at: &Location<'_>,
    ) -> String {
        let mut text = format!("{}{when}\n", self.headline);
        match &self.compared {
            Some((expected, Some(actual))) => compare(&mut text, expected, actual),
            Some((expected, None)) => indented(&mut text, "expected: ", expected),
            None => {}
        }
        for (title, lines) in sections {
            section(&mut text, title, lines);
        }
        let _ = write!(text, "  at {at}");
        text
    }
}

fn compare(text: &mut String, expected: &str, actual: &str) {
    if !expected.contains('\n') && !actual.contains('\n') {
        indented(text, "expected: ", expected);
        indented(text, "actual:   ", actual);
        return;
    }
    text.push_str("  - expected, + actual:\n");
    let diff = TextDiff::from_lines(expected, actual);
    for change in diff.iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        };
        let line = change.value().trim_end_matches('\n');
        let _ = writeln!(text, "  {sign} {line}");
    }
}

fn indented(text: &mut String, title: &str, value: &str) {
    let value = value.replace('\n', "\n  ");
    let _ = writeln!(text, "  {title}{value}");
}

fn section(text: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        let _ = writeln!(text, "  {title}: none");
        return;
    }
    let before = lines.len().saturating_sub(SHOWN);
    match before {
        0 => writeln!(text, "  {title}:"),
        before => writeln!(text, "  {title}, the last {SHOWN} of {}:", before + SHOWN),
    }
    .expect("a string takes all");
    for line in &lines[before..] {
        let _ = writeln!(text, "    {line}");
    }
}

/// How alike two texts are, from 0 to 1.
pub(crate) fn likeness(one: &str, other: &str) -> f32 {
    TextDiff::from_words(one, other).ratio()
}

/// After a place; the app's own cluster needs no word.
pub(crate) fn on(cluster: &str) -> String {
    match cluster {
        "" => String::new(),
        cluster => format!(" on `{cluster}`"),
    }
}

/// A record of a topic in one line.
pub(crate) fn record_line(record: &TopicRecord) -> String {
    let on = on(record.cluster);
    let place = format!(
        "{}[{}]{on} offset {}",
        record.topic, record.partition, record.offset
    );
    content_line(&place, record.key.as_deref(), record.payload.as_deref())
}

/// A record in one line, after where it is.
pub(crate) fn content_line(place: &str, key: Option<&[u8]>, payload: Option<&[u8]>) -> String {
    let key = key.map_or_else(String::new, |key| format!(", key {:?}", shown(key)));
    let payload = payload.map_or_else(|| "tombstone".to_owned(), shown);
    format!("{place}{key}: {payload}")
}

/// Text as it is, other bytes escaped; the beginning of what is long.
fn shown(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.escape_debug().to_string().replace("\\\"", "\""),
        Err(_) => bytes.escape_ascii().to_string(),
    };
    match text.char_indices().nth(PAYLOAD) {
        Some((end, _)) => format!("{}.. ({} bytes)", &text[..end], bytes.len()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_shown_as_text_and_not_at_length() {
        assert_eq!(shown(br#"{"a":1}"#), r#"{"a":1}"#);
        assert_eq!(shown(b"a\nb"), "a\\nb");
        assert_eq!(shown(b"\xff\x01"), "\\xff\\x01");
        assert!(shown(&[b'a'; 1000]).ends_with("a.. (1000 bytes)"));
    }

    #[test]
    fn short_values_stand_below_each_other_and_long_ones_are_compared_by_line() {
        let mut text = String::new();
        compare(&mut text, "1", "2");
        assert_eq!(text, "  expected: 1\n  actual:   2\n");
        text.clear();
        compare(&mut text, "{\n    a,\n}", "{\n    b,\n}");
        assert_eq!(
            text,
            "  - expected, + actual:\n    {\n  -     a,\n  +     b,\n    }\n"
        );
    }
}
