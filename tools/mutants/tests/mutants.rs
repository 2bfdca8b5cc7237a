//! What counts as a death, and the patches of this repository against its source.

use mutants::patch::{self, Change, Files, Patch, Searched};
use mutants::{repository, scratch, verdict};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

fn patch(old: &str, new: &str) -> Patch {
    Patch {
        name: "a_bug".into(),
        bug: "It is wrong.".into(),
        kills: "S1".into(),
        model: Searched::Engine,
        scope: "small".into(),
        change: vec![Change {
            file: "src/lib.rs".into(),
            old: old.into(),
            new: new.into(),
        }],
    }
}

fn source(text: &str) -> Files {
    [("src/lib.rs".to_owned(), text.to_owned())].into()
}

/// Judges with a script in the place of the search.
fn judged(script: &str) -> Result<verdict::Death, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let search = folder.path().join("proof");
    std::fs::write(&search, format!("#!/bin/sh\n{script}\n")).expect("it is written");
    std::fs::set_permissions(&search, PermissionsExt::from_mode(0o755)).expect("it is ours");
    let output = folder.path().join("output");
    let time = Duration::from_millis(2_000);
    let death = verdict::judge(&patch("a\n", "b\n"), &search, &output, time, false);
    death.map_err(|error| format!("{error:#}"))
}

#[test]
fn every_patch_applies_to_the_source() {
    let root = repository();
    let sources = scratch::sources(&root).unwrap();
    for patch in patch::all(&root.join("tools/mutants/patches")).unwrap() {
        let patched = patch.apply(&sources).unwrap();
        assert_ne!(patched, sources, "{}", patch.name);
    }
}

#[test]
fn whole_lines_are_replaced_where_they_stand_once() {
    let patched = patch("  b;\n", "  c;\n").apply(&source("a;\n  b;\n   b;\n"));
    assert_eq!(patched.unwrap(), source("a;\n  c;\n   b;\n"));
    let first = patch("a;\n", "").apply(&source("a;\nb;\n"));
    assert_eq!(first.unwrap(), source("b;\n"));
}

#[test]
fn a_text_that_is_gone_or_there_twice_is_an_error_with_its_place() {
    for text in ["c;\n", "b;\nb;\n", " b;\n"] {
        let error = patch("b;\n", "c;\n").apply(&source(text)).unwrap_err();
        assert!(error.to_string().contains("`a_bug`, src/lib.rs"), "{error}");
    }
    let elsewhere = patch("b;\n", "c;\n").apply(&Files::new());
    assert!(elsewhere.is_err(), "a file that is not built");
}

#[test]
fn a_patch_is_concerned_by_its_files_and_by_itself() {
    let patch = patch("b;\n", "c;\n");
    let concerns = |file: &str| patch.concerns(&[file.to_owned()]);
    assert!(concerns("src/lib.rs") && concerns("tools/mutants/patches/a_bug.toml"));
    assert!(!concerns("src/main.rs"));
}

#[test]
fn a_death_is_one_by_the_named_invariant_in_search_and_walks() {
    let death = judged("echo 'planted | S1 | 3 | 9 | small | 2 | wide | L1'").unwrap();
    assert_eq!((death.by.as_str(), death.steps, death.states), ("S1", 3, 9));
    assert_eq!((death.walks, death.walked.as_str()), (2, "wide"));
}

#[test]
fn a_death_by_another_invariant_is_none() {
    let other = judged("echo 'planted | S4 | 3 | 9 | small | 2 | wide | -'; exit 1");
    assert!(other.unwrap_err().contains("S1 has to find it"));
    let survivor = judged("echo 'planted | survives | - | 9 | 1 scopes | 2 | wide | -'; exit 1");
    assert!(survivor.unwrap_err().contains("survives"));
}

#[test]
fn a_bug_that_no_walk_finds_is_not_found() {
    let missed = judged("echo 'planted | S1 | 3 | 9 | small | survives | - | -'; exit 1");
    assert!(missed.unwrap_err().contains("on no walk"));
}

#[test]
fn a_search_that_does_not_end_or_fails_finds_nothing() {
    assert!(judged("exec sleep 60").unwrap_err().contains("did not end"));
    assert!(judged("exit 2").unwrap_err().contains("the search failed"));
    assert!(judged("true").unwrap_err().contains("no line `planted"));
}
