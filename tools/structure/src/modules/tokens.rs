//! Paths in token streams. syn does not parse what stands in a macro call, so this looks for
//! sequences of tokens that have the form of a path.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path as it is written, and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
}

/// Every path of two or more names, and every single name that can only be an item: one in upper
/// case, a function that is called, a macro.
pub(crate) fn paths(stream: TokenStream) -> Vec<Written> {
    let mut found = Vec::new();
    scan(stream, &mut found);
    found
}

/// Paths in the string literals of an attribute, as `#[serde(with = "crate::text")]` has them.
pub(crate) fn paths_in_strings(stream: TokenStream) -> Vec<Written> {
    let mut found = Vec::new();
    for token in stream {
        match token {
            TokenTree::Group(group) => found.extend(paths_in_strings(group.stream())),
            TokenTree::Literal(literal) => {
                let text = syn::parse_str::<syn::LitStr>(&literal.to_string());
                let path = text.and_then(|text| text.parse_with(syn::Path::parse_mod_style));
                if let Ok(path) = path
                    && path.segments.len() > 1
                {
                    found.push(written(&path, literal.span().start().line));
                }
            }
            _ => {}
        }
    }
    found
}

pub(crate) fn written(path: &syn::Path, line: usize) -> Written {
    let segments = path.segments.iter();
    Written {
        path: segments.map(|segment| name(&segment.ident)).collect(),
        line,
    }
}

/// The identifier without `r#`.
pub(crate) fn name(ident: &proc_macro2::Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

fn scan(stream: TokenStream, found: &mut Vec<Written>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Group(group) => scan(group.stream(), found),
            TokenTree::Ident(first) => {
                let mut path = vec![name(first)];
                let line = first.span().start().line;
                let mut grouped = false;
                let begin = at;
                while colons(&tokens, at + 1) {
                    match tokens.get(at + 3) {
                        Some(TokenTree::Ident(next)) => path.push(name(next)),
                        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                            grouped = true;
                            let mut leaves = Vec::new();
                            scan_group(group.stream(), &mut leaves);
                            found.extend(leaves.into_iter().map(|leaf| Written {
                                path: path.iter().cloned().chain(leaf.path).collect(),
                                line: leaf.line,
                            }));
                        }
                        _ => break,
                    }
                    at += 3;
                }
                if !grouped && is_item(&tokens, begin, at, &path) {
                    found.push(Written { path, line });
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// The leaves of `a::{b, c::d}`: here a single name counts whatever its case.
fn scan_group(stream: TokenStream, found: &mut Vec<Written>) {
    let mut leaf = Vec::new();
    for token in stream {
        match token {
            TokenTree::Ident(ident) => leaf.push((name(&ident), ident.span().start().line)),
            TokenTree::Punct(punct) if punct.as_char() == ',' => flush(&mut leaf, found),
            _ => {}
        }
    }
    flush(&mut leaf, found);
}

fn flush(leaf: &mut Vec<(String, usize)>, found: &mut Vec<Written>) {
    if let Some((_, line)) = leaf.first() {
        let line = *line;
        let names = leaf.drain(..).map(|(name, _)| name);
        found.push(Written {
            path: names.take_while(|name| name != "as").collect(),
            line,
        });
    }
}

/// Whether the path from `begin` to `end` is one that the module's scope decides.
fn is_item(tokens: &[TokenTree], begin: usize, end: usize, path: &[String]) -> bool {
    // `$name`, `#name` come from elsewhere, `::name` from another crate or a type, `.name` is a
    // field or a method. `..name` is a name again.
    if begin > 0 {
        let before = |back: usize, mark: char| {
            let token = begin.checked_sub(back).and_then(|at| tokens.get(at));
            matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
        };
        let of_macro = before(1, '$') && path[0] != "crate" || before(1, '#');
        let of_crate = before(1, ':') && before(2, ':');
        let member = before(1, '.') && !before(2, '.');
        if of_macro || of_crate || member || before(1, '\'') {
            return false;
        }
    }
    let called = match tokens.get(end + 1) {
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
        Some(TokenTree::Punct(punct)) => punct.as_char() == '!',
        _ => false,
    };
    path.len() > 1 || called || path[0].starts_with(char::is_uppercase)
}

fn colons(tokens: &[TokenTree], at: usize) -> bool {
    [at, at + 1]
        .into_iter()
        .all(|at| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let stream = text.parse().expect("tokens");
        let paths = paths(stream).into_iter();
        paths.map(|written| written.path.join("::")).collect()
    }

    #[test]
    fn paths_and_names_of_items_are_found_at_every_depth() {
        assert_eq!(
            found("a, b::c, Some(d::E::new(x))"),
            ["b::c", "Some", "d::E::new"]
        );
        assert_eq!(found("helper(x); other!(y)"), ["helper", "other"]);
        assert_eq!(found("$crate::a::B"), ["crate::a::B"]);
        assert_eq!(found("use a::{b, c::D as E}"), ["a::b", "a::c::D"]);
    }

    #[test]
    fn what_the_scope_does_not_decide_is_no_path() {
        assert_eq!(
            found("x.method(), x.0, $name::X, #name::Y, ::serde::Z"),
            [""; 0]
        );
    }

    #[test]
    fn a_path_in_the_string_of_an_attribute_is_found() {
        let stream = r#"with = "crate::text", rename = "a b", default = "x""#;
        let paths = paths_in_strings(stream.parse().expect("tokens"));
        assert_eq!(paths.len(), 1);
        assert_eq!(paths[0].path, ["crate", "text"]);
    }
}
