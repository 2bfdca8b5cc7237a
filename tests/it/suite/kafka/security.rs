//! Ways into a broker that wants TLS or a login, and what is said where they are wrong.

use std::sync::OnceLock;
use std::time::Duration;

use kafka_lab::Kafka;
use kafka_lab::security::{PLAIN, SCRAM, Secured};

use crate::kafka::fixture::{AppFixture, order};
use crate::kafka::process::{Process, eventually};

/// The broker of these tests.
fn kafka() -> &'static Kafka {
    static KAFKA: OnceLock<Kafka> = OnceLock::new();
    KAFKA.get_or_init(|| Kafka::builder().secured().start().unwrap())
}

/// Settings of all consumers and all producers, as variables.
fn variables(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let of = |section: &'static str| {
        let variable = move |(key, value): &(&str, &str)| {
            let name = format!("FASTKAFKA_{section}__{}", key.to_uppercase());
            (name, (*value).to_owned())
        };
        settings.iter().map(variable)
    };
    let mut all: Vec<_> = of("CONSUMER_DEFAULTS")
        .chain(of("PRODUCER_DEFAULTS"))
        .collect();
    // Everything that anybody has to say.
    all.push(("RUST_LOG".to_owned(), "trace".to_owned()));
    for section in ["CONSUMER_DEFAULTS", "PRODUCER_DEFAULTS"] {
        let name = format!("FASTKAFKA_{section}__CONFIG__DEBUG");
        all.push((name, "security,conf,broker".to_owned()));
    }
    all
}

fn start(setting: &str, address: &str, settings: &[(&str, &str)]) -> Process {
    let variables = variables(settings);
    let variables: Vec<_> = variables.iter().map(|(n, v)| (&**n, &**v)).collect();
    Process::orders_with(setting, address, &variables)
}

fn login<'a>(
    protocol: &'a str,
    mechanism: &'a str,
    user: (&'a str, &'a str),
) -> Vec<(&'a str, &'a str)> {
    vec![
        ("security_protocol", protocol),
        ("sasl_mechanism", mechanism),
        ("sasl_plain_username", user.0),
        ("sasl_plain_password", user.1),
    ]
}

/// Files with what clients need for TLS.
struct Files {
    _directory: tempfile::TempDir,
    ca: String,
    mutual: String,
}

impl Files {
    fn new(secured: &Secured) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let ca = format!("ca={}", write("ca.pem", &secured.ca));
        let certificate = write("me.pem", &secured.certificate);
        let key = write("me.key", &secured.key);
        Self {
            mutual: format!("{ca},certificate={certificate},key={key}"),
            ca,
            _directory: directory,
        }
    }
}

/// Of a process that has ended or not: no secret is in its log.
fn keeps_secrets(log: &str, secured: &Secured) {
    let body = secured.key.lines().nth(1).unwrap();
    for secret in [PLAIN.1, SCRAM.1, body, "wrong-s3cret"] {
        assert!(!log.contains(secret), "`{secret}` is in the log");
    }
}

#[test]
fn an_app_gets_in_with_tls_with_a_password_and_with_both() {
    let fixture = AppFixture::on(kafka(), "secure", 1);
    let secured = kafka().secured();
    let files = Files::new(secured);
    let with = |mut login: Vec<(&'static str, &'static str)>, tls: &str| {
        login.push(("ssl_context", String::leak(tls.to_owned())));
        login
    };
    let tls = vec![("security_protocol", "SSL")];
    let ways = [
        (&secured.tls, with(tls.clone(), &files.ca)),
        (&secured.mutual, with(tls, &files.mutual)),
        (&secured.login, login("SASL_PLAINTEXT", "PLAIN", PLAIN)),
        (
            &secured.login,
            login("SASL_PLAINTEXT", "SCRAM-SHA-512", SCRAM),
        ),
        (
            &secured.tls_login,
            with(login("SASL_SSL", "PLAIN", PLAIN), &files.ca),
        ),
        (
            &secured.tls_login,
            with(login("SASL_SSL", "SCRAM-SHA-256", SCRAM), &files.ca),
        ),
    ];
    for (i, (address, settings)) in ways.iter().enumerate() {
        let mut app = start("secure", address, settings);
        app.is_started();
        fixture.send_to(0, [order(i as u64)]);
        fixture.await_count(i + 1);
        let log = app.log();
        keeps_secrets(&log, secured);
        app.stop();
    }
}

