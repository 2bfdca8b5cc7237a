//! What a command prints, when nobody takes it: no command panics.

use std::process::{Command, Output, Stdio};

use super::sinks::unread;

/// Everything that prints to the standard output.
const PRINTING: [&[&str]; 10] = [
    &["check"],
    &["check", "--explain"],
    &["topics"],
    &["docs", "generate"],
    &["docs", "generate", "--format", "html"],
    &["docs", "serve", "--bind", "127.0.0.1:0"],
    &["--help"],
    &["run", "--help"],
    &["help", "docs"],
    &["--version"],
];

fn flights(arguments: &[&str], stdout: Stdio, stderr: Stdio) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flights-app"));
    command.args(arguments).stdout(stdout).stderr(stderr);
    command.output().unwrap()
}

/// Its status, and what it has to say.
fn printing(arguments: &[&str], stdout: Stdio) -> (Option<i32>, String) {
    let output = flights(arguments, stdout, Stdio::piped());
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said)
}

#[test]
fn a_reader_that_has_enough_ends_a_command_in_silence() {
    for arguments in PRINTING {
        let expected = (Some(141), String::new());
        assert_eq!(printing(arguments, unread()), expected, "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    for arguments in PRINTING {
        let (code, said) = printing(arguments, super::sinks::full());
        assert_eq!(code, Some(1), "{arguments:?}: {said}");
        assert_eq!(
            said,
            "error: cannot write to the standard output: No space left on device (os error 28)\n",
            "{arguments:?}"
        );
    }
}

#[test]
fn what_is_found_comes_before_what_is_not_shown() {
    let directory = tempfile::tempdir().unwrap();
    let old = directory.path().join("old.yaml");
    let yaml = flights(&["docs", "generate"], Stdio::piped(), Stdio::null()).stdout;
    let yaml = String::from_utf8(yaml).unwrap();
    std::fs::write(&old, yaml.replace("address: legs", "address: legs.v0")).unwrap();
    let diff = ["docs", "diff", old.to_str().unwrap()];
    let (code, said) = printing(&diff, unread());
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("breaks those who rely on the contract"),
        "{said}"
    );
}

#[test]
fn an_error_that_nobody_hears_is_an_error() {
    for (arguments, expected) in [
        (&["run", "--kafka-broker", "staging"][..], 1),
        (&["check", "--kafka-broker", "staging"], 1),
        (&["docs", "diff", "missing.yaml"], 2),
        (&["docs", "check", "missing.yaml"], 2),
        (&["--nonsense"], 2),
    ] {
        let output = flights(arguments, unread(), unread());
        assert_eq!(output.status.code(), Some(expected), "{arguments:?}");
    }
}
