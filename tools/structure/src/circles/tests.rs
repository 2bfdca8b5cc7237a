use super::*;
use crate::fixture::package;

/// The circles of a crate of these files, each as its files.
fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let (_folder, package) = package(files);
    let arrows = Arrows::read(&package).expect("readable");
    let circles = arrows.circles().into_iter();
    let circles = circles.map(|circle| circle.iter().map(|file| arrows.short(*file)).collect());
    circles.collect()
}

#[test]
fn files_that_import_each_other_are_a_circle() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "use crate::c::C; pub struct B(C);"),
        ("c.rs", "use super::a::A; pub struct C(A);"),
    ];
    assert_eq!(circles(&files), [["a.rs", "b.rs", "c.rs"]]);
}

#[test]
fn a_re_export_is_followed_to_the_file_that_defines_the_item() {
    let files = [
        ("lib.rs", "mod a; mod room; pub use room::Inner as Other;"),
        (
            "a.rs",
            "use crate::{Other, room}; pub struct A(Other); fn f() { room::door() }",
        ),
        (
            "room/mod.rs",
            "mod inner; pub(crate) use inner::{Inner, door};",
        ),
        (
            "room/inner.rs",
            "pub struct Inner; pub fn door() { let _: crate::a::A; }",
        ),
    ];
    assert_eq!(circles(&files), [["a.rs", "room/inner.rs"]]);
}

#[test]
fn a_module_needs_the_child_that_it_re_exports_and_not_the_one_that_it_declares() {
    let child = ("room/inner.rs", "use super::Wall; pub struct Inner(Wall);");
    let declared = "mod inner; pub struct Wall;";
    assert_eq!(
        circles(&[("lib.rs", "mod room;"), ("room/mod.rs", declared), child]),
        [[""; 0]; 0]
    );

    let re_exported = "mod inner; pub use inner::Inner; pub struct Wall;";
    assert_eq!(
        circles(&[("lib.rs", "mod room;"), ("room/mod.rs", re_exported), child]),
        [["room/inner.rs", "room/mod.rs"]]
    );
}

#[test]
fn inline_paths_count_wherever_they_stand() {
    let b = (
        "b.rs",
        "use crate::a::A; pub const B: u8 = 1; pub struct S(A); pub fn f() {}",
    );
    for used in [
        "pub struct A(crate::b::S);",
        "pub struct A; fn f() { crate::b::f() }",
        "pub struct A; fn f(x: u8) { match x { super::b::B => {} _ => {} } }",
        "pub struct A; fn f() { println!(\"{}\", crate::b::B) }",
        "#[serde(with = \"crate::b::f\")] pub struct A;",
        "use crate::b; pub struct A; fn f() { b::f() }",
        "pub struct A; mod inside { fn f() { super::super::b::f() } }",
        "pub struct A; fn f() { use crate::b::f as other; other() }",
    ] {
        let files = [("lib.rs", "mod a; mod b;"), ("a.rs", used), b];
        assert_eq!(circles(&files), [["a.rs", "b.rs"]], "{used}");
    }
}

#[test]
fn a_glob_counts_by_the_names_that_are_used() {
    let b = ("room/b.rs", "use super::*; pub fn f() { wall() }");
    let room = "mod b; pub(crate) fn wall() {} fn g() { b::f() }";
    let files = [("lib.rs", "mod room;"), ("room/mod.rs", room), b];
    assert_eq!(circles(&files), [["room/b.rs", "room/mod.rs"]]);

    let unused = (
        "room/b.rs",
        "use super::*; pub fn f() { let wall = 1; g(wall) }",
    );
    let room = "mod b; pub(crate) fn wall() {} fn other() { b::f() }";
    assert_eq!(
        circles(&[("lib.rs", "mod room;"), ("room/mod.rs", room), unused]),
        [[""; 0]; 0]
    );
}

#[test]
fn an_arrow_of_a_test_is_none() {
    for a in [
        "pub struct A; #[cfg(test)] use crate::b::B;",
        "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }",
        "pub struct A; #[cfg(all(test, loom))] mod tests;",
        "pub struct A { #[cfg(test)] b: crate::b::B }",
        "pub struct A; impl A { #[cfg(test)] fn b() -> crate::b::B {} }",
    ] {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", a),
            ("a/tests.rs", "use crate::b::B;"),
            ("b.rs", "pub struct B(crate::a::A);"),
        ];
        assert_eq!(circles(&files), [[""; 0]; 0], "{a}");
    }
}

#[test]
fn one_name_for_two_things_is_told_apart() {
    let b = ("b.rs", "pub fn b() {} pub fn c() { let _: crate::a::A; }");
    for (lib, a) in [
        // A module, a function of its name, and a type of another crate's.
        (
            "mod a; mod b; pub use bytes::Bytes; pub use b::b;",
            "use crate::{Bytes, b}; pub struct A; fn f(_: Bytes) { b::c() }",
        ),
        (
            "mod a; mod b; pub fn b() {}",
            "pub struct A; fn f() { crate::b::c() }",
        ),
        // A macro of another crate's and a function.
        (
            "mod a; mod b; pub use other::c; pub use b::c;",
            "pub struct A; fn f() { crate::c() }",
        ),
    ] {
        let files = [("lib.rs", lib), ("a.rs", a), b];
        assert_eq!(circles(&files), [["a.rs", "b.rs"]], "{lib}");
    }
}

#[test]
fn what_a_macro_defines_is_its_callers() {
    for (defined, used) in [
        ("pub struct Row { cell: crate::b::B }", "pub struct B(Row);"),
        (
            "pub fn row() { crate::b::B }",
            "pub struct B; fn f() { row() }",
        ),
        ("Row: crate::b::B", "pub struct B(Row);"),
    ] {
        let a = format!("table! {{ {defined} }}");
        let b = format!("use crate::a::*; {used}");
        let files = [
            ("lib.rs", "#[macro_use] mod table; mod a; mod b;"),
            ("table.rs", "macro_rules! table { ($($t:tt)*) => {} }"),
            ("a.rs", &a),
            ("b.rs", &b),
        ];
        assert_eq!(circles(&files), [["a.rs", "b.rs"]], "{defined}");
    }
}

#[test]
fn a_program_needs_the_library_by_its_name() {
    let (_folder, package) = package(&[
        ("lib.rs", "mod a; pub use a::A;"),
        ("a.rs", "pub struct A;"),
        ("main.rs", "fn main() { small::A; }"),
    ]);
    let arrows = Arrows::read(&package).expect("readable");
    // That of the library to its own file is the other.
    assert_eq!(arrows.count(), 2);
}

#[test]
fn a_circle_above_the_limit_is_reported_with_an_arrow_to_cut() {
    let (_folder, package) = package(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::{B, C};\npub struct A(B, C);"),
        ("b.rs", "\nuse crate::a::A;\npub struct B; pub struct C(A);"),
    ]);
    let limit = |files| BTreeMap::from([("small".to_owned(), files)]);
    let packages = [package];
    let fine = check(&packages, &limit(2), false).expect("readable");
    assert_eq!(fine.broken, []);

    let report = check(&packages, &limit(1), true).expect("readable");
    assert!(
        report.text.contains("a.rs:1 -> b.rs: B, C"),
        "{}",
        report.text
    );
    assert_eq!(report.broken.len(), 1);
    assert!(report.broken[0].file.ends_with("src/b.rs"));
    assert_eq!(report.broken[0].line, 2);
}
