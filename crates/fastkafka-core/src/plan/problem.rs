//! Problems that keep an app from starting.

use crate::function::definition::Location;
use crate::settings::Text;
use crate::settings::address::masked;
use std::error::Error;
use std::fmt;

/// A problem that keeps an app from starting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// No function belongs to the app.
    Empty,
    /// A function is registered twice.
    Duplicate {
        /// Its name.
        name: &'static str,
        /// The place of the first.
        first: Location,
        /// The place of the second.
        second: Location,
    },
    /// A handler or a background task needs a state that was not given.
    MissingState {
        /// The function.
        handler: &'static str,
        /// The type.
        state: &'static str,
        /// Its place in the source.
        at: Location,
    },
    /// A setting of a function has no meaning, or two exclude each other.
    Setting {
        /// The function.
        handler: &'static str,
        /// The mistake, and what to do about it.
        what: String,
        /// Its place in the source.
        at: Location,
    },
    /// Two handlers would read the same records.
    SameTopic {
        /// The topic.
        topic: &'static str,
        /// The group.
        group: String,
        /// One handler.
        first: (&'static str, Location),
        /// The other.
        second: (&'static str, Location),
    },
    /// A handler that reads by pattern shares its group with another.
    SharedPattern {
        /// The pattern.
        pattern: &'static str,
        /// The group.
        group: String,
        /// One handler.
        first: (&'static str, Location),
        /// The other.
        second: (&'static str, Location),
    },
    /// Two handlers of a group want different settings of their one consumer.
    Conflict {
        /// The group.
        group: String,
        /// The setting.
        key: &'static str,
        /// One handler.
        first: (&'static str, Location),
        /// The other.
        second: (&'static str, Location),
    },
    /// Two functions describe one cluster differently.
    TwoClusters {
        /// The cluster.
        name: Text,
        /// One function; `None` is the app's builder.
        first: Option<(&'static str, Location)>,
        /// The other.
        second: (&'static str, Location),
    },
    /// A mistake in the environment or in the file.
    Outside(String),
    /// An answer of the broker, or an error of a client that is set up.
    Broker(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(
                "no `#[consumes]`, `#[produces]` or `#[run_in_background]` function is registered; name one with `App::builder().expect::<function>()` \
                 if they are in a library crate that nothing else refers to",
            ),
            Self::Duplicate { name, first, second } => write!(f, "`{name}` is registered twice: {first} and {second}"),
            Self::MissingState { handler, state, at } => {
                write!(f, "`{handler}` ({at}) needs state `{state}`: add `.state(..)` to the app's builder")
            }
            Self::Setting { handler, what, at } => write!(f, "`{handler}` ({at}) {what}"),
            Self::SameTopic { topic, group, first, second } => write!(
                f,
                "`{}` ({}) and `{}` ({}) both consume topic `{topic}` in group `{group}`: \
                 give one of them its own `group_id`, or make them one handler that takes an enum",
                first.0, first.1, second.0, second.1
            ),
            Self::SharedPattern { pattern, group, first, second } => write!(
                f,
                "`{}` ({}) and `{}` ({}) share group `{group}`, and pattern `{pattern}` may match what the other reads: \
                 give the one with the pattern its own `group_id`",
                first.0, first.1, second.0, second.1
            ),
            Self::Conflict { group, key, first, second } => write!(
                f,
                "`{}` ({}) and `{}` ({}) want different `{key}` in group `{group}`, which has one consumer: \
                 agree, or give one of them its own `group_id`",
                first.0, first.1, second.0, second.1
            ),
            Self::TwoClusters { name, first, second } => {
                write!(f, "cluster `{}` is described differently by ", masked(name))?;
                match first {
                    Some((name, at)) => write!(f, "`{name}` ({at})")?,
                    None => f.write_str("the app's builder")?,
                }
                write!(
                    f,
                    " and `{}` ({}): let both have the same `brokers`, or give one of the clusters another name",
                    second.0, second.1
                )
            }
            Self::Outside(what) | Self::Broker(what) => f.write_str(what),
        }
    }
}

/// Everything that keeps an app from starting, at once.
#[derive(Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the app cannot start: 1 problem")?,
            n => write!(f, "the app cannot start: {n} problems")?,
        }
        for problem in &self.0 {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

/// As it reads: `unwrap` and `main` print it.
impl fmt::Debug for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Problems {}
