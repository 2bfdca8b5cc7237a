//! Variables and files become overrides, or a mistake that names its place.

use super::*;
use std::io::Write;
use std::iter::empty;

fn environment(variables: &[(&str, &str)]) -> Overrides {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    Overrides::new(None, variables)
}

#[test]
fn a_variable_names_section_function_and_key() {
    let overrides = environment(&[
        ("FASTKAFKA_HANDLERS__ON_ORDERS__GROUP_ID", "Billing"),
        ("FASTKAFKA_HANDLERS__SHOP__ON_ORDERS__ATTEMPTS", "3"),
        ("FASTKAFKA_PRODUCER_DEFAULTS__LINGER_MS", "7"),
        (
            "FASTKAFKA_HANDLERS__ON_ORDERS__CONFIG__FETCH_ERROR_BACKOFF_MS",
            "8",
        ),
        ("FASTKAFKA_TEST_BROKER", "of the tester"),
        ("FASTKAFKA_SCHEDULE", "of the tester"),
        ("OTHER__ON_ORDERS__GROUP_ID", "not ours"),
    ]);
    assert_eq!(overrides.unreadable, Vec::<String>::new());
    let places: Vec<_> = overrides
        .found
        .iter()
        .map(|found| (&*found.place, found.target, found.function.join("::")))
        .collect();
    let on_orders = "FASTKAFKA_HANDLERS__ON_ORDERS";
    let expected = [
        (on_orders, Target::Handler, "on_orders".to_owned()),
        (
            "FASTKAFKA_HANDLERS__SHOP__ON_ORDERS",
            Target::Handler,
            "shop::on_orders".to_owned(),
        ),
        (
            "FASTKAFKA_PRODUCER_DEFAULTS",
            Target::Producers,
            String::new(),
        ),
    ];
    assert_eq!(places, expected);
    assert_eq!(
        overrides.found[0].values,
        [
            ("config.fetch.error.backoff.ms".to_owned(), "8".to_owned()),
            ("group_id".to_owned(), "Billing".to_owned())
        ]
    );
}

#[test]
fn a_variable_that_names_nothing_is_a_mistake() {
    let overrides = environment(&[
        ("FASTKAFKA_HANDLER__ON_ORDERS__GROUP_ID", "x"),
        ("FASTKAFKA_HANDLERS__GROUP_ID", "x"),
        ("FASTKAFKA_CONSUMER_DEFAULTS__ON_ORDERS__GROUP_ID", "x"),
    ]);
    assert!(overrides.found.is_empty());
    assert_eq!(
        overrides.unreadable,
        [
            "FASTKAFKA_CONSUMER_DEFAULTS__ON_ORDERS__GROUP_ID: names no setting",
            "FASTKAFKA_HANDLERS__GROUP_ID: names no setting",
            "FASTKAFKA_HANDLER__ON_ORDERS__GROUP_ID: there is no section `handler`; there are \
             `handlers`, `producers`, `consumer_defaults`, `producer_defaults`",
        ]
    );
}

fn file(text: &str) -> (tempfile::NamedTempFile, Overrides) {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let overrides = Overrides::new(Some(file.path()), empty());
    (file, overrides)
}

#[test]
fn a_file_has_the_same_sections() {
    let (file, overrides) = file(
        "[consumer_defaults]\n\
         fetch_min_bytes = 5\n\
         check_crcs = true\n\
         [handlers.\"shop::on_orders\"]\n\
         backoff = \"200ms\"\n\
         config = { \"fetch.error.backoff.ms\" = 7 }\n",
    );
    let name = file.path().display();
    assert_eq!(overrides.unreadable, Vec::<String>::new());
    assert_eq!(
        overrides.found[0].place,
        format!("{name} [consumer_defaults]")
    );
    let value = |key: &str, text: &str| (key.to_owned(), text.to_owned());
    assert_eq!(
        overrides.found[0].values,
        [value("check_crcs", "true"), value("fetch_min_bytes", "5")]
    );
    assert_eq!(
        overrides.found[1],
        Override {
            place: format!("{name} [handlers.shop::on_orders]"),
            target: Target::Handler,
            function: vec!["shop".into(), "on_orders".into()],
            values: vec![
                value("backoff", "200ms"),
                value("config.fetch.error.backoff.ms", "7")
            ],
        }
    );
}

