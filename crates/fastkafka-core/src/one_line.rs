//! Text that others wrote, as a part of a line of ours.
//!
//! An error quotes what a sender has written: a field's name of a million bytes, a line feed with a forged
//! log line behind it. Log lines, health and the headers of dead letters are made of errors, so each error
//! goes through here once, where it becomes a text.

use std::fmt::{self, Write};

/// The longest text in bytes, with the note of how much is left out.
pub const LONGEST_TEXT: usize = 1_024;

/// What the note may take: `.. and 18446744073709551615 bytes more`.
const NOTE: usize = 40;

/// `text` without what would begin a line or change how it is shown, in at most [`LONGEST_TEXT`] bytes.
///
/// Control characters, line and paragraph separators and marks of writing direction are written as in
/// Rust's source (`\n`, `\u{1b}`). A text that is too long is cut at a character, and says how many bytes
/// are left out.
///
/// ```
/// use fastkafka_core::one_line;
///
/// assert_eq!(one_line("not a number\nERROR all is lost"), r"not a number\nERROR all is lost");
/// assert!(one_line("x".repeat(900_000)).ends_with("x .. and 899016 bytes more"));
/// ```
#[must_use]
pub fn one_line(text: impl fmt::Display) -> String {
    let mut line = Line::default();
    write!(line, "{text}").expect("a `Display` fails only where its writer does");
    if !line.is_full {
        return line.text;
    }
    line.text.truncate(line.kept);
    let more = line.read - line.kept_of;
    format!("{} .. and {more} bytes more", line.text)
}

#[derive(Default)]
struct Line {
    text: String,
    /// As much of it as leaves room for the note.
    kept: usize,
    /// The bytes that this much was made of.
    kept_of: usize,
    /// All bytes that were written here.
    read: usize,
    /// Some had no room.
    is_full: bool,
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut buffer = [0; 4];
        for (at, c) in text.char_indices() {
            // Once it is full the rest is only counted.
            if self.is_full {
                break;
            }
            if is_plain(c) {
                self.text.push_str(c.encode_utf8(&mut buffer));
            } else {
                self.text.extend(c.escape_default());
            }
            self.is_full = self.text.len() > LONGEST_TEXT;
            if self.text.len() <= LONGEST_TEXT - NOTE {
                self.kept = self.text.len();
                self.kept_of = self.read + at + c.len_utf8();
            }
        }
        self.read += text.len();
        Ok(())
    }
}

/// Whether a terminal or a log shows it where it stands, on the same line.
fn is_plain(c: char) -> bool {
    let separator = matches!(c, '\u{2028}' | '\u{2029}');
    let direction = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !(c.is_control() || separator || direction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_short_and_plain_stays_as_it_is() {
        for text in ["", "no", "naïve – 日本", &"x".repeat(LONGEST_TEXT)] {
            assert_eq!(one_line(text), text);
        }
    }

    #[test]
    fn what_begins_a_line_or_turns_it_round_is_escaped() {
        let text = "a\nb\r\tc\u{1b}[31m\u{7f}\u{85}\u{2028}\u{202e}d\0";
        let line = r"a\nb\r\tc\u{1b}[31m\u{7f}\u{85}\u{2028}\u{202e}d\u{0}";
        assert_eq!(one_line(text), line);
    }

    #[test]
    fn a_long_text_is_cut_at_a_character_and_says_how_much_is_left_out() {
        for unit in ["x", "ä", "€", "😀", "\n", "\u{1b}"] {
            for units in [1_000, 1_024, 1_025, 100_000] {
                let text = unit.repeat(units);
                let line = one_line(&text);
                assert!(line.len() <= LONGEST_TEXT, "{unit:?}: {}", line.len());
                assert!(line.lines().count() <= 1);
                let Some((kept, note)) = line.split_once(" .. and ") else {
                    continue;
                };
                let more: usize = note.strip_suffix(" bytes more").unwrap().parse().unwrap();
                let escaped = one_line(unit).len();
                assert_eq!(kept.len() / escaped * unit.len() + more, text.len());
                assert!(kept.len() > LONGEST_TEXT - NOTE - escaped);
            }
        }
    }

    /// What a `Display` writes in pieces is one text.
    #[test]
    fn pieces_are_one_text() {
        let text = format_args!("{}{}{}", "a".repeat(1_000), "b".repeat(30), "c").to_string();
        let pieces = one_line(format_args!(
            "{}{}{}",
            "a".repeat(1_000),
            "b".repeat(30),
            "c"
        ));
        assert_eq!(pieces, one_line(text));
        assert!(pieces.ends_with("a .. and 47 bytes more"), "{pieces}");
    }
}
