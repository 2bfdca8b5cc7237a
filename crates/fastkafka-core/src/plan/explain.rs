//! The origin of each setting of an app.

use crate::app::AppSpec;
use crate::function::definition::{ConsumerDef, Location};
use crate::function::registry::Def;
use crate::plan::cluster::Site;
use crate::plan::precedence::{Level, Levels, consumer_levels, producer_levels};
use crate::plan::table::Table;
use crate::settings::{BackgroundSettings, ConsumerSettings, GroupId};

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
    let explained = |def: &Def| {
        let path = def.path();
        let rows = match def {
            Def::Consumer(def) => {
                let mut levels = consumer_levels(app, &path, (def.settings)());
                let ignored = ignored(&levels);
                let shared = shared(app, &levels, &path);
                levels.own.extend(shared);
                rows(&levels, &ignored)
            }
            Def::Producer(def) => {
                let levels = producer_levels(app, &path, (def.settings)());
                rows(&levels, &ignored(&levels))
            }
            Def::Background(def) => task_rows(&(def.settings)()),
        };
        Explained {
            path,
            at: def.location(),
            rows,
        }
    };
    app.registry.defs().iter().map(explained).collect()
}

/// The settings of a task; only its attribute has any.
fn task_rows(settings: &BackgroundSettings) -> Vec<Row> {
    let shown = settings.shown();
    let row = |&(key, default): &(&'static str, &str)| {
        let value = shown.iter().find(|(known, _)| *known == key);
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
    let other = |def: &'static ConsumerDef| {
        let levels = consumer_levels(app, &def.path(), (def.settings)());
        (def.path() != path && group(&levels) == ours).then(|| Level {
            place: format!("`{}`, which shares the consumer", def.name),
            settings: levels.own().of_client(),
        })
    };
    app.registry.consumers().filter_map(other).collect()
}

/// Keys that are set for all functions and have no meaning beside the function's own settings.
fn ignored<S: Table>(levels: &Levels<S>) -> Vec<&'static str> {
    let all = levels.all(&S::default()).shown();
    let left = levels.all(&levels.own()).shown();
    all.into_iter()
        .map(|(key, _)| key)
        .filter(|key| !left.iter().any(|(known, _)| known == key))
        .collect()
}

fn rows<S: Table>(levels: &Levels<S>, ignored: &[&str]) -> Vec<Row> {
    let (own, all) = (shown(&levels.own), shown(&levels.all));
    let row = |&(key, default): &(&'static str, &'static str)| {
        let mut values = values_of(&own, key);
        let mut for_all = values_of(&all, key);
        // Ignored values are shown, after those that could have won.
        if !ignored.contains(&key) {
            values.append(&mut for_all);
        }
        let mut values = values.into_iter();
        let winner = values.next();
        let (from, value) = winner.unwrap_or_else(|| ("default".to_owned(), default.to_owned()));
        Row {
            key,
            value,
            from,
            losers: values.chain(for_all).collect(),
        }
    };
    S::KEYS.iter().map(row).collect()
}

/// A place, and the values that it sets as text.
type Shown = (String, Vec<(&'static str, String)>);

fn shown<S: Table>(levels: &[Level<S>]) -> Vec<Shown> {
    let shown = |level: &Level<S>| (level.place.clone(), level.settings.shown());
    levels.iter().map(shown).collect()
}

/// The places that set a key, with its values.
fn values_of(levels: &[Shown], key: &str) -> Vec<(String, String)> {
    let value_at = |(place, values): &Shown| {
        let (_, value) = values.iter().find(|(known, _)| *known == key)?;
        Some((place.clone(), value.clone()))
    };
    levels.iter().filter_map(value_at).collect()
}