/// Of a mistake the place is told, and nothing of what stands there.
fn mistake(path: &Path) -> String {
    let mut found = Overrides::new(Some(path), empty());
    assert_eq!((found.unreadable.len(), found.found.len()), (1, 0));
    let mistake = found.unreadable.remove(0);
    let place = format!("{}: ", path.display());
    mistake.strip_prefix(&place).unwrap().to_owned()
}

#[test]
fn a_file_that_is_missing_or_broken_is_a_mistake() {
    assert!(mistake(Path::new("/nowhere/app.toml")).contains("cannot be read"));
    let (broken, _) = file("[handlers\n");
    assert!(mistake(broken.path()).starts_with("line 1, column 10: "));
    let (_file, unknown) = file("[handler.on_orders]\nattempts = 1\n");
    assert!(
        unknown.unreadable[0].contains("no section of that name"),
        "{unknown:?}"
    );
}

#[test]
fn a_mistake_beside_a_secret_does_not_tell_the_secret() {
    let line = "sasl_plain_password = \"hush\" hush\n";
    let (broken, _) = file(&format!("[consumer_defaults]\nattempts = 3\n{line}"));
    let told = mistake(broken.path());
    assert!(told.starts_with("line 3, column 30: "), "{told}");
    assert!(!told.contains("hush"), "{told}");
    let (broken, _) = file("[consumer_defaults]\nsasl_plain_password = hush\n");
    assert!(!mistake(broken.path()).contains("hush"));
}

#[test]
fn what_is_no_file_of_settings_is_named_and_not_read() {
    let directory = tempfile::tempdir().unwrap();
    assert!(mistake(directory.path()).contains("is a directory"));
    let path = directory.path().join("large.toml");
    let large = std::fs::File::create(&path).unwrap();
    // All of it NULs.
    large.set_len(50_000_000).unwrap();
    assert!(mistake(&path).contains("is larger than"));
    large.set_len(1_000).unwrap();
    assert!(mistake(&path).contains("NULs"));
    std::fs::write(&path, b"[consumer_defaults]\nclient_id = \"\xff\"\n").unwrap();
    assert!(mistake(&path).contains("not UTF-8"));
    if cfg!(unix) {
        assert!(mistake(Path::new("/dev/zero")).contains("not a regular file"));
    }
}

#[test]
fn a_value_that_would_be_lost_is_a_mistake() {
    let (_file, overrides) = file(
        "[consumer_defaults]\n\
         bootstrap_servers = [\"a:1\", [\"b:2\"]]\n\
         client_id = { a = 1 }\n\
         config.fetch.error = 7\n\
         group_id = 1979-05-27\n",
    );
    assert!(overrides.found.is_empty(), "{overrides:?}");
    let keys = ["bootstrap_servers", "client_id", "config.fetch", "group_id"];
    for (mistake, key) in overrides.unreadable.iter().zip(keys) {
        assert!(
            mistake.contains(&format!("`{key}` is not a value")),
            "{mistake}"
        );
    }
    assert_eq!(overrides.unreadable.len(), keys.len());
}

