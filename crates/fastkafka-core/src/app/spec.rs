//! The specification of an app: what the plan, the command line and the document are made from.

use super::{AppInfo, States};
use crate::function::registry::Registry;
use crate::plan::overrides::Override;
use crate::settings::{Brokers, ConsumerSettings, ProducerSettings};
use std::any::TypeId;
use std::fmt;

/// The specification of an app. Read while it is planned, checked and described; no call needs it.
#[non_exhaustive]
pub struct AppSpec {
    /// The app's description of itself.
    pub info: AppInfo,
    /// The group of consumers without `group_id`.
    pub group_id: String,
    /// The app's own cluster, for functions without `brokers` and `bootstrap_servers`.
    pub brokers: Brokers,
    /// Settings of consumers that `#[consumes]` leaves out.
    pub consumer_defaults: ConsumerSettings,
    /// Settings of producers that `#[produces]` leaves out.
    pub producer_defaults: ProducerSettings,
    /// Settings from the environment and the file, the winner first.
    pub overrides: Vec<Override>,
    /// Mistakes that kept a part of the environment or of the file from being read.
    pub unreadable: Vec<String>,
    /// The functions.
    pub registry: Registry,
    /// The types of the states that the app has, or will have when it starts.
    pub states: Vec<TypeId>,
}

impl AppSpec {
    /// An app with these functions and states. Its group id is made of the title.
    pub fn new(info: AppInfo, registry: Registry, states: &States) -> Self {
        Self {
            group_id: slug(&info.title),
            info,
            brokers: Brokers::default(),
            consumer_defaults: ConsumerSettings::default(),
            producer_defaults: ProducerSettings::default(),
            overrides: Vec::new(),
            unreadable: Vec::new(),
            registry,
            states: states.types().collect(),
        }
    }
}

impl fmt::Debug for AppSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppSpec")
            .field("title", &self.info.title)
            .field("functions", &self.registry.defs().len())
            .finish_non_exhaustive()
    }
}

/// A title as a group id: lower case, words joined by `-`.
fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() || matches!(c, '.' | '_') {
            slug.push(c);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_group_id() {
        assert_eq!(slug("  Iris predictions (v2)! "), "iris-predictions-v2");
    }
}
