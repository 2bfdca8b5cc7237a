//! Settings from the environment and from one file, read with `config`.

use config::{Environment, File, FileFormat, Map, Source, Value, ValueKind};
use fastkafka_core::{Override, Target};
use std::path::Path;

/// Names the file, before the one of the builder.
const FILE: &str = "FASTKAFKA_CONFIG";
const PREFIX: &str = "FASTKAFKA";

/// What was found, the winner first, and what could not be read.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outside {
    pub(crate) overrides: Vec<Override>,
    pub(crate) unreadable: Vec<String>,
}

/// The sections, as they are called in a file; in variables in capital letters.
const SECTIONS: [(&str, Target); 4] = [
    ("handlers", Target::Handler),
    ("producers", Target::Producer),
    ("consumer_defaults", Target::Consumers),
    ("producer_defaults", Target::Producers),
];

impl Outside {
    /// Reads the environment of the process, and the file that it or the builder names.
    pub(crate) fn read(file: Option<&Path>) -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::new(file, variables.collect())
    }

    fn new(file: Option<&Path>, variables: Map<String, String>) -> Self {
        let mut outside = Self::default();
        let file = variables
            .get(FILE)
            .map(Path::new)
            .or(file)
            .map(Path::to_owned);
        outside.environment(variables);
        if let Some(file) = file {
            outside.file(&file);
        }
        outside
    }

    fn environment(&mut self, variables: Map<String, String>) {
        let source = Environment::with_prefix(PREFIX)
            .prefix_separator("_")
            .separator("__")
            .source(Some(variables));
        // Words are joined by `.` now, and in small letters.
        let mut found: Vec<_> = match source.collect() {
            Ok(found) => found.into_iter().collect(),
            Err(error) => {
                self.unreadable.push(format!("the environment: {error}"));
                return;
            }
        };
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (name, value) in found {
            let words: Vec<_> = name.split('.').collect();
            let variable = || format!("{PREFIX}_{}", words.join("__").to_uppercase());
            let Some((section, rest)) = words.split_first().filter(|(_, rest)| !rest.is_empty())
            else {
                continue; // `FASTKAFKA_CONFIG`, and others of one word.
            };
            let Some(target) = target(section) else {
                self.unreadable.push(format!(
                    "{}: there is no section `{section}`; there are {}",
                    variable(),
                    sections()
                ));
                continue;
            };
            let Some((function, key)) = split(target, rest) else {
                self.unreadable
                    .push(format!("{}: names no setting", variable()));
                continue;
            };
            let text = value.into_string().unwrap_or_default();
            let mut place = vec![*section];
            place.extend(function);
            let place = format!("{PREFIX}_{}", place.join("__").to_uppercase());
            self.add(place, target, function, key, text);
        }
    }

    fn file(&mut self, path: &Path) {
        let source = File::from(path).format(FileFormat::Toml);
        let mut found: Vec<_> = match source.collect() {
            Ok(found) => found.into_iter().collect(),
            Err(error) => {
                self.unreadable.push(format!("{}: {error}", path.display()));
                return;
            }
        };
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (section, value) in found {
            let place = format!("{} [{section}", path.display());
            let (Some(target), ValueKind::Table(table)) = (target(&section), value.kind) else {
                self.unreadable.push(format!(
                    "{place}]: there is no section of that name; there are {}",
                    sections()
                ));
                continue;
            };
            match target {
                Target::Consumers | Target::Producers => {
                    self.table(&format!("{place}]"), target, &[], table);
                }
                Target::Handler | Target::Producer => {
                    let mut functions: Vec<_> = table.into_iter().collect();
                    functions.sort_by(|(a, _), (b, _)| a.cmp(b));
                    for (function, value) in functions {
                        let place = format!("{place}.{function}]");
                        let path: Vec<_> = function.split("::").collect();
                        match value.kind {
                            ValueKind::Table(table) => self.table(&place, target, &path, table),
                            _ => self
                                .unreadable
                                .push(format!("{place}: is a function, and takes keys")),
                        }
                    }
                }
            }
        }
    }

    fn table(&mut self, place: &str, target: Target, function: &[&str], table: Map<String, Value>) {
        let mut keys: Vec<_> = table.into_iter().collect();
        keys.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (key, value) in keys {
            match value.kind {
                ValueKind::Table(properties) if key == "config" => {
                    for (property, value) in properties {
                        let text = value.into_string().unwrap_or_default();
                        let key = format!("config.{property}");
                        self.add(place.to_owned(), target, function, key, text);
                    }
                }
                ValueKind::Array(values) => {
                    let texts = values.into_iter().filter_map(|v| v.into_string().ok());
                    let text = texts.collect::<Vec<_>>().join(",");
                    self.add(place.to_owned(), target, function, key, text);
                }
                ValueKind::Table(_) | ValueKind::Nil => self
                    .unreadable
                    .push(format!("{place}: `{key}` is not a value")),
                kind => {
                    let text = Value::new(None, kind).into_string().unwrap_or_default();
                    self.add(place.to_owned(), target, function, key, text);
                }
            }
        }
    }

    fn add(&mut self, place: String, target: Target, function: &[&str], key: String, text: String) {
        let overrides = match self
            .overrides
            .iter_mut()
            .find(|overrides| overrides.place == place)
        {
            Some(overrides) => overrides,
            None => {
                self.overrides.push(Override {
                    place,
                    target,
                    function: function.iter().map(|word| (*word).to_owned()).collect(),
                    values: Vec::new(),
                });
                self.overrides.last_mut().expect("just pushed")
            }
        };
        overrides.values.push((key, text));
    }
}

