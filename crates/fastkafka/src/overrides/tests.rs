//! Variables and files become overrides, or a mistake that names its place.

use super::*;
use std::io::Write;

fn environment(variables: &[(&str, &str)]) -> Overrides {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    Overrides::new(None, variables.collect())
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
        ("FASTKAFKA_LAB_CACHE", "not a setting"),
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
            "FASTKAFKA_HANDLER__ON_ORDERS__GROUP_ID: there is no section `handler`; there are \
             `handlers`, `producers`, `consumer_defaults`, `producer_defaults`",
            "FASTKAFKA_HANDLERS__GROUP_ID: names no setting",
        ]
    );
}

fn file(text: &str) -> (tempfile::NamedTempFile, Overrides) {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let overrides = Overrides::new(Some(file.path()), Map::new());
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

#[test]
fn a_file_that_is_missing_or_broken_is_a_mistake() {
    let missing = Overrides::new(Some(Path::new("/nowhere/app.toml")), Map::new());
    assert!(
        missing.unreadable[0].starts_with("/nowhere/app.toml: "),
        "{missing:?}"
    );
    let (_file, broken) = file("[handlers\n");
    assert_eq!(broken.unreadable.len(), 1);
    let (_file, unknown) = file("[handler.on_orders]\nattempts = 1\n");
    assert!(
        unknown.unreadable[0].contains("no section of that name"),
        "{unknown:?}"
    );
}

#[test]
fn the_environment_names_the_file_and_comes_first() {
    let (file, _) = file("[producer_defaults]\nlinger_ms = 1\n");
    let variables = [
        (FILE.to_owned(), file.path().display().to_string()),
        ("FASTKAFKA_PRODUCER_DEFAULTS__LINGER_MS".into(), "2".into()),
    ];
    let overrides = Overrides::new(Some(Path::new("/nowhere")), Map::from(variables));
    let values: Vec<_> = overrides
        .found
        .iter()
        .map(|found| &*found.values[0].1)
        .collect();
    assert_eq!(values, ["2", "1"]);
}
