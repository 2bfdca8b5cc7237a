//! `config = { .. }`: properties that go to librdkafka as they are.

use super::limits;
use super::value::Value;
use std::collections::BTreeMap;
use std::fmt;

/// What names of properties have in them whose values are secrets: those that librdkafka calls sensitive, and the
/// command of Kerberos.
const SECRETS: [&str; 8] = [
    "password",
    "passphrase",
    "secret",
    "pem",
    "jaas",
    "private.key",
    "oauthbearer.config",
    "kinit.cmd",
];

/// Properties of librdkafka by name, such as `fetch.error.backoff.ms`.
///
/// Properties that have a key of ours, or that delivery depends on, are refused at the start.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(BTreeMap<String, String>);

impl Properties {
    /// No properties.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one; a second of that name takes the place of the first.
    #[must_use]
    pub fn set(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.0.insert(name.into(), value.to_string());
        self
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The properties as they may be printed.
    fn masked(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().map(|(name, value)| {
            // An address may have a login in it.
            let hidden = SECRETS.iter().any(|word| name.contains(word)) || value.contains('@');
            (name, if hidden { "***" } else { value })
        })
    }
}

/// Without the values of secrets.
impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.masked()).finish()
    }
}

/// In text: `name=value`, joined by commas.
impl Value for Properties {
    fn read(text: &str) -> Result<Self, String> {
        let mut all = Self::new();
        for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
            let (name, value) = pair
                .split_once('=')
                // It may be a part of a secret: it is not repeated.
                .ok_or("`name=value`, joined by commas")?;
            all = all.set(name.trim(), value.trim());
        }
        Ok(all)
    }

    fn show(&self) -> String {
        let pairs: Vec<_> = self.masked().map(|(n, v)| format!("{n}={v}")).collect();
        pairs.join(",")
    }

    fn wrong(&self, key: &str) -> Option<String> {
        self.iter().find_map(|(name, value)| {
            if name.is_empty() {
                return Some(format!("has a property without a name in `{key}`"));
            }
            let shown = limits::quoted(name);
            let wrong = limits::nul(key, name).or_else(|| limits::cut(key, value))?;
            Some(format!("{wrong} (property {shown})"))
        })
    }

    fn over(mut self, below: &Self) -> Self {
        for (name, value) in &below.0 {
            self.0.entry(name.clone()).or_insert_with(|| value.clone());
        }
        self
    }

    fn agrees(&self, other: &Self) -> bool {
        let differs = |(name, value)| other.0.get(name).is_some_and(|v| v != value);
        !self.0.iter().any(differs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_more_specific_property_wins_and_the_others_stay() {
        let handler = Properties::new().set("a", 1).set("b", 1);
        let app = Properties::new().set("b", 2).set("c", 2);
        assert!(!handler.agrees(&app));
        assert_eq!(handler.over(&app).show(), "a=1,b=1,c=2");
    }

    #[test]
    fn text_is_read_as_it_is_shown() {
        let read = Properties::read("a.b=1, c.d=x=y").unwrap();
        assert_eq!(read, Properties::new().set("a.b", 1).set("c.d", "x=y"));
        assert!(Properties::read("a.b").is_err());
    }

    #[test]
    fn a_secret_is_not_printed() {
        for (name, value) in [
            ("sasl.oauthbearer.client.secret", "s3cret"),
            ("sasl.oauthbearer.config", "scope=a secret=s3cret"),
            ("sasl.oauthbearer.assertion.private.key.file", "s3cret"),
            ("sasl.oauthbearer.token.endpoint.url", "https://me:s3cret@h"),
            ("sasl.kerberos.kinit.cmd", "echo s3cret | kinit me"),
            ("ssl.keystore.password", "s3cret"),
        ] {
            let all = Properties::new().set(name, value);
            let told = format!("{all:?} {}", all.show());
            assert!(told.contains(name) && !told.contains("s3cret"), "{told}");
        }
    }
}
