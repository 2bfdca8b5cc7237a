//! Precedence among the places that set a key.
//!
//! The more specific place wins: settings of one function before settings for all. Within each, the
//! environment comes before the file, and the file before the code.

use crate::app::AppSpec;
use crate::plan::overrides::{Override, Target};
use crate::plan::problem::Problem;
use crate::plan::table::Table;
use crate::settings::{ConsumerSettings, ProducerSettings, Text};

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

fn merge<S: Table>(levels: &[Level<S>]) -> S {
    levels
        .iter()
        .map(|level| &level.settings)
        .fold(S::default(), Table::over)
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
    let wrong = settings.wrong().into_iter();
    problems.extend(wrong.map(|what| Problem::Outside(format!("{} {what}", given.place))));
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
    (code, attribute): (S, &str),
    (of_one, of_all): (Target, Target),
    defaults: &S,
) -> Levels<S> {
    let overrides = |target: Target| {
        app.overrides.iter().filter(move |given| {
            let is_for_all = given.target == of_all;
            given.target == target && (is_for_all || given.means(path))
        })
    };
    // Mistakes are reported once, by `check::overrides`.
    let read = |given: &Override| read(given, &mut Vec::new());
    let code = Level {
        place: attribute.to_owned(),
        settings: code,
    };
    let defaults = Level {
        place: "the app's builder".to_owned(),
        settings: defaults.clone(),
    };
    Levels {
        cluster: app.brokers.name().to_owned().into(),
        own: overrides(of_one).map(read).chain([code]).collect(),
        all: overrides(of_all).map(read).chain([defaults]).collect(),
    }
}
