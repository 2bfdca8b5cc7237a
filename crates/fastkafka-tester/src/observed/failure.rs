//! The report of a failed assertion.

use similar::{ChangeTag, TextDiff};
use std::fmt::{Debug, Write as _};
use std::panic::Location;

/// The most lines of a section that are shown, the last ones.
const SHOWN: usize = 5;

/// Why an assertion does not hold.
#[derive(Debug)]
pub(super) struct AssertionFailure {
    headline: String,
    /// The expected value, and the actual one if there is one.
    compared: Option<(String, Option<String>)>,
}

impl AssertionFailure {
    pub(super) fn new(headline: impl Into<String>) -> Self {
        Self {
            headline: headline.into(),
            compared: None,
        }
    }

    /// Adds the expected value.
    pub(super) fn expected(mut self, expected: &dyn Debug) -> Self {
        self.compared = Some((format!("{expected:#?}"), None));
        self
    }

    /// Adds the expected value, and the actual one beside it.
    pub(super) fn compared(mut self, expected: &dyn Debug, actual: String) -> Self {
        self.compared = Some((format!("{expected:#?}"), Some(actual)));
        self
    }

    /// The whole text. `when` follows the headline; a section has a title and lines.
    pub(super) fn report(
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

/// The likeness of two texts, from 0 to 1.
pub(super) fn likeness(one: &str, other: &str) -> f32 {
    TextDiff::from_words(one, other).ratio()
}

#[cfg(test)]
mod tests {
    use super::*;

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
