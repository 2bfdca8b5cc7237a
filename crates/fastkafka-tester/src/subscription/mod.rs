//! The topics that a handler reads: a list of names, or all that match a pattern.

mod posix;

use fastkafka_core::ConsumerSettings;
use regex_lite::Regex;
use std::fmt;

/// Topics by name, or by pattern.
#[derive(Clone)]
pub(crate) enum Subscription {
    Topics(Vec<String>),
    Pattern(Pattern),
}

#[derive(Clone)]
pub(crate) struct Pattern {
    text: String,
    regex: Regex,
    /// The topics of the app's dead letters.
    left_out: Vec<String>,
    leaves_out_internal: bool,
}

impl Subscription {
    /// `names` are topics, or one pattern, which begins with `^`.
    ///
    /// # Errors
    /// Why the pattern cannot be read.
    pub(crate) fn new(
        names: &[&str],
        settings: &ConsumerSettings,
        left_out: &[String],
    ) -> Result<Self, String> {
        let Some(text) = names.iter().find(|name| name.starts_with('^')) else {
            let topics = names.iter().map(|topic| (*topic).to_owned());
            return Ok(Self::Topics(topics.collect()));
        };
        let wrong = |why: String| format!("`pattern = {text:?}`: {why}");
        let regex = posix::to_rust(text).map_err(wrong)?;
        let regex = Regex::new(&regex).map_err(|error| wrong(error.to_string()))?;
        Ok(Self::Pattern(Pattern {
            text: (*text).to_owned(),
            regex,
            left_out: left_out.to_vec(),
            leaves_out_internal: settings.exclude_internal_topics.unwrap_or(true),
        }))
    }

    pub(crate) fn takes(&self, topic: &str) -> bool {
        match self {
            Self::Topics(topics) => topics.iter().any(|known| known == topic),
            Self::Pattern(pattern) => pattern.takes(topic),
        }
    }
}

impl Pattern {
    fn takes(&self, topic: &str) -> bool {
        let is_internal = self.leaves_out_internal && topic.starts_with("__");
        !is_internal
            && !self.left_out.iter().any(|dead| dead == topic)
            && self.regex.is_match(topic)
    }
}

/// As a message names it: ``topics that match `^orders` ``.
impl fmt::Display for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topics(topics) => write!(f, "`{}`", topics.join("`, `")),
            Self::Pattern(pattern) => {
                write!(f, "topics that match `{}`", pattern.text)?;
                for dead in &pattern.left_out {
                    write!(f, ", without `{dead}`")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(pattern: &str) -> Subscription {
        let dead = ["orders.dead".to_owned()];
        Subscription::new(&[pattern], &ConsumerSettings::default(), &dead).unwrap()
    }

    #[test]
    fn a_pattern_matches_as_kafkas_client_does() {
        for (pattern, matches, not) in [
            ("^orders\\..+", "orders.eu", "orders_eu"),
            ("^orders", "orders-and-more", "my-orders"),
            ("^orders$", "orders", "orders2"),
            ("^o{2}(a|b)+$", "ooab", "oab"),
            ("^[[:alpha:]_]+$", "a_b", "a1"),
            ("^[^a-c[]x", "dx", "ax"),
            ("^a[\\.]b", "a.b", "acb"),
            ("^[]a-]+$", "a-a", "b"),
            ("^__.*|^orders", "orders", "__consumer_offsets"),
            ("^orders\\.", "orders.eu", "orders.dead"),
        ] {
            let pattern_ = by(pattern);
            assert!(pattern_.takes(matches), "{pattern} and {matches}");
            assert!(!pattern_.takes(not), "{pattern} and {not}");
        }
    }

    #[test]
    fn what_kafkas_client_reads_otherwise_is_refused() {
        for (pattern, why) in [
            ("^a\\d", "`\\d` is not in POSIX's"),
            ("^(?i)a", "`?` stands where"),
            ("^a+?", "`?` stands where"),
            ("^*a", "`*` stands where"),
            ("^[a", "without its `]`"),
            ("^[[=a=]]", "collating"),
            ("^a\\", "a lone"),
            ("^(a", "open group"),
        ] {
            let refused = Subscription::new(&[pattern], &ConsumerSettings::default(), &[]);
            let Err(error) = refused else {
                panic!("{pattern} is taken");
            };
            assert!(error.contains(why), "{error}");
        }
    }
}
