//! The text in a file that is written for people: the rest of it becomes spaces.

use proc_macro2::{Literal, TokenStream, TokenTree};
use pulldown_cmark::{Event, Options, Parser, Tag};
use std::ops::Range;

/// Comments, documentation and strings of Rust code; `None` when it is none.
///
/// A lexer throws comments away, so this goes the other way: what no token covers is a comment.
pub(super) fn of_rust(text: &str) -> Option<String> {
    let tokens: TokenStream = text.parse().ok()?;
    let mut code = Vec::new();
    collect(text, tokens, &mut code);
    Some(without(text, &code))
}

fn collect(text: &str, tokens: TokenStream, code: &mut Vec<Range<usize>>) {
    for token in tokens {
        let range = token.span().byte_range();
        // The tokens that stand for `/// text` all have its place.
        let token_text = text.get(range.clone()).unwrap_or_default();
        if token_text.starts_with("//") || token_text.starts_with("/*") {
            continue;
        }
        match token {
            TokenTree::Group(group) => {
                code.extend([group.span_open(), group.span_close()].map(|span| span.byte_range()));
                collect(text, group.stream(), code);
            }
            TokenTree::Literal(literal) if is_text(&literal) => {}
            _ => code.push(range),
        }
    }
}

fn is_text(literal: &Literal) -> bool {
    literal.to_string().ends_with(['"', '#'])
}

/// Markdown without code blocks and, on demand, without tables.
pub(super) fn of_markdown(text: &str, tables: bool) -> String {
    let events = Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter();
    let code = events.filter_map(|(event, range)| match event {
        Event::Start(Tag::CodeBlock(_)) => Some(range),
        Event::Start(Tag::Table(_)) if !tables => Some(range),
        _ => None,
    });
    without(text, &code.collect::<Vec<_>>())
}

/// The text with spaces at `ranges`: lines stay where they are.
fn without(text: &str, ranges: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for range in ranges {
        for byte in bytes.get_mut(range.clone()).unwrap_or_default() {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    String::from_utf8(bytes).expect("tokens end where characters do")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(prose: &str) -> Vec<&str> {
        prose.split_whitespace().collect()
    }

    #[test]
    fn comments_documentation_and_strings_are_prose_and_code_is_not() {
        let text = "//! ä one\n/// two\nfn code(x: &str) { // three\n  call(\"four\", 'x', 5); /* six */ }\n#[doc = r#\"seven\"#]\nstruct S;";
        let prose = of_rust(text).expect("Rust");
        let found = words(&prose);
        for word in ["one", "two", "three", "\"four\"", "six", "r#\"seven\"#"] {
            assert!(found.contains(&word), "{word} in {found:?}");
        }
        for word in ["fn", "code", "call", "x", "5", "struct", "S"] {
            assert!(!found.contains(&word), "{word} in {found:?}");
        }
        assert_eq!(prose.lines().count(), text.lines().count());
    }

    #[test]
    fn blocks_of_code_are_no_prose() {
        let text = "one `two`\n\n```rust\nthree\n```\n\n| four |\n|---|\n| five |\n";
        assert_eq!(words(&of_markdown(text, false)), ["one", "`two`"]);
        assert!(of_markdown(text, true).contains("five"));
    }
}
