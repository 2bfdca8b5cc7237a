//! A password in every place where one can be written is in no output of any command.

use std::fs;
use std::process::Command;

const SECRET: &str = "hush";

/// Keys and values with a secret, right ones and wrong ones.
const VALUES: [(&str, &str); 16] = [
    ("bootstrap_servers", "me:hush@127.0.0.1:1"),
    ("bootstrap_servers", "kafka://me:hush,hush@127.0.0.1:1,b:2"),
    ("sasl_plain_password", "hush"),
    ("sasl_plain_password", " hush"),
    ("sasl_password", "hush"),
    ("ssl_context", "key=hush"),
    ("ssl_context", "key=/tmp/hush/me.key,certificate=/me.pem"),
    (
        "ssl_context",
        "key=Bag Attributes -----BEGIN PRIVATE KEY----- hush",
    ),
    ("ssl_context", "key_password=hush"),
    ("ssl_context", "key_password=hu,hush"),
    ("ssl_context", "hush"),
    ("config", "ssl.keystore.password=hush"),
    ("config", "sasl.oauthbearer.client.secret=hush"),
    ("config", "ssl.key.pem=hush"),
    ("config", "sasl.password=hush"),
    ("config", "hush"),
];

/// With each of them: the commands of a service, and a start.
const COMMANDS: [&[&str]; 7] = [
    &["check"],
    &["check", "--explain"],
    &["topics"],
    &["docs", "generate", "--format", "yaml"],
    &["docs", "generate", "--format", "md"],
    &["docs", "generate", "--format", "html"],
    &["run"],
];

fn told(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orders-app"));
    command.arg("join").args(arguments);
    command.envs(variables.iter().copied());
    command.env("RUST_LOG", "debug");
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

fn tells_nothing(arguments: &[&str], variables: &[(&str, &str)]) {
    let told = told(arguments, variables);
    assert!(!told.is_empty(), "{arguments:?} {variables:?}");
    assert!(
        !told.contains(SECRET),
        "{arguments:?} {variables:?}: {told}"
    );
}

/// A start ends with its problems: each value is one, or is of no use without others.
fn commands() -> impl Iterator<Item = &'static [&'static str]> {
    COMMANDS.into_iter()
}

#[test]
fn a_secret_in_a_variable_is_in_no_output() {
    for section in [
        "HANDLERS__ON_ORDER",
        "PRODUCERS__TO_DONE",
        "CONSUMER_DEFAULTS",
        "PRODUCER_DEFAULTS",
    ] {
        for (key, value) in VALUES {
            let name = format!("FASTKAFKA_{section}__{}", key.to_uppercase());
            // The others are asked of one section.
            let of_all = section == "HANDLERS__ON_ORDER";
            for command in commands().take(if of_all { 7 } else { 2 }) {
                tells_nothing(command, &[(&name, value)]);
            }
        }
    }
    let unset = [("FASTKAFKA_HANDLERS_ON_ORDER__SASL_PLAIN_PASSWORD", SECRET)];
    tells_nothing(&["check"], &unset);
}

#[test]
fn a_secret_in_a_file_is_in_no_output() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.toml");
    let config = path.to_str().unwrap();
    let quoted = VALUES.map(|(key, value)| format!("{key} = \"{value}\""));
    let broken = [
        "sasl_plain_password = hush",
        "sasl_plain_password = \"hush",
        "config = { \"ssl.keystore.password\" = [\"hush\"] }",
        "config = { \"ssl.keystore.password\" = \"hush\" }",
    ];
    for line in quoted.iter().map(|line| &**line).chain(broken) {
        fs::write(&path, format!("[consumer_defaults]\n{line}\n")).unwrap();
        for command in commands().take(2) {
            tells_nothing(command, &[("FASTKAFKA_CONFIG", config)]);
        }
    }
}

#[test]
fn a_secret_in_an_address_of_the_command_line_is_in_no_output() {
    for address in ["me:hush@127.0.0.1:1", "kafka://me:hush@h", "hush@h"] {
        for command in ["check", "topics", "run"] {
            tells_nothing(&[command, "--kafka-broker", address], &[]);
        }
    }
}

/// What is shown of a property whose name says that it is a secret.
#[test]
fn a_secret_is_explained_without_its_value() {
    let name = "FASTKAFKA_PRODUCERS__TO_DONE__CONFIG__SSL_KEYSTORE_PASSWORD";
    let told = told(&["check", "--explain"], &[(name, SECRET)]);
    assert!(told.contains("ssl.keystore.password=***"), "{told}");
}
