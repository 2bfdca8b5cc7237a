//! Values that are wrong whatever else is set. Each is named where it stands, also if another place wins: it
//! wins in one environment and not in the next.

use crate::app::AppSpec;
use crate::function::definition::Location;
use crate::plan::problem::Problem;

/// Those of one function in the code.
pub(in crate::plan) fn values(
    wrong: Vec<String>,
    (handler, at): (&'static str, Location),
    problems: &mut Vec<Problem>,
) {
    let wrong = wrong.into_iter();
    problems.extend(wrong.map(|what| Problem::Setting { handler, what, at }));
}

/// Those of the app's builder.
pub(in crate::plan) fn builder(app: &AppSpec, problems: &mut Vec<Problem>) {
    let wrong = app.consumer_defaults.wrong().into_iter();
    let wrong = wrong.chain(app.producer_defaults.wrong());
    problems.extend(wrong.map(|what| Problem::Outside(format!("the app's builder {what}"))));
}