fn target(section: &str) -> Option<Target> {
    let found = SECTIONS.iter().find(|(name, _)| *name == section);
    found.map(|(_, target)| *target)
}

fn sections() -> String {
    let names = SECTIONS.map(|(name, _)| format!("`{name}`"));
    names.join(", ")
}

/// The words of a variable after its section: the function's path, and the key.
fn split<'w>(target: Target, words: &'w [&'w str]) -> Option<(&'w [&'w str], String)> {
    let (key, function) = words.split_last()?;
    let of_one = matches!(target, Target::Handler | Target::Producer);
    let (key, function) = match function.split_last() {
        // A property: variables have no dots.
        Some((&"config", function)) if !of_one || !function.is_empty() => {
            (format!("config.{}", key.replace('_', ".")), function)
        }
        _ => ((*key).to_owned(), function),
    };
    (of_one != function.is_empty()).then_some((function, key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn environment(variables: &[(&str, &str)]) -> Outside {
        let variables = variables.iter();
        Outside::new(
            None,
            variables.map(|(n, v)| ((*n).into(), (*v).into())).collect(),
        )
    }

    #[test]
    fn a_variable_names_section_function_and_key() {
        let outside = environment(&[
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
        assert_eq!(outside.unreadable, Vec::<String>::new());
        let overrides: Vec<_> = outside
            .overrides
            .iter()
            .map(|overrides| {
                (
                    &*overrides.place,
                    overrides.target,
                    overrides.function.join("::"),
                )
            })
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
        assert_eq!(overrides, expected);
        assert_eq!(
            outside.overrides[0].values,
            [
                ("config.fetch.error.backoff.ms".to_owned(), "8".to_owned()),
                ("group_id".to_owned(), "Billing".to_owned())
            ]
        );
    }

    #[test]
    fn a_variable_that_names_nothing_is_a_mistake() {
        let outside = environment(&[
            ("FASTKAFKA_HANDLER__ON_ORDERS__GROUP_ID", "x"),
            ("FASTKAFKA_HANDLERS__GROUP_ID", "x"),
            ("FASTKAFKA_CONSUMER_DEFAULTS__ON_ORDERS__GROUP_ID", "x"),
        ]);
        assert!(outside.overrides.is_empty());
        assert_eq!(
            outside.unreadable,
            [
                "FASTKAFKA_CONSUMER_DEFAULTS__ON_ORDERS__GROUP_ID: names no setting",
                "FASTKAFKA_HANDLER__ON_ORDERS__GROUP_ID: there is no section `handler`; there are \
                 `handlers`, `producers`, `consumer_defaults`, `producer_defaults`",
                "FASTKAFKA_HANDLERS__GROUP_ID: names no setting",
            ]
        );
    }

    fn file(text: &str) -> (tempfile::NamedTempFile, Outside) {
        let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let outside = Outside::new(Some(file.path()), Map::new());
        (file, outside)
    }

    #[test]
    fn a_file_has_the_same_sections() {
        let (file, outside) = file(
            "[consumer_defaults]\n\
             fetch_min_bytes = 5\n\
             check_crcs = true\n\
             [handlers.\"shop::on_orders\"]\n\
             backoff = \"200ms\"\n\
             config = { \"fetch.error.backoff.ms\" = 7 }\n",
        );
        let name = file.path().display();
        assert_eq!(outside.unreadable, Vec::<String>::new());
        assert_eq!(
            outside.overrides[0].place,
            format!("{name} [consumer_defaults]")
        );
        let value = |key: &str, text: &str| (key.to_owned(), text.to_owned());
        assert_eq!(
            outside.overrides[0].values,
            [value("check_crcs", "true"), value("fetch_min_bytes", "5")]
        );
        assert_eq!(
            outside.overrides[1],
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
        let missing = Outside::new(Some(Path::new("/nowhere/app.toml")), Map::new());
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
        let outside = Outside::new(Some(Path::new("/nowhere")), Map::from(variables));
        let values: Vec<_> = outside
            .overrides
            .iter()
            .map(|overrides| &*overrides.values[0].1)
            .collect();
        assert_eq!(values, ["2", "1"]);
    }
}
