//! What a Markdown text refers to, and what can be referred to in it.

use pulldown_cmark::{BrokenLink, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) target: String,
    pub(super) line: usize,
    /// False for `[text][label]` without a definition of the label.
    pub(super) defined: bool,
}

/// Links and pictures, inline and by reference.
pub(super) fn links(text: &str) -> Vec<Link> {
    let undefined = RefCell::new(Vec::new());
    let callback = |link: BrokenLink<'_>| {
        // `[text]` alone is text.
        if matches!(link.link_type, LinkType::Reference) {
            undefined
                .borrow_mut()
                .push((link.reference.to_string(), link.span));
        }
        None::<(CowStr<'_>, CowStr<'_>)>
    };
    let parser =
        Parser::new_with_broken_link_callback(text, Options::ENABLE_TABLES, Some(callback));
    let links = parser
        .into_offset_iter()
        .filter_map(|(event, range)| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(Link {
                target: dest_url.into_string(),
                line: line(text, &range),
                defined: true,
            }),
            _ => None,
        });
    let mut links: Vec<Link> = links.collect();
    links.extend(undefined.take().into_iter().map(|(target, range)| Link {
        target,
        line: line(text, &range),
        defined: false,
    }));
    links
}

/// Whether the target is no file of ours: an address, or an item of Rust.
pub(super) fn is_elsewhere(target: &str) -> bool {
    target.contains("::")
        || target.starts_with("//")
        || target.contains("://")
        || target.starts_with("mailto:")
}

/// The fragments of a text's headings, as GitHub makes them.
pub(super) fn slugs(text: &str) -> BTreeSet<String> {
    let mut slugs = BTreeSet::new();
    let mut heading = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                let slug = slug(&heading.take().unwrap_or_default());
                // The second of one name is `name-1`.
                let numbered = (1..).map(|number| format!("{slug}-{number}"));
                let mut names = std::iter::once(slug.clone()).chain(numbered);
                slugs.extend(names.find(|name| !slugs.contains(name)));
            }
            _ => {}
        }
    }
    slugs
}

fn slug(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    let kept: String = kept.collect();
    kept.to_lowercase().replace(' ', "-")
}

/// What looks like a path in code: in a line of text, or a word in a block of it.
pub(super) fn paths(text: &str) -> Vec<Link> {
    let mut found = Vec::new();
    let mut in_block = false;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_block = true,
            Event::End(TagEnd::CodeBlock) => in_block = false,
            Event::Code(code) => found.push((code.into_string(), line(text, &range))),
            Event::Text(code) if in_block => {
                for (at, code) in code.lines().enumerate() {
                    let words = code.split(|c: char| c.is_whitespace() || ",;:()".contains(c));
                    // In a drawing only what has both is meant as a path.
                    let words = words.filter(|word| {
                        word.contains('/') && (word.ends_with(".rs") || word.ends_with('/'))
                    });
                    found.extend(words.map(|word| (word.to_owned(), line(text, &range) + at)));
                }
            }
            _ => {}
        }
    }
    let links = found.into_iter().map(|(target, line)| Link {
        target,
        line,
        defined: true,
    });
    links.collect()
}

fn line(text: &str, range: &Range<usize>) -> usize {
    text[..range.start].matches('\n').count() + 1
}
