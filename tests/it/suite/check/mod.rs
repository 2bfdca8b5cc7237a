//! What `check` says of an app whose settings come from several places. Needs no broker.

mod docs;
mod secrets;

use std::fs;
use std::process::{Command, Output};

fn check(setting: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orders-app"));
    command.args([setting, "check"]).args(arguments);
    command.envs(variables.iter().copied());
    command.output().unwrap()
}

/// The row of a key, its columns joined by one space.
fn row(output: &Output, key: &str) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with(&format!("{key} ")));
    let line = line.unwrap_or_else(|| panic!("no row of {key} in {text}"));
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn explain_shows_winner_and_losers() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("app.toml");
    fs::write(
        &file,
        "[handlers.on_order]\nsession_timeout_ms = 7000\ngroup_id = \"filed\"\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let output = check(
        "join",
        &["--explain"],
        &[
            ("FASTKAFKA_CONFIG", file),
            ("FASTKAFKA_HANDLERS__ON_ORDER__GROUP_ID", "chosen"),
            ("FASTKAFKA_CONSUMER_DEFAULTS__FETCH_MIN_BYTES", "9"),
        ],
    );
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        row(&output, "group_id"),
        format!(
            "group_id = chosen FASTKAFKA_HANDLERS__ON_ORDER over filed ({file} [handlers.on_order]), join (`#[consumes]`)"
        )
    );
    assert_eq!(
        row(&output, "session_timeout_ms"),
        format!("session_timeout_ms = 7000 {file} [handlers.on_order] over 6000 (`#[consumes]`)")
    );
    assert_eq!(
        row(&output, "fetch_min_bytes"),
        "fetch_min_bytes = 9 FASTKAFKA_CONSUMER_DEFAULTS"
    );
    assert_eq!(row(&output, "attempts"), "attempts = 10 default");
    // What the app itself is called.
    assert_eq!(row(&output, "client_id"), "client_id = join default");
}

/// What cannot start is named by `check`, with status 1, and no secret with it.
#[test]
fn what_cannot_start_ends_the_check_with_1() {
    let directory = tempfile::tempdir().unwrap();
    let broken = directory.path().join("broken.toml");
    fs::write(&broken, "[consumer_defaults]\nsasl_plain_password = hush\n").unwrap();
    let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let variable = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
    let file = |file| variable("FASTKAFKA_CONFIG", &path(file));
    let broker = |address: &'static str| vec!["--kafka-broker", address];
    for (arguments, variable, expected) in [
        // An unset variable of a compose file.
        (
            vec![],
            variable("FASTKAFKA_HANDLERS__ON_ORDER__GROUP_ID", ""),
            "FASTKAFKA_HANDLERS__ON_ORDER has an empty `group_id`",
        ),
        (
            vec![],
            variable("FASTKAFKA_HANDLERS_ON_ORDER__GROUP_ID", "x"),
            "two underscores part the words",
        ),
        (
            vec![],
            variable("FASTKAFKA_CONSUMER_DEFAULTS__AUTO_COMMIT_INTERVAL_MS", "0"),
            "has `auto_commit_interval_ms = 0`; it must be at least 1",
        ),
        (
            vec![],
            variable(
                "FASTKAFKA_HANDLERS__ON_ORDER__BOOTSTRAP_SERVERS",
                "kafka://me:hush@h",
            ),
            "with a login in it",
        ),
        (vec![], file(directory.path()), "is a directory"),
        (vec![], file(&broken), "line 2, column 23"),
        (broker("x:y"), None, "whose port is no number"),
        (broker(":9092"), None, "without a host"),
        (broker("h:99999"), None, "whose port is no number"),
        (broker("127.0.0.1:1:1"), None, "is not `host:port`"),
        (broker("kafka://me:hush@h"), None, "with a login in it"),
    ] {
        let variables: Vec<_> = variable.iter().map(|(n, v)| (&**n, &**v)).collect();
        for explain in [false, true] {
            let mut arguments = arguments.clone();
            arguments.extend(explain.then_some("--explain"));
            let output = check("join", &arguments, &variables);
            let told = String::from_utf8(output.stderr).unwrap();
            let shown = String::from_utf8(output.stdout).unwrap();
            assert_eq!(output.status.code(), Some(1), "{told}");
            assert!(told.contains(expected), "{expected} in {told}");
            assert!(!format!("{told}{shown}").contains("hush"), "{told}{shown}");
        }
    }
}

#[test]
fn a_mistake_in_the_environment_ends_the_check_with_1() {
    let output = check(
        "join",
        &[],
        &[
            ("FASTKAFKA_HANDLERS__ON_ORDERS__GROUP_ID", "x"),
            ("FASTKAFKA_HANDLERS__ON_ORDER__FETCH_MIN_BYTES", "few"),
            (
                "FASTKAFKA_HANDLERS__ON_ORDER__CONFIG__ENABLE_AUTO_COMMIT",
                "false",
            ),
        ],
    );
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    for expected in [
        "FASTKAFKA_HANDLERS__ON_ORDERS: the app has no consumer `on_orders`, did you mean `on_order`?",
        "FASTKAFKA_HANDLERS__ON_ORDER: `fetch_min_bytes` takes a number, not `few`",
        "has `enable.auto.commit` in `config`, which can not stand there: delivery depends on it",
    ] {
        assert!(text.contains(expected), "{text}");
    }
}