#[test]
fn a_variable_with_our_prefix_that_is_not_read_is_a_mistake() {
    let overrides = environment(&[
        ("FASTKAFKA_HANDLERS_ON_ORDERS__GROUP_ID", "x"),
        ("FASTKAFKA_HANDLERS_ON_ORDERS_GROUP_ID", "x"),
        ("FASTKAFKA_CONSUMER_DEFAULTS_FETCH_MIN_BYTES", "1"),
        ("FASTKAFKA_CONFIG_FILE", "app.toml"),
        ("FASTKAFKA__HANDLERS__ON_ORDERS__GROUP_ID", "x"),
        ("fastkafka_groups", "x"),
        ("FASTKAFKA_CONFIG", ""),
    ]);
    assert_eq!(overrides.found, []);
    let told = |name: &str, what: &str| {
        let mut all = overrides.unreadable.iter();
        let all = all.any(|mistake| mistake.starts_with(name) && mistake.contains(what));
        assert!(all, "{name} in {:#?}", overrides.unreadable);
    };
    let two = "`FASTKAFKA_HANDLERS__ON_ORDERS";
    told("FASTKAFKA_HANDLERS_ON_ORDERS__GROUP_ID: ", two);
    told("FASTKAFKA_HANDLERS_ON_ORDERS_GROUP_ID: ", two);
    told(
        "FASTKAFKA_CONSUMER_DEFAULTS_FETCH_MIN_BYTES: ",
        "`FASTKAFKA_CONSUMER_DEFAULTS__FETCH_MIN_BYTES..`",
    );
    told("FASTKAFKA_CONFIG_FILE: ", "no section");
    told("FASTKAFKA__HANDLERS__ON_ORDERS__GROUP_ID: ", "no section");
    told("fastkafka_groups: ", "no section");
    told("FASTKAFKA_CONFIG: ", "is empty");
    assert_eq!(overrides.unreadable.len(), 7);
}

/// It sets them in each pod, for a service whose name begins with `fastkafka`.
#[test]
fn what_kubernetes_says_of_a_service_is_no_setting() {
    let overrides = environment(&[
        ("FASTKAFKA_SERVICE_HOST", "10.0.0.1"),
        ("FASTKAFKA_ORDERS_SERVICE_HOST", "10.0.0.1"),
        ("FASTKAFKA_ORDERS_SERVICE_PORT", "80"),
        ("FASTKAFKA_ORDERS_SERVICE_PORT_HTTP", "80"),
        ("FASTKAFKA_ORDERS_PORT", "tcp://10.0.0.1:80"),
        ("FASTKAFKA_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("FASTKAFKA_ORDERS_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("FASTKAFKA_A__B_SERVICE_HOST", "10.0.0.1"),
        ("FASTKAFKA_A__B_PORT", "tcp://10.0.0.1:80"),
        ("FASTKAFKA_A__B_PORT_9092_TCP_PROTO", "tcp"),
    ]);
    assert_eq!(overrides, Overrides::default());
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_a_mistake() {
    use std::os::unix::ffi::OsStringExt;
    let bytes = OsString::from_vec(vec![b'x', 0xff]);
    let variables = [
        (
            "FASTKAFKA_HANDLERS__ON_ORDERS__GROUP_ID".into(),
            bytes.clone(),
        ),
        ("OTHER".into(), bytes),
    ];
    let overrides = Overrides::new(None, variables.into_iter());
    assert_eq!(
        overrides.unreadable,
        ["FASTKAFKA_HANDLERS__ON_ORDERS__GROUP_ID: is not UTF-8 text"]
    );
}

#[test]
fn the_environment_names_the_file_and_comes_first() {
    let (file, _) = file("[producer_defaults]\nlinger_ms = 1\n");
    let variables = [
        (FILE.into(), file.path().into()),
        ("FASTKAFKA_PRODUCER_DEFAULTS__LINGER_MS".into(), "2".into()),
    ];
    let overrides = Overrides::new(Some(Path::new("/nowhere")), variables.into_iter());
    let values: Vec<_> = overrides
        .found
        .iter()
        .map(|found| &*found.values[0].1)
        .collect();
    assert_eq!(values, ["2", "1"]);
    let other_case = [("fastkafka_config".into(), file.path().into())];
    let overrides = Overrides::new(Some(Path::new("/nowhere")), other_case.into_iter());
    assert_eq!(overrides.unreadable, Vec::<String>::new());
    assert_eq!(overrides.found.len(), 1);
}