#[test]
fn an_app_gets_in_with_tokens_and_stays_in_when_they_end() {
    let fixture = AppFixture::on(kafka(), "oauth", 1);
    let mut app = start("oauth", &kafka().secured().login, &[]);
    app.is_started();
    fixture.send_to(0, [order(0)]);
    fixture.await_count(1);
    // Each is good for three seconds.
    let several = || app.log().matches("made").count() >= 6;
    eventually("several tokens", || several().then_some(()));
    fixture.send_to(0, [order(1)]);
    fixture.await_count(2);
    let log = app.log();
    // The beginning of `{"alg":"none"}`, in base64.
    assert!(!log.contains("eyJhbGci"), "a token is in the log");
    app.stop();
}

#[test]
fn who_does_not_get_in_ends_with_1_and_says_why() {
    let secured = kafka().secured();
    let fixture = AppFixture::on(kafka(), "locked_out", 1);
    let files = Files::new(secured);
    // An authority that has not signed the broker's certificate: the client's own.
    let directory = tempfile::tempdir().unwrap();
    let stranger = directory.path().join("stranger.pem");
    std::fs::write(&stranger, &secured.certificate).unwrap();
    let stranger = format!("ca={}", stranger.display());
    let wrong = |user: &'static str| (user, "wrong-s3cret");
    let tls = |context: &str| {
        vec![
            ("security_protocol", "SSL"),
            ("ssl_context", &*String::leak(context.to_owned())),
        ]
    };
    let cases = [
        (
            &secured.login,
            login("SASL_PLAINTEXT", "PLAIN", wrong(PLAIN.0)),
            "Authentication failed: Invalid username or password",
        ),
        (
            &secured.login,
            login("SASL_PLAINTEXT", "SCRAM-SHA-256", wrong(SCRAM.0)),
            "invalid credentials with SASL mechanism SCRAM-SHA-256",
        ),
        (
            &secured.login,
            login("SASL_PLAINTEXT", "SCRAM-SHA-512", wrong("nobody")),
            "invalid credentials with SASL mechanism SCRAM-SHA-512",
        ),
        (&secured.tls, tls(&stranger), "certificate verify failed"),
        (&secured.mutual, tls(&files.ca), "alert bad certificate"),
        (
            &secured.tls,
            vec![],
            "Does it speak `security_protocol = \"plaintext\"` there?",
        ),
        (
            &secured.login,
            vec![("security_protocol", "PLAINTEXT")],
            "Does it speak `security_protocol = \"plaintext\"` there?",
        ),
    ];
    let mut apps: Vec<_> = cases
        .iter()
        .map(|(address, settings, words)| (start("locked_out", address, settings), *words))
        .collect();
    for (app, words) in &mut apps {
        assert_eq!(app.exits_within(Duration::from_secs(60)), 1, "{words}");
        let log = app.log();
        let error = log.lines().find(|line| line.starts_with("error: "));
        let at = log
            .find("error: the app cannot start")
            .unwrap_or_else(|| panic!("{error:?}: {log}"));
        assert!(log[at..].contains(*words), "{words}: {}", &log[at..]);
        keeps_secrets(&log, secured);
    }
    drop(fixture);
}

#[test]
fn tokens_that_are_missing_or_not_taken_end_the_start_with_1() {
    let kafka = kafka();
    let address = &kafka.secured().login;
    for (token, words) in [
        (
            "none",
            "`sasl_oauth_token_provider` has no token: the token server is away",
        ),
        ("old", "SASL"),
    ] {
        let mut app = Process::orders_with("oauth", address, &[("ORDERS_TOKEN", token)]);
        assert_eq!(app.exits_within(Duration::from_secs(60)), 1);
        let log = app.log();
        let at = log.find("error: the app cannot start").unwrap();
        assert!(log[at..].contains(words), "{}", &log[at..]);
    }
}
