//! Precedence among the places that set a key.
//!
//! The more specific place wins: settings of one function before settings for all. Within each, the
//! environment comes before the file, and the file before the code.

use crate::app::AppSpec;
use crate::plan::overrides::{Override, Target};
use crate::plan::problem::Problem;
use crate::settings::{
    Brokers, Connection, ConsumerSettings, GroupProtocol, Order, ProducerSettings, Properties, Text,
};
use std::fmt::Display;

/// The settings that one place gives.
#[derive(Clone, Debug)]
pub(crate) struct Level<S> {
    /// The place, as users find it.
    pub(crate) place: String,
    pub(crate) settings: S,
}

/// The levels of a function, and those for all functions; the winner is first in each.
#[derive(Clone, Debug)]
pub(crate) struct Levels<S> {
    /// The app's own cluster.
    cluster: Text,
    pub(crate) own: Vec<Level<S>>,
    pub(crate) all: Vec<Level<S>>,
}

/// A settings struct, as far as levels need to know.
pub(crate) trait Table: Clone + Default {
    fn over(self, below: &Self) -> Self;
    fn set(&mut self, key: &str, text: &str) -> Result<(), String>;
    fn properties(&mut self) -> &mut Option<Properties>;

    /// Removes settings for all that have no meaning beside those of a function; `cluster` is the app's
    /// own.
    fn fit(&mut self, own: &Self, cluster: &str);
}

macro_rules! table {
    ($name:ident, $fit:path) => {
        impl Table for $name {
            fn over(self, below: &Self) -> Self {
                $name::over(self, below)
            }

            fn set(&mut self, key: &str, text: &str) -> Result<(), String> {
                $name::set(self, key, text)
            }

            fn properties(&mut self) -> &mut Option<Properties> {
                &mut self.config
            }

            fn fit(&mut self, own: &Self, cluster: &str) {
                $fit(self, own, cluster);
            }
        }
    };
}
table!(ConsumerSettings, fit_consumer);
table!(ProducerSettings, fit_producer);

/// The function names a cluster that is not the app's own, which is reached by what its brokers say.
fn is_elsewhere(brokers: Option<&Brokers>, cluster: &str) -> bool {
    brokers.is_some_and(|brokers| brokers.name() != cluster)
}

/// Of two keys that exclude each other, the function's counts.
fn fit_consumer(all: &mut ConsumerSettings, own: &ConsumerSettings, cluster: &str) {
    if is_elsewhere(own.brokers.as_ref(), cluster) {
        *all = std::mem::take(all).reached_by(Connection::default());
    }
    if own.bootstrap_servers.is_some() {
        all.brokers = None;
    }
    if own.on_failure.is_some() {
        all.dead_letter = None;
    }
    if own.dead_letter.is_some() {
        all.on_failure = None;
    }
    if own.order.is_some() {
        all.executor = None;
    }
    if own.executor.is_some() {
        all.order = None;
    }
    let both = own.clone().over(all);
    if both.effective_order() == Order::Partition {
        all.concurrency = None;
    } else {
        all.max_poll_records = None;
    }
    if both.group_protocol == Some(GroupProtocol::Consumer) {
        all.session_timeout_ms = None;
        all.heartbeat_interval_ms = None;
        all.partition_assignment_strategy = None;
    }
}

fn fit_producer(all: &mut ProducerSettings, own: &ProducerSettings, cluster: &str) {
    if is_elsewhere(own.brokers.as_ref(), cluster) {
        *all = std::mem::take(all).reached_by(Connection::default());
    }
    if own.bootstrap_servers.is_some() {
        all.brokers = None;
    }
    if own.acks.is_some() {
        all.enable_idempotence = None;
    }
    if own.enable_idempotence.is_some() {
        all.acks = None;
    }
}

fn merge<S: Table>(levels: &[Level<S>]) -> S {
    let settings = levels.iter().map(|level| &level.settings);
    settings.fold(S::default(), Table::over)
}

impl<S: Table> Levels<S> {
    /// The settings of the function.
    pub(crate) fn own(&self) -> S {
        merge(&self.own)
    }

    /// The settings for all functions, as far as they have a meaning beside `own`.
    pub(crate) fn all(&self, own: &S) -> S {
        let mut all = merge(&self.all);
        all.fit(own, &self.cluster);
        all
    }
}

/// Reads an override; each mistake is one problem.
pub(crate) fn read<S: Table>(given: &Override, problems: &mut Vec<Problem>) -> Level<S> {
    let mut settings = S::default();
    for (key, text) in &given.values {
        let read = match key.strip_prefix("config.") {
            Some(property) => {
                let properties = settings.properties().take().unwrap_or_default();
                *settings.properties() = Some(properties.set(property, text));
                Ok(())
            }
            None => settings.set(key, text),
        };
        if let Err(what) = read {
            problems.push(Problem::Outside(format!("{}: {what}", given.place)));
        }
    }
    Level {
        place: given.place.clone(),
        settings,
    }
}

/// The levels of one consumer; `module::name` is its path.
pub(crate) fn consumer_levels(
    app: &AppSpec,
    path: &str,
    code: ConsumerSettings,
) -> Levels<ConsumerSettings> {
    levels(
        app,
        path,
        (code, "`#[consumes]`"),
        (Target::Handler, Target::Consumers),
        &app.consumer_defaults,
    )
}

/// The levels of one producer.
pub(crate) fn producer_levels(
    app: &AppSpec,
    path: &str,
    code: ProducerSettings,
) -> Levels<ProducerSettings> {
    levels(
        app,
        path,
        (code, "`#[produces]`"),
        (Target::Producer, Target::Producers),
        &app.producer_defaults,
    )
}

fn levels<S: Table>(
    app: &AppSpec,
    path: &str,
    code: (S, impl Display),
    (of_one, of_all): (Target, Target),
    defaults: &S,
) -> Levels<S> {
    let outside = |target: Target, path: Option<&str>| {
        let given = app.overrides.iter().filter(move |given| {
            given.target == target && path.is_none_or(|path| given.means(path))
        });
        // Mistakes are reported once, by `overrides::check`.
        given
            .map(|given| read(given, &mut Vec::new()))
            .collect::<Vec<_>>()
    };
    let mut own = outside(of_one, Some(path));
    own.push(Level {
        place: code.1.to_string(),
        settings: code.0,
    });
    let mut all = outside(of_all, None);
    all.push(Level {
        place: "the app's builder".to_owned(),
        settings: defaults.clone(),
    });
    Levels {
        cluster: app.brokers.name().to_owned().into(),
        own,
        all,
    }
}
