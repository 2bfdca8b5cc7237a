//! What the environment and the file say of functions.

use crate::app::AppSpec;
use crate::function::definition::{ConsumerDef, ProducerDef};
use crate::function::registry::Def;
use crate::plan::precedence::read;
use crate::plan::problem::Problem;
use crate::settings::{ConsumerSettings, ProducerSettings};

/// Whose settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A consumer by its name.
    Handler,
    /// A producer by its name.
    Producer,
    /// All consumers.
    Consumers,
    /// All producers.
    Producers,
}

/// What one place outside the code says of one function, or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The place: the beginning of the variables' names, or the file and its section.
    pub place: String,
    /// Whose settings.
    pub target: Target,
    /// The function: its name, or the end of its path. Empty for all.
    pub function: Vec<String>,
    /// Keys with their values as text. A property of `config` is `config.the.property`.
    pub values: Vec<(String, String)>,
}

impl Override {
    /// The place calls the function by its name, or by the end of its path. Variables have no case.
    pub(crate) fn means(&self, path: &str) -> bool {
        let path: Vec<_> = path.split("::").collect();
        let same = |(a, b): (&String, &&str)| a.eq_ignore_ascii_case(b);
        self.function.len() <= path.len()
            && self.function.iter().rev().zip(path.iter().rev()).all(same)
    }
}

/// Every mistake in what is said outside: names that no function has, or more than one; keys and
/// values that are none.
pub(crate) fn check(app: &AppSpec) -> Vec<Problem> {
    let mut problems: Vec<_> = app
        .unreadable
        .iter()
        .cloned()
        .map(Problem::Outside)
        .collect();
    for given in &app.overrides {
        match given.target {
            Target::Handler | Target::Consumers => {
                read::<ConsumerSettings>(given, &mut problems);
            }
            Target::Producer | Target::Producers => {
                read::<ProducerSettings>(given, &mut problems);
            }
        }
        problems.extend(function(app, given).map(Problem::Outside));
    }
    problems
}

/// What is wrong with the function's name.
fn function(app: &AppSpec, given: &Override) -> Option<String> {
    let paths: Vec<_> = match given.target {
        Target::Handler => app.registry.consumers().map(ConsumerDef::path).collect(),
        Target::Producer => app.registry.producers().map(ProducerDef::path).collect(),
        Target::Consumers | Target::Producers => return None,
    };
    let meant: Vec<_> = paths.iter().filter(|path| given.means(path)).collect();
    let (place, name) = (&given.place, given.function.join("::"));
    match meant.len() {
        1 => None,
        0 => {
            let what = match given.target {
                Target::Producer => "producer",
                _ => "consumer",
            };
            let names: Vec<_> = app.registry.defs().iter().map(Def::name).collect();
            let near = names
                .iter()
                .map(|known| (strsim::damerau_levenshtein(&name, known), known))
                .min()
                .filter(|(distance, _)| *distance <= 1 + name.len() / 4);
            Some(match near {
                Some((_, near)) if !names.contains(&&*name) => {
                    format!("{place}: the app has no {what} `{name}`, did you mean `{near}`?")
                }
                _ => format!("{place}: the app has no {what} `{name}`"),
            })
        }
        _ => {
            let long: Vec<_> = meant.iter().map(|path| format!("`{path}`")).collect();
            let spelt = meant[0].replace("::", "__").to_uppercase();
            Some(format!(
                "{place}: `{name}` is the name of {}; write the whole path, in a variable as `{spelt}`",
                long.join(" and of ")
            ))
        }
    }
}
