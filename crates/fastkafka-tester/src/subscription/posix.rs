//! POSIX extended expressions, by which Kafka's client matches on a server, in the syntax of Rust's
//! `regex` crates.

/// The part of the expression before the next character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Atom,
    Repetition,
}

/// Translates a POSIX extended expression. An expression that means something else in Rust, or that
/// depends on the C library, is refused.
///
/// # Errors
/// The part that is refused, and how to write it.
pub(super) fn to_rust(pattern: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let mut before = Before::Nothing;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let escaped = chars.next().ok_or("a lone `\\` at its end")?;
                if escaped.is_ascii_alphanumeric() || "<>`'".contains(escaped) {
                    return Err(format!(
                        "`\\{escaped}` is not in POSIX's extended expressions, by which Kafka's client matches; write a list of characters, such as `[0-9]` or `[[:alnum:]]`"
                    ));
                }
                out.extend(['\\', escaped]);
                before = Before::Atom;
            }
            '[' => {
                bracket(&mut chars, &mut out)?;
                before = Before::Atom;
            }
            '*' | '+' | '?' | '{' => {
                if before != Before::Atom {
                    return Err(format!(
                        "`{c}` stands where there is nothing to repeat in POSIX's extended expressions"
                    ));
                }
                out.push(c);
                if c == '{' {
                    for c in chars.by_ref().take_while(|c| *c != '}') {
                        out.push(c);
                    }
                    out.push('}');
                }
                before = Before::Repetition;
            }
            _ => {
                out.push(c);
                before = match c {
                    '^' | '(' | '|' => Before::Nothing,
                    _ => Before::Atom,
                };
            }
        }
    }
    Ok(out)
}

/// Translates a list of characters: `\` and `[` stand for themselves, `[:alpha:]` for a class.
fn bracket(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    out: &mut String,
) -> Result<(), String> {
    out.push('[');
    out.extend(chars.next_if_eq(&'^'));
    let mut is_first = true;
    while let Some(c) = chars.next() {
        match c {
            ']' if !is_first => {
                out.push(']');
                return Ok(());
            }
            '[' if chars.peek() == Some(&':') => {
                let class: String = chars.by_ref().take_while(|c| *c != ']').collect();
                out.push_str(&format!("[{class}]"));
            }
            '[' if matches!(chars.peek(), Some('.' | '=')) => {
                return Err("collating elements are not supported in a test".to_owned());
            }
            '\\' | '[' | ']' | '^' | '&' | '~' => out.extend(['\\', c]),
            _ => out.push(c),
        }
        is_first = false;
    }
    Err("a `[` without its `]`".to_owned())
}
