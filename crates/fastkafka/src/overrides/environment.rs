//! Variables: `FASTKAFKA_HANDLERS__ON_ORDERS__GROUP_ID`, the section, the function's path and the key joined
//! by two underscores.
//!
//! A variable that begins with our prefix and names no setting is a mistake: one underscore too few must not
//! mean that a service starts without its setting.

use super::{FILE, Overrides, Place, is_of_functions, sections, target};
use fastkafka_core::Target;
use std::collections::BTreeMap;
use std::ffi::OsString;

pub(super) const PREFIX: &str = "FASTKAFKA_";

/// What variables of one word begin with that others read: the tester, and the tests of this project.
const OF_OTHERS: [&str; 6] = [
    "TEST",
    "SCHEDULE",
    "LAB_",
    "CHAOS_",
    "CONFORMANCE_",
    "DIFFERENTIAL_",
];

impl Overrides {
    /// The variables with our prefix, by name; one that is no text is a mistake.
    pub(super) fn ours(
        &mut self,
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> BTreeMap<String, String> {
        let mut ours = BTreeMap::new();
        for (name, value) in variables {
            let shown = name.to_string_lossy().into_owned();
            if !is_ours(&shown) {
                continue;
            }
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => drop(ours.insert(name, value)),
                _ => self.unreadable.push(format!("{shown}: is not UTF-8 text")),
            }
        }
        ours
    }

    pub(super) fn read_environment(&mut self, variables: &BTreeMap<String, String>) {
        for (name, value) in variables {
            let Some(words) = name.get(PREFIX.len()..).filter(|_| is_ours(name)) else {
                continue;
            };
            if name.eq_ignore_ascii_case(FILE)
                || self.read_admin(name, value)
                || is_of_others(words)
            {
                continue;
            }
            // Variables have no case.
            let words = words.to_lowercase();
            let words: Vec<_> = words.split("__").collect();
            match setting(&words) {
                Ok((place, key)) => self.add(&place, key, value.clone()),
                Err(why) => self.unreadable.push(format!("{name}: {why}")),
            }
        }
    }
}

fn is_ours(name: &str) -> bool {
    let prefix = name.get(..PREFIX.len());
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(PREFIX))
}

/// Without the prefix.
fn is_of_others(name: &str) -> bool {
    let first = name.split_once("__").map(|(first, _)| first.to_lowercase());
    // Kubernetes writes two underscores for two hyphens in the name of a service.
    let of_ours = first
        .as_deref()
        .is_some_and(|first| target(first).is_some());
    let of_a_test = first.is_none() && OF_OTHERS.iter().any(|other| name.starts_with(other));
    of_a_test || (!of_ours && is_of_kubernetes(name))
}

/// Kubernetes tells each pod of each service, also of one whose name begins with `fastkafka`:
/// `.._SERVICE_HOST`, `.._SERVICE_PORT`, `.._PORT`, `.._PORT_80_TCP_ADDR`.
fn is_of_kubernetes(name: &str) -> bool {
    let name = format!("_{name}");
    let of_a_port = name.split("_PORT_").skip(1).any(|after| {
        let port = after.split('_').next().unwrap_or_default();
        !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
    });
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.ends_with("_PORT")
        || of_a_port
}

/// The words as they are written.
fn variable(words: &[&str]) -> String {
    format!("{PREFIX}{}", words.join("__").to_uppercase())
}

/// The place and the key that the words of a variable name, or what is wrong with them.
fn setting<'w>(words: &[&'w str]) -> Result<(Place<'w>, String), String> {
    let (section, words) = words.split_first().ok_or("names no setting")?;
    let Some(target) = target(section) else {
        return Err(unknown(section));
    };
    let (function, key) = split(target, words).ok_or("names no setting")?;
    let name = variable(&[&[*section], function].concat());
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

/// Most often an underscore is missing.
fn unknown(section: &str) -> String {
    let near = super::SECTIONS.iter().find_map(|(known, _)| {
        let rest = section.strip_prefix(known)?.trim_start_matches('_');
        Some(format!(
            "; two underscores part the words: `{PREFIX}{}__{}..`",
            known.to_uppercase(),
            rest.to_uppercase()
        ))
    });
    format!(
        "there is no section `{section}`; there are {}{}",
        sections(),
        near.unwrap_or_default()
    )
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
