//! The topics that a handler reads: a list of names, or all that match a pattern.

use fastkafka_core::{ConsumerSettings, GroupProtocol};
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
    /// Of the topics that it takes.
    regex: Regex,
    /// The topics of the app's dead letters.
    left_out: Vec<String>,
    /// Kafka's own topics are left out, too.
    without_internal: bool,
}

impl Pattern {
    fn takes(&self, topic: &str) -> bool {
        let is_left_out = self.left_out.iter().any(|dead| dead == topic)
            || self.without_internal && topic.starts_with("__");
        !is_left_out && self.regex.is_match(topic)
    }
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
        let by_broker = settings.group_protocol == Some(GroupProtocol::Consumer);
        let names = fastkafka_core::Pattern::of_consumer(text, settings, left_out);
        let regex = match names {
            Ok(names) => names.anchored(),
            // As Kafka's client, which matches by the text.
            Err(why) if !by_broker && fastkafka_core::Pattern::is_too_large(&why) => {
                (*text).to_owned()
            }
            Err(why) => return Err(wrong(why)),
        };
        let regex = Regex::new(&regex).map_err(|error| wrong(error.to_string()))?;
        Ok(Self::Pattern(Pattern {
            text: (*text).to_owned(),
            regex,
            left_out: left_out.to_vec(),
            without_internal: settings.exclude_internal_topics.unwrap_or(true),
        }))
    }

    pub(crate) fn takes(&self, topic: &str) -> bool {
        match self {
            Self::Topics(topics) => topics.iter().any(|known| known == topic),
            Self::Pattern(pattern) => pattern.takes(topic),
        }
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
    fn a_pattern_that_is_too_large_for_a_broker_is_matched_as_the_client_does() {
        let names: Vec<_> = (0..3_000).map(|i| format!("orders-of-shop-{i}")).collect();
        let text = format!("^({}|orders\\.dead)", names.join("|"));
        let orders = by(&text);
        assert!(orders.takes("orders-of-shop-7") && orders.takes("orders-of-shop-7.eu"));
        assert!(!orders.takes("orders.dead") && !orders.takes("orders"));
        let of_broker = ConsumerSettings::default().group_protocol(GroupProtocol::Consumer);
        let refused = Subscription::new(&[&text], &of_broker, &[]);
        assert!(refused.is_err_and(|why| why.contains("too large")));
    }

    /// How it matches is tested in core, beside what a broker is sent.
    #[test]
    fn a_pattern_takes_neither_dead_letters_nor_internal_topics() {
        let orders = by("^orders\\.|^__");
        assert!(orders.takes("orders.eu"));
        for topic in ["orders.dead", "__consumer_offsets", "my-orders"] {
            assert!(!orders.takes(topic), "{topic}");
        }
        let refused = Subscription::new(&["^a\\d"], &ConsumerSettings::default(), &[]);
        assert!(refused.is_err_and(|why| why.contains("is not in POSIX's")));
    }
}
