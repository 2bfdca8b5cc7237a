use super::*;
use crate::fixture::repository;

const MANIFEST: &str = "[package]\nname = \"small\"\n";

/// What is wrong with the file, as `line: what`, under these names.
fn broken(names: &str, path: &str, text: &str) -> Vec<String> {
    let files = [
        ("tools/names.toml", names),
        ("small/Cargo.toml", MANIFEST),
        (path, text),
    ];
    let root = repository(&files);
    let report = check(root.path()).expect("readable");
    let broken = report.broken.into_iter();
    broken
        .map(|finding| format!("{}: {}", finding.line, finding.what))
        .collect()
}

fn renamed(kind: &str, text: &str) -> usize {
    let rule = format!(
        "[[rename]]\ncrate = \"small\"\nkind = \"{kind}\"\nold = \"bell\"\nnew = \"waker\""
    );
    broken(&rule, "small/src/lib.rs", text).len()
}

#[test]
fn a_definition_of_an_old_name_is_reported_with_the_new_one() {
    let rule =
        r#"rename = [{ crate = "small", kind = "type", old = "Bell", new = "`LateWaker`" }]"#;
    assert_eq!(
        broken(rule, "small/src/lib.rs", "\nstruct Bell;"),
        ["2: type `Bell` is an old name: use `LateWaker`"]
    );
    assert_eq!(
        broken(
            rule,
            "small/src/lib.rs",
            "use other::Bell; fn f(_: Bell) {}"
        ),
        [""; 0]
    );
}

#[test]
fn each_kind_of_definition_has_its_own_rule() {
    let all = [
        ("type", "type bell = u8;"),
        ("trait", "trait bell {}"),
        ("fn", "fn bell() {}"),
        ("method", "impl X { fn bell() {} }"),
        ("field", "struct X { bell: u8 }"),
        ("variant", "enum X { bell }"),
        ("const", "static bell: u8 = 1;"),
        ("module", "mod bell {}"),
    ];
    for (kind, _) in all {
        for (other, text) in all {
            let expected = kind == other || (kind, other) == ("fn", "method");
            assert_eq!(renamed(kind, text), usize::from(expected), "{kind}, {text}");
        }
    }
    assert_eq!(renamed("fn", "trait X { fn bell(&self); }"), 1);
    assert_eq!(renamed("fn", "table! { pub fn bell() {} }"), 1);
    assert_eq!(renamed("field", "enum X { Y { bell: u8 } }"), 1);
}

#[test]
fn a_file_and_the_file_of_a_module_have_a_name() {
    for (kind, old) in [("file", "held.rs"), ("module", "held"), ("file", "held/")] {
        let rule =
            format!(r#"rename = [{{ crate = "*", kind = "{kind}", old = "{old}", new = "" }}]"#);
        assert_eq!(broken(&rule, "small/src/held.rs", "").len(), 1);
        assert_eq!(broken(&rule, "small/src/held/mod.rs", "").len(), 1);
        assert_eq!(broken(&rule, "small/src/other.rs", "").len(), 0);
    }
}

#[test]
fn a_rule_holds_in_its_crate_and_scope_only() {
    let rule = |package: &str, scope: &str| {
        format!(
            r#"rename = [{{ crate = "{package}", kind = "fn", old = "of", new = "new", scope = "{scope}" }}]"#
        )
    };
    let found = |rule: &str| broken(rule, "small/src/a/b.rs", "fn of() {}").len();
    assert_eq!(found(&rule("small", "src/a")), 1);
    assert_eq!(found(&rule("*", "")), 1);
    assert_eq!(found(&rule("small", "src/c")), 0);
    assert_eq!(found(&rule("other", "")), 0);
}

#[test]
fn a_forbidden_word_is_found_in_prose_and_not_in_code() {
    let rule = "words.forbidden = [\"bury\", \"seat\", \"gamble\"]";
    let text = "/// Buries it.\nfn bury(seat: u8) {\n    // seats\n    f(\"gambling\"); }";
    assert_eq!(
        broken(rule, "small/src/lib.rs", text),
        [
            "1: \"Buries\": \"bury\" is no word of Kafka's or Rust's; say it plainly",
            "3: \"seats\": \"seat\" is no word of Kafka's or Rust's; say it plainly",
            "4: \"gambling\": \"gamble\" is no word of Kafka's or Rust's; say it plainly",
        ]
    );
    assert_eq!(
        broken(rule, "README.md", "To seat.\n\n```\nseat\n```\n").len(),
        1
    );
    assert_eq!(
        broken(rule, "small/src/lib.rs", "// `seat_of`, reburied").len(),
        0
    );
}

#[test]
fn the_table_of_the_changelog_and_this_tool_may_name_them() {
    let rule = "words.forbidden = [\"seat\"]";
    assert_eq!(
        broken(rule, "CHANGELOG.md", "| was |\n|---|\n| `Seat` |\n").len(),
        0
    );
    assert_eq!(broken(rule, "CHANGELOG.md", "A seat.").len(), 1);
    assert_eq!(
        broken(rule, "tools/structure/src/lib.rs", "// seat").len(),
        0
    );
}

#[test]
fn without_a_list_nothing_is_forbidden() {
    let root = repository(&[("small/src/lib.rs", "// bury\nfn of() {}")]);
    assert_eq!(check(root.path()).expect("readable").broken, []);
}
