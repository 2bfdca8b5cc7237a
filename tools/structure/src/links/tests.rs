use super::*;
use crate::fixture::repository;

/// What is wrong in a repository of these files, as `file:line: what`.
fn broken(files: &[(&str, &str)]) -> Vec<String> {
    let root = repository(files);
    let report = check(root.path()).expect("readable");
    let broken = report.broken.into_iter().map(|mut finding| {
        let file = finding
            .file
            .strip_prefix(root.path())
            .expect("in the repository");
        finding.file = file.to_owned();
        finding.to_string()
    });
    broken.collect()
}

#[test]
fn a_link_to_a_file_that_is_gone_is_dead() {
    let text = "[a](b.md) ![c](d.png)\n\n[e][f] [g](https://example.org/x.md)\n\n[f]: ../gone.rs\n";
    assert_eq!(
        broken(&[("docs/a.md", text), ("docs/b.md", "")]),
        [
            "docs/a.md:1: `d.png` does not exist: correct the link or remove it",
            "docs/a.md:3: `../gone.rs` does not exist: correct the link or remove it",
        ]
    );
}

#[test]
fn a_reference_that_is_not_defined_is_dead() {
    let text = "[a][b], [c], `[d][e]`";
    assert_eq!(
        broken(&[("a.md", text)]),
        ["a.md:1: `[b]` is defined nowhere: add `[b]: ..`"]
    );
}

#[test]
fn a_fragment_is_a_heading_as_github_names_it() {
    let b = "# One `two_three`: four!\n\n## Again\n\n## Again\n";
    let fine = "[a](b.md#one-two_three-four) [b](b.md#again-1) [c](#here)\n\n# Here\n";
    assert_eq!(broken(&[("a.md", fine), ("b.md", b)]), [""; 0]);
    let dead = "[a](b.md#again-2) [b](#there)\n\n# Here\n";
    assert_eq!(
        broken(&[("a.md", dead), ("b.md", b)]),
        [
            "a.md:1: `b.md#again-2`: no heading there is `#again-2`: its headings are #again #again-1 #one-two_three-four",
            "a.md:1: `#there`: no heading there is `#there`: its headings are #here",
        ]
    );
}

#[test]
fn documentation_of_rust_has_links_too() {
    // A block of code that does not end ends with the item.
    let text = "//! [a](b.rs) [c](Item) [d](crate::e) [f](../b/struct.X.html)\n\
                table! {\n/// See [the\n/// guide](../g.md).\nx\n}\n\
                #[doc = include_str!(\"h.md\")]\n// [comment](i.md)\nfn f() {}\n/// ```\nfn f() {}\n\n/// [j](/k.md)\nfn f() {}";
    assert_eq!(
        broken(&[("src/a.rs", text), ("src/b.rs", "")]),
        [
            "src/a.rs:7: `h.md` does not exist: correct the link or remove it",
            "src/a.rs:3: `../g.md` does not exist: correct the link or remove it",
            "src/a.rs:13: `/k.md` does not exist: correct the link or remove it",
        ]
    );
}

#[test]
fn a_path_in_a_map_of_the_code_may_be_short_and_must_exist() {
    let at = "crates/fastkafka-core/src/plan/check.rs";
    let found = |map: &str| {
        let manifest = "[package]\nname = \"fastkafka-core\"\n";
        let files = [
            ("CONTRIBUTING.md", map),
            ("crates/fastkafka-core/Cargo.toml", manifest),
            (at, ""),
        ];
        broken(&files)
    };
    let fine = "`core/src/plan/check.rs` `core/plan/check.rs` `plan/check.rs` `check.rs` `core/plan/` \
                `crates` `key = value` `a/b` `~/.cache/x` `cat x.rs` `crates/fastkafka-core/Cargo.toml`";
    assert_eq!(found(fine), [""; 0]);
    assert_eq!(
        found(
            "a\n\n`core/check.rs` `plan.rs` `core/plan/gone` `gone/`\n\n```text\n| core/x.rs  y.rs core/gone/: a\n```\n"
        ),
        [
            "CONTRIBUTING.md:3: `core/check.rs` is no file: write where it is now",
            "CONTRIBUTING.md:3: `plan.rs` is no file: write where it is now",
            "CONTRIBUTING.md:3: `core/plan/gone` is no file: write where it is now",
            "CONTRIBUTING.md:3: `gone/` is no file: write where it is now",
            "CONTRIBUTING.md:6: `core/x.rs` is no file: write where it is now",
            "CONTRIBUTING.md:6: `core/gone/` is no file: write where it is now",
        ]
    );
}
