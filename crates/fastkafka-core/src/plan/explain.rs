//! The origin of each setting of an app.

use crate::app::AppSpec;
use crate::function::definition::Location;
use crate::function::registry::Def;
use crate::plan::cluster::Site;
use crate::plan::precedence::{Level, Levels, Table, consumer_levels, producer_levels};
use crate::settings::{BackgroundSettings, ConsumerSettings, GroupId, ProducerSettings};

/// The settings of one function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The function, `module::name`.
    pub path: String,
    /// Its place in the source.
    pub at: Location,
    /// One row per key.
    pub rows: Vec<Row>,
}

/// The value of a key, and its origin. Secrets are masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub key: &'static str,
    /// Its value, as text.
    pub value: String,
    /// The place that sets it.
    pub from: String,
    /// Other places that set the key, with their values, the next winner first.
    pub losers: Vec<(String, String)>,
}

/// Every setting of every function.
pub fn explain(app: &AppSpec) -> Vec<Explained> {
    let functions = app.registry.defs().iter().map(|def| match def {
        Def::Consumer(def) => {
            let mut levels = consumer_levels(app, &def.path(), (def.settings)());
            let shared = shared(app, &levels, &def.path());
            let without_meaning = without_meaning(&levels, ConsumerSettings::shown);
            levels.own.extend(shared);
            let shown = ConsumerSettings::shown;
            Explained {
                path: def.path(),
                at: def.location,
                rows: rows(&levels, ConsumerSettings::KEYS, &without_meaning, shown),
            }
        }
        Def::Producer(def) => {
            let levels = producer_levels(app, &def.path(), (def.settings)());
            let shown = ProducerSettings::shown;
            let without_meaning = without_meaning(&levels, shown);
            Explained {
                path: def.path(),
                at: def.location,
                rows: rows(&levels, ProducerSettings::KEYS, &without_meaning, shown),
            }
        }
        Def::Background(def) => Explained {
            path: def.path(),
            at: def.location,
            rows: task_rows(&(def.settings)()),
        },
    });
    functions.collect()
}

/// The settings of a task; only its attribute has any.
fn task_rows(settings: &BackgroundSettings) -> Vec<Row> {
    let said = settings.shown();
    let row = |&(key, default): &(&'static str, &str)| {
        let value = said.iter().find(|(known, _)| *known == key);
        let (value, from) = match value {
            Some((_, value)) => (value.clone(), "`#[run_in_background]`"),
            None => (default.to_owned(), "default"),
        };
        Row {
            key,
            value,
            from: from.to_owned(),
            losers: Vec::new(),
        }
    };
    BackgroundSettings::KEYS.iter().map(row).collect()
}

/// Settings by which other handlers of the group change the consumer that they share.
fn shared(
    app: &AppSpec,
    levels: &Levels<ConsumerSettings>,
    path: &str,
) -> Vec<Level<ConsumerSettings>> {
    let group = |levels: &Levels<ConsumerSettings>| {
        let own = levels.own();
        let settings = own.clone().over(&levels.all(&own));
        let cluster = Site::from(&settings).cluster(&app.brokers);
        let id = settings.group_id;
        (cluster, id.unwrap_or_else(|| app.group_id.clone().into()))
    };
    let ours = group(levels);
    if ours.1 == GroupId::None {
        return Vec::new();
    }
    let others = app.registry.consumers().filter(|def| def.path() != path);
    let others = others.filter_map(|def| {
        let levels = consumer_levels(app, &def.path(), (def.settings)());
        (group(&levels) == ours).then(|| Level {
            place: format!("`{}`, which shares the consumer", def.name),
            settings: levels.own().of_client(),
        })
    });
    others.collect()
}

/// Keys that are set for all functions and have no meaning beside the function's own settings.
fn without_meaning<S: Table>(
    levels: &Levels<S>,
    shown: impl Fn(&S) -> Vec<(&'static str, String)>,
) -> Vec<&'static str> {
    let all = shown(&levels.all(&S::default()));
    let left = shown(&levels.all(&levels.own()));
    let keys = all.into_iter().map(|(key, _)| key);
    keys.filter(|key| !left.iter().any(|(known, _)| known == key))
        .collect()
}

fn rows<S>(
    levels: &Levels<S>,
    keys: &[(&'static str, &'static str)],
    without_meaning: &[&str],
    shown: impl Fn(&S) -> Vec<(&'static str, String)>,
) -> Vec<Row> {
    let read = |level: &Level<S>| (level.place.clone(), shown(&level.settings));
    let own: Vec<_> = levels.own.iter().map(read).collect();
    let all: Vec<_> = levels.all.iter().map(read).collect();
    let row = |(key, default): &(&'static str, &'static str)| {
        let said = |levels: &[(String, Vec<(&'static str, String)>)]| {
            let values = levels.iter().filter_map(|(place, values)| {
                let value = values.iter().find(|(known, _)| known == key)?;
                Some((place.clone(), value.1.clone()))
            });
            values.collect::<Vec<_>>()
        };
        let mut winners = said(&own);
        let mut losers = said(&all);
        if !without_meaning.contains(key) {
            winners.append(&mut losers);
        }
        let mut winners = winners.into_iter();
        let (from, value) = winners
            .next()
            .unwrap_or_else(|| ("default".to_owned(), (*default).to_owned()));
        Row {
            key,
            value,
            from,
            losers: winners.chain(losers).collect(),
        }
    };
    keys.iter().map(row).collect()
}
