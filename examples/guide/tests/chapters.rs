//! Every example is run, and is what its chapter says it is.
//!
//! An example `src/bin/NAME.rs` belongs to the chapter `docs/guide/NAME.md`. The chapter names the
//! command; the first `text` block behind it is what the command prints. Its `rust,ignore` blocks are
//! taken from the example. In both, `..` stands for what is left out.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::path::{Path, PathBuf};
use std::process::Command;

struct Chapter {
    name: String,
    /// The example.
    source: String,
    /// The chapter's text.
    text: String,
}

impl Chapter {
    /// Found by listing, so that none is forgotten.
    fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources: Vec<PathBuf> = std::fs::read_dir(root.join("src/bin"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        sources.sort();
        assert!(!sources.is_empty());
        let chapter = |source: &PathBuf| {
            let name = source.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = root.join(format!("../../docs/guide/{name}.md"));
            Self {
                source: std::fs::read_to_string(source).unwrap(),
                text: std::fs::read_to_string(&text)
                    .unwrap_or_else(|error| panic!("{}: {error}", text.display())),
                name,
            }
        };
        sources.iter().map(chapter).collect()
    }

    fn command(&self) -> String {
        format!("cargo run -p guide --bin {}\n", self.name)
    }

    /// The blocks of a language, from the place where `after` is.
    fn blocks<'a>(&'a self, after: &str, language: &str) -> Vec<&'a str> {
        let from = self.text.find(after).unwrap_or_else(|| {
            panic!(
                "docs/guide/{}.md does not name `{}`",
                self.name,
                after.trim()
            )
        });
        let fence = format!("```{language}\n");
        self.text[from..]
            .split(&fence)
            .skip(1)
            .map(|block| block.split("```").next().unwrap())
            .collect()
    }
}

#[test]
fn every_example_prints_what_its_chapter_says() {
    for chapter in Chapter::all() {
        let name = &chapter.name;
        let binary = std::env::var(format!("CARGO_BIN_EXE_{name}")).unwrap();
        let output = Command::new(binary)
            .env_remove("RUST_LOG")
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {errors}{printed}");

        let blocks = chapter.blocks(&chapter.command(), "text");
        let expected = blocks.first();
        let expected = expected.unwrap_or_else(|| panic!("{name}: what does it print?"));
        assert!(
            is(&printed, expected),
            "{name}: printed\n{printed}\nand not\n{expected}"
        );
    }
}

#[test]
fn every_chapter_shows_what_is_in_its_example() {
    for chapter in Chapter::all() {
        let source = trimmed(&chapter.source);
        for block in chapter.blocks("", "rust,ignore") {
            let mut rest = source.as_str();
            for part in trimmed(block).split("// ..\n") {
                let place = rest.find(part);
                let place = place.unwrap_or_else(|| {
                    panic!(
                        "{}.rs does not have, or not in this order:\n{part}",
                        chapter.name
                    )
                });
                rest = &rest[place + part.len()..];
            }
        }
    }
}

#[test]
fn every_example_has_a_test() {
    for chapter in Chapter::all() {
        assert!(chapter.source.contains("Tester::"), "{}", chapter.name);
    }
}

#[test]
fn the_index_marks_every_chapter_that_has_an_example() {
    let index = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/README.md");
    let index = std::fs::read_to_string(index).unwrap();
    for Chapter { name, .. } in Chapter::all() {
        assert!(index.contains(&format!("]({name}.md) ●: ")), "{name}");
    }
}

/// The last column of the tables of "Coming from FastKafka".
#[test]
fn the_code_for_people_from_fastkafka_is_compiled() {
    let chapters = Chapter::all();
    let chapter = chapters.iter().find(|chapter| chapter.name == "fastkafka");
    let chapter = chapter.unwrap();
    let dense = |code: &str| code.split_whitespace().collect::<String>();
    let source = dense(&chapter.source);
    let tables = chapter.text.split("\n\n");
    let is_code = |table: &&str| {
        table
            .lines()
            .next()
            .is_some_and(|row| row.ends_with("| code |"))
    };
    let with_code = tables.filter(is_code);
    let mut count = 0;
    for row in with_code.flat_map(|table| table.lines().skip(2)) {
        // `\|` stands for `|` in a table.
        let row = row.replace("\\|", "\u{0}");
        let code = row.split('|').nth(3).unwrap();
        for code in code.split('`').skip(1).step_by(2) {
            let code = code.replace('\u{0}', "|");
            assert!(source.contains(&dense(&code)), "not in the example: {code}");
            count += 1;
        }
    }
    assert!(count > 50, "{count} lines of code");
}

/// Without the indentation.
fn trimmed(code: &str) -> String {
    code.lines()
        .map(|line| format!("{}\n", line.trim()))
        .collect()
}

/// Whether a text is the expected one, in which `..` stands for anything within a line, and a line
/// of its own for any lines.
fn is(text: &str, expected: &str) -> bool {
    fn lines(text: &[&str], expected: &[&str]) -> bool {
        match (text, expected) {
            (_, ["..", expected @ ..]) => (0..=text.len()).any(|n| lines(&text[n..], expected)),
            ([line, text @ ..], [like, expected @ ..]) => fits(line, like) && lines(text, expected),
            (text, expected) => text.is_empty() && expected.is_empty(),
        }
    }
    let (text, expected): (Vec<_>, Vec<_>) = (text.lines().collect(), expected.lines().collect());
    lines(&text, &expected)
}

fn fits(line: &str, like: &str) -> bool {
    let Some((start, end)) = like.split_once("..") else {
        return line == like;
    };
    let rest = line.strip_prefix(start);
    rest.is_some_and(|rest| {
        (0..=rest.len()).any(|n| rest.get(n..).is_some_and(|rest| fits(rest, end)))
    })
}

#[test]
fn two_dots_stand_for_what_is_left_out() {
    assert!(is("a 12 b\nc\n", "a .. b\nc\n"));
    assert!(is("a 12 b 3\n", "a .. b ..\n"));
    assert!(!is("a 12 c\n", "a .. b\n"));
    assert!(!is("a\nb\n", "a\n"));
    assert!(!is("ab\n", "a\n"));
    assert!(is("a\nb\nc\nd\n", "a\n..\nd\n"));
    assert!(is("a\nd\n", "a\n..\nd\n"));
    assert!(!is("a\nd\ne\n", "a\n..\nd\n"));
}
