//! The files that a Rust file's documentation refers to.

use super::markdown;
use proc_macro2::{TokenStream, TokenTree};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) path: String,
    pub(super) line: usize,
}

/// Links to files in documentation, and what `include_str!` reads. Read from the tokens, so that the
/// documentation in macro calls counts too.
pub(super) fn targets(text: &str) -> Vec<Target> {
    let mut found = Found::default();
    if let Ok(tokens) = text.parse() {
        found.read(tokens);
        found.end_of_documentation();
    }
    found.targets
}

#[derive(Default)]
struct Found {
    /// The lines of one item's documentation, with their numbers.
    lines: Vec<(usize, String)>,
    targets: Vec<Target>,
}

impl Found {
    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            let TokenTree::Group(group) = token else {
                continue;
            };
            let inside: Vec<TokenTree> = group.stream().into_iter().collect();
            match inside.as_slice() {
                [
                    TokenTree::Ident(doc),
                    TokenTree::Punct(_),
                    TokenTree::Literal(text),
                ] if doc == "doc" => {
                    self.documentation(text);
                }
                [TokenTree::Literal(path)] if included(&tokens[..at]) => {
                    let line = path.span().start().line;
                    self.targets
                        .extend(value(path).map(|path| Target { path, line }));
                }
                _ => self.read(group.stream()),
            }
        }
    }

    fn documentation(&mut self, literal: &proc_macro2::Literal) {
        let line = literal.span().start().line;
        if self.lines.last().is_some_and(|(last, _)| last + 1 < line) {
            self.end_of_documentation();
        }
        let text = value(literal).unwrap_or_default();
        let lines = text.split('\n').enumerate();
        self.lines
            .extend(lines.map(|(at, text)| (line + at, text.to_owned())));
    }

    /// A link may go over several lines, so the text is read as a whole.
    fn end_of_documentation(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        let text: Vec<_> = lines.iter().map(|(_, text)| text.as_str()).collect();
        for link in markdown::links(&text.join("\n")) {
            // Pages of rustdoc are no files here, and a bare name is an item.
            let path = link.target.split('#').next().unwrap_or_default();
            let file = path.contains('/') || path.ends_with(".md") || path.ends_with(".rs");
            if link.defined && file && !path.ends_with(".html") && !markdown::is_elsewhere(path) {
                self.targets.push(Target {
                    line: lines[link.line - 1].0,
                    path: link.target,
                });
            }
        }
    }
}

/// Whether the tokens end in `include_str!`.
fn included(before: &[TokenTree]) -> bool {
    matches!(before, [.., TokenTree::Ident(name), TokenTree::Punct(_)] if name == "include_str")
}

fn value(literal: &proc_macro2::Literal) -> Option<String> {
    let text = syn::parse_str::<syn::LitStr>(&literal.to_string());
    text.ok().map(|text| text.value())
}
