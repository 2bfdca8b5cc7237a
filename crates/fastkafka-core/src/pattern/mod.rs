//! Patterns of topics' names.
//!
//! A pattern is an extended expression of POSIX, and takes a name if it matches anywhere in it: that is what
//! Kafka's client does in a classic group. In a group of KIP-848 the broker does the matching, with RE2 and
//! over the whole name; and neither it nor RE2 can leave names out. So there the pattern is worked out here,
//! as a set of names, from which the app's dead letters and Kafka's own topics are taken; what is left is
//! written in the part that the two languages share.
//!
//! The work is done with derivatives (Brzozowski): that of a set by a character is the rest of the names that
//! begin with it. Names have ASCII letters, digits, `.`, `_` and `-`, so a set of characters is a number.

mod characters;
mod expression;
mod parse;
mod show;

use crate::settings::ConsumerSettings;
use expression::Expression;

/// The names that a pattern takes.
#[derive(Clone, Debug)]
pub struct Pattern(Expression);

impl Pattern {
    /// What a consumer with these settings reads by a pattern: not the topics that are left out.
    ///
    /// # Errors
    /// As [`Pattern::new`], and when nothing is left.
    pub fn of_consumer(
        pattern: &str,
        settings: &ConsumerSettings,
        left_out: &[String],
    ) -> Result<Self, String> {
        let mut names = Self::new(pattern)?;
        if settings.exclude_internal_topics.unwrap_or(true) {
            names = names.without_internal();
        }
        let names = left_out
            .iter()
            .fold(names, |names, topic| names.without(topic));
        if names.0.is_nothing() {
            return Err("it matches nothing but topics that are left out".to_owned());
        }
        Ok(names)
    }

    /// Reads an extended expression of POSIX.
    ///
    /// # Errors
    /// What POSIX does not define, what is not regular, and what no name can match; in words that follow the
    /// pattern.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let searched = parse::parse(pattern)?;
        let names = searched.of_names();
        if names.is_nothing() {
            return Err("no topic's name can match it".to_owned());
        }
        Ok(Self(names))
    }

    /// True for the error of an expression that is too large to be worked with: no obstacle where Kafka's client
    /// matches by the text.
    #[doc(hidden)]
    pub fn is_too_large(why: &str) -> bool {
        why == parse::TOO_LARGE
    }

    /// True for a name of the set.
    pub fn takes(&self, name: &str) -> bool {
        let end = name.bytes().try_fold(self.0.clone(), |rest, byte| {
            characters::of_name(byte).map(|c| rest.after(c))
        });
        end.is_some_and(|rest| rest.has_nothing())
    }

    /// The set without the names that Kafka keeps for itself: they begin with `__`.
    #[must_use]
    pub fn without_internal(self) -> Self {
        let underscore = characters::one(b'_');
        let internal = self.0.after(underscore).after(underscore);
        if internal.is_nothing() {
            return self;
        }
        Self(self.0.without("__", true))
    }

    /// The set without this name.
    #[must_use]
    pub fn without(self, name: &str) -> Self {
        // To take a name out makes an expression longer, also where it is not in the set.
        if !self.takes(name) {
            return self;
        }
        Self(self.0.without(name, false))
    }

    /// The names with an ending.
    #[must_use]
    pub fn with_suffix(self, suffix: &str) -> Self {
        Self(self.0.then(Expression::text(suffix)))
    }

    /// An expression that matches these names, each as a whole, in RE2 and in POSIX.
    pub fn anchored(&self) -> String {
        format!("^({})$", show::show(&self.0))
    }
}

#[cfg(test)]
mod tests;
