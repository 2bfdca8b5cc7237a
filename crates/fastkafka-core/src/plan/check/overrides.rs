//! Mistakes in the environment and in the file: functions that do not exist, or more than one of a
//! name; keys that do not exist, and values that they do not take.

use crate::app::AppSpec;
use crate::function::definition::{ConsumerDef, ProducerDef};
use crate::function::registry::Def;
use crate::nearest::nearest;
use crate::plan::overrides::{Override, Target};
use crate::plan::precedence::read;
use crate::plan::problem::Problem;
use crate::settings::{ConsumerSettings, ProducerSettings};

/// Every mistake, each once.
pub(in crate::plan) fn overrides(app: &AppSpec, problems: &mut Vec<Problem>) {
    problems.extend(app.unreadable.iter().cloned().map(Problem::Outside));
    for given in &app.overrides {
        match given.target {
            Target::Handler | Target::Consumers => {
                read::<ConsumerSettings>(given, problems);
            }
            Target::Producer | Target::Producers => {
                read::<ProducerSettings>(given, problems);
            }
        }
        problems.extend(function(app, given).map(Problem::Outside));
    }
}

/// The mistake in the function's name, if there is one.
fn function(app: &AppSpec, given: &Override) -> Option<String> {
    let (what, paths): (_, Vec<_>) = match given.target {
        Target::Handler => (
            "consumer",
            app.registry.consumers().map(ConsumerDef::path).collect(),
        ),
        Target::Producer => (
            "producer",
            app.registry.producers().map(ProducerDef::path).collect(),
        ),
        Target::Consumers | Target::Producers => return None,
    };
    let meant: Vec<_> = paths.iter().filter(|path| given.means(path)).collect();
    let (place, name) = (&given.place, given.function.join("::"));
    match &meant[..] {
        [_] => None,
        [] => {
            let names: Vec<_> = app.registry.defs().iter().map(Def::name).collect();
            let near = nearest(&name, names.iter().copied());
            Some(match near {
                // The name is right, and the function is of the other kind.
                Some(near) if !names.contains(&&*name) => {
                    format!("{place}: the app has no {what} `{name}`, did you mean `{near}`?")
                }
                _ => format!("{place}: the app has no {what} `{name}`"),
            })
        }
        [first, ..] => {
            let long: Vec<_> = meant.iter().map(|path| format!("`{path}`")).collect();
            let spelt = first.replace("::", "__").to_uppercase();
            Some(format!(
                "{place}: `{name}` is the name of {}; write the whole path, in a variable as `{spelt}`",
                long.join(" and of ")
            ))
        }
    }
}
