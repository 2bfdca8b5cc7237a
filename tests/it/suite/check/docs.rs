//! What `docs` does, with which exit codes, asked of a service on the command line.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn docs(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flights-app"));
    command.arg("docs").args(arguments).output().unwrap()
}

fn code(arguments: &[&str]) -> i32 {
    docs(arguments).status.code().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn generate_writes_each_form_where_it_is_asked_to() {
    let begins = |arguments: &[&str], expected: &str| {
        let output = docs(&[&["generate"], arguments].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success() && text.starts_with(expected),
            "{text}"
        );
    };
    begins(&[], "asyncapi: \"3.0.0\"");
    begins(&["--format", "json"], "{\n  \"asyncapi\"");
    begins(&["--format", "html"], "<!DOCTYPE html>");
    begins(&["--format", "md"], "## Contract");
    let directory = tempfile::tempdir().unwrap();
    let page = directory.path().join("page.html");
    assert_eq!(code(&["generate", "--out", text(&page)]), 0);
    assert!(
        fs::read_to_string(page)
            .unwrap()
            .starts_with("<!DOCTYPE html>")
    );
    assert_eq!(code(&["generate", "--out", text(directory.path())]), 0);
    for form in ["json", "yaml", "html", "md"] {
        assert!(directory.path().join(format!("asyncapi.{form}")).exists());
    }
}

#[test]
fn generate_does_not_guess_a_form_or_a_place() {
    assert_eq!(code(&["generate", "--format", "pdf"]), 2);
    assert_eq!(code(&["generate", "--out", "contract.txt"]), 2);
    assert_eq!(code(&["generate", "--out", "/no/such/directory/a.json"]), 1);
}

#[test]
fn check_names_the_command_that_renews_a_stale_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("contract.yaml");
    assert_eq!(code(&["generate", "--out", text(&file)]), 0);
    assert_eq!(code(&["check", text(&file)]), 0);
    let old = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        old.replace("version: \"0.1.0\"", "version: \"0.0.9\""),
    )
    .unwrap();
    let output = docs(&["check", text(&file)]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("is stale from line 4 on"), "{error}");
    assert!(
        error.contains(&format!("docs generate --out {}`", file.display())),
        "{error}"
    );
    assert_eq!(code(&["check", "missing.yaml"]), 2);
}

#[test]
fn diff_ends_with_1_only_when_something_breaks() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let yaml = String::from_utf8(docs(&["generate"]).stdout).unwrap();
    let old = write("old.yaml", yaml.clone());
    assert_eq!(code(&["diff", text(&old)]), 0);
    let harmless = write(
        "harmless.yaml",
        yaml.replace("version: \"0.1.0\"", "version: \"0.2.0\""),
    );
    assert_eq!(code(&["diff", text(&old), text(&harmless)]), 0);
    let moved = write(
        "moved.yaml",
        yaml.replace("address: legs", "address: legs.v2"),
    );
    let output = docs(&["diff", text(&old), text(&moved)]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        shown.contains("breaking    to_legs (sends legs.v2): moved from topic `legs` to `legs.v2`"),
        "{shown}"
    );
    for unreadable in ["- what", "asyncapi: 2.6.0", "a: [", "asyncapi: 3.0.0"] {
        let file = write("unreadable.yaml", unreadable.to_owned());
        assert_eq!(code(&["diff", text(&old), text(&file)]), 2, "{unreadable}");
    }
    assert_eq!(code(&["diff", "missing.yaml"]), 2);
    assert_eq!(code(&["diff"]), 2);
}

#[test]
fn serve_serves_until_it_is_ended() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_flights-app"))
        .args(["docs", "serve", "--bind", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .trim()
        .strip_prefix("http://")
        .unwrap()
        .trim_end_matches('/');
    let get = |path: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let page = get("/");
    let json = get("/asyncapi.json");
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(
        page.starts_with("HTTP/1.1 200 OK") && page.contains("<!DOCTYPE html>"),
        "{page}"
    );
    assert!(page.contains("href=\"asyncapi.json\""), "{page}");
    let (_, json) = json.split_once("\r\n\r\n").unwrap();
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(json["asyncapi"], "3.0.0");
}
