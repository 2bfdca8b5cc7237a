//! What a handler reads: topics by name, or those that its pattern finds.

use crate::function::Function;
use crate::tester::Tester;
use crate::topology::{Name, intern};
use fastkafka_core::{ConsumerSettings, Handler};
use regex_lite::Regex;
use std::fmt;

/// See the module.
#[derive(Clone)]
pub(crate) enum Subscription {
    Topics(Vec<String>),
    Pattern(Pattern),
}

#[derive(Clone)]
pub(crate) struct Pattern {
    text: String,
    regex: Regex,
    /// Topics of the app's dead letters.
    left_out: Vec<String>,
    leaves_out_internal: bool,
}

impl Subscription {
    /// `names` are topics, or one pattern, which begins with `^`.
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
        let regex = posix(text).map_err(wrong)?;
        let regex = Regex::new(&regex).map_err(|error| wrong(error.to_string()))?;
        Ok(Self::Pattern(Pattern {
            text: (*text).to_owned(),
            regex,
            left_out: left_out.to_vec(),
            leaves_out_internal: settings.exclude_internal_topics.unwrap_or(true),
        }))
    }

    fn for_handler(handler: &Handler, left_out: &[String]) -> Result<Self, String> {
        let names: Vec<_> = handler.def.subscription().collect();
        Self::new(&names, &handler.settings, left_out)
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

/// A handler with what it reads.
pub(crate) struct Reader {
    pub(crate) function: Function,
    pub(crate) cluster: Name,
    pub(crate) group: String,
    pub(crate) reads: Subscription,
}

impl Tester {
    /// What the handlers of the apps read.
    pub(crate) fn readers(&self) -> Vec<Reader> {
        let apps = self.apps();
        let plans = apps.iter().filter_map(|app| app.check().ok());
        let mut all = Vec::new();
        for group in plans.flat_map(|plan| plan.groups) {
            for handler in &group.handlers {
                // A pattern that cannot be read has kept the app from starting.
                if let Ok(reads) = Subscription::for_handler(handler, &group.left_out) {
                    all.push(Reader {
                        function: handler.def.into(),
                        cluster: intern(&group.cluster),
                        group: group.id.clone(),
                        reads,
                    });
                }
            }
        }
        all
    }

    pub(crate) fn subscription(&self, function: Function) -> Option<Subscription> {
        let mut all = self.readers().into_iter();
        let reader = all.find(|reader| reader.function == function)?;
        Some(reader.reads)
    }
}

/// What stands before a place in an expression.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Atom,
    Repetition,
}

/// A POSIX extended expression, by which Kafka's client matches on a server, in the words of the `regex`
/// crates. What means something else there, or depends on the C library, is refused.
fn posix(pattern: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let mut before = Before::Nothing;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let escaped = chars.next().ok_or("a lone `\\` at its end")?;
                if escaped.is_ascii_alphanumeric() || "<>`'".contains(escaped) {
                    return Err(format!(
                        "`\\{escaped}` is not in POSIX's extended expressions, by which Kafka's client matches; write a list of characters, such as `[0-9]` or `[[:alnum:]]`"
                    ));
                }
                out.extend(['\\', escaped]);
                before = Before::Atom;
            }
            '[' => {
                bracket(&mut chars, &mut out)?;
                before = Before::Atom;
            }
            '*' | '+' | '?' | '{' => {
                if before != Before::Atom {
                    return Err(format!(
                        "`{c}` stands where there is nothing to repeat in POSIX's extended expressions"
                    ));
                }
                out.push(c);
                if c == '{' {
                    for c in chars.by_ref().take_while(|c| *c != '}') {
                        out.push(c);
                    }
                    out.push('}');
                }
                before = Before::Repetition;
            }
            _ => {
                out.push(c);
                before = match c {
                    '^' | '(' | '|' => Before::Nothing,
                    _ => Before::Atom,
                };
            }
        }
    }
    Ok(out)
}

/// A list of characters: `\` and `[` stand for themselves, `[:alpha:]` for a class.
fn bracket(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    out: &mut String,
) -> Result<(), String> {
    out.push('[');
    out.extend(chars.next_if_eq(&'^'));
    let mut is_first = true;
    while let Some(c) = chars.next() {
        match c {
            ']' if !is_first => {
                out.push(']');
                return Ok(());
            }
            '[' if chars.peek() == Some(&':') => {
                let class: String = chars.by_ref().take_while(|c| *c != ']').collect();
                out.push_str(&format!("[{class}]"));
            }
            '[' if matches!(chars.peek(), Some('.' | '=')) => {
                return Err("collating elements are not supported in a test".to_owned());
            }
            '\\' | '[' | ']' | '^' | '&' | '~' => out.extend(['\\', c]),
            _ => out.push(c),
        }
        is_first = false;
    }
    Err("a `[` without its `]`".to_owned())
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
