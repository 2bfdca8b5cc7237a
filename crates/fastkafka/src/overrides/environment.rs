//! Variables: `FASTKAFKA_HANDLERS__ON_ORDERS__GROUP_ID`, the section, the function's path and the key joined
//! by two underscores.

use super::{Overrides, Place, is_of_functions, sections, target};
use config::{Environment, Map, Source};
use fastkafka_core::Target;

const PREFIX: &str = "FASTKAFKA";

impl Overrides {
    pub(super) fn read_environment(&mut self, variables: Map<String, String>) {
        let source = Environment::with_prefix(PREFIX)
            .prefix_separator("_")
            .separator("__")
            .source(Some(variables));
        // `config` gives the words in small letters, joined by `.`.
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
            // Variables of one word are none of ours: `FASTKAFKA_CONFIG`.
            if let [section, rest @ ..] = &*words
                && !rest.is_empty()
            {
                match setting(section, rest) {
                    Ok((place, key)) => {
                        self.add(&place, key, value.into_string().unwrap_or_default());
                    }
                    Err(why) => {
                        let mistake = format!("{}: {why}", variable(&words));
                        self.unreadable.push(mistake);
                    }
                }
            }
        }
    }
}

/// The words as they are written.
fn variable(words: &[&str]) -> String {
    format!("{PREFIX}_{}", words.join("__").to_uppercase())
}

/// The place and the key that the words of a variable name, or what is wrong with them.
fn setting<'w>(section: &'w str, words: &[&'w str]) -> Result<(Place<'w>, String), String> {
    let Some(target) = target(section) else {
        return Err(format!(
            "there is no section `{section}`; there are {}",
            sections()
        ));
    };
    let (function, key) = split(target, words).ok_or("names no setting")?;
    let name = variable(&[&[section], function].concat());
    let function = function.to_vec();
    Ok((
        Place {
            name,
            target,
            function,
        },
        key,
    ))
}

/// The words after the section: the function's path, and the key.
fn split<'a, 'w>(target: Target, words: &'a [&'w str]) -> Option<(&'a [&'w str], String)> {
    let of_functions = is_of_functions(target);
    let (last, before) = words.split_last()?;
    let (function, key) = match before.split_last() {
        // A property of the client; variables have no dots. Behind a section of functions the first word is
        // a function, also one that is called `config`.
        Some((&"config", function)) if !of_functions || !function.is_empty() => {
            (function, format!("config.{}", last.replace('_', ".")))
        }
        _ => (before, (*last).to_owned()),
    };
    // Defaults belong to no function, and everything else to one.
    (of_functions != function.is_empty()).then_some((function, key))
}
