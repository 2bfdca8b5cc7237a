//! Reports on lists of scopes.

use super::exhaustive::{Found, breadth_first, depth_first};
use super::model::Model;
use super::mutants::Fate;
use super::{Coverage, Limits, parallel, shrink, trace};
use std::fmt;

/// A list of scopes, searched.
#[derive(Clone, Debug)]
pub struct Searched {
    /// The name of the list.
    pub list: String,
    /// One for each scope, in the order of the list.
    pub rows: Vec<Row>,
    /// The things that any of them reached.
    pub coverage: Coverage,
    /// How long it took, in seconds, on all threads together.
    pub seconds: f64,
}

/// One scope, searched.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name.
    pub scope: String,
    /// States that differ.
    pub states: usize,
    /// Choices taken.
    pub transitions: usize,
    /// The longest path, in choices.
    pub depth: usize,
    /// How long it took.
    pub seconds: f64,
    /// Why it counts as failed: a counterexample as a table, or that it was cut.
    pub failure: Option<String>,
}

/// Searches every scope of a list to its end, depth-first. What fails is searched again
/// breadth-first, for a counterexample that is short. `told` hears of each scope that is done.
pub fn search<M: Model>(
    list: &str,
    scopes: &[&M],
    threads: usize,
    limits: &Limits,
    told: impl Fn(&Row) + Sync,
) -> Searched {
    let since = std::time::Instant::now();
    let found = parallel::each(
        scopes,
        threads,
        |scope| scope.size(),
        |&scope| {
            let found = depth_first(scope, limits);
            let failure = explain(scope, &found, limits);
            let row = Row {
                scope: scope.name().to_owned(),
                states: found.states,
                transitions: found.transitions,
                depth: found.depth,
                seconds: found.time.as_secs_f64(),
                failure,
            };
            told(&row);
            (row, found.coverage)
        },
    );
    let mut searched = Searched {
        list: list.to_owned(),
        rows: Vec::new(),
        coverage: Coverage::default(),
        seconds: since.elapsed().as_secs_f64(),
    };
    for (row, coverage) in found {
        searched.coverage.merge(&coverage);
        searched.rows.push(row);
    }
    searched
}

fn explain<M: Model>(scope: &M, found: &Found<M::Action>, limits: &Limits) -> Option<String> {
    let Some((violation, steps)) = &found.failure else {
        let cut = format!("cut after {} states: not shown", found.states);
        return (!found.complete).then_some(cut);
    };
    if violation.invariant == "cycle" {
        return Some(format!("{}    {violation}\n", trace::table(scope, steps)));
    }
    let shortest = breadth_first(scope, limits).failure.map(|(_, steps)| steps);
    let steps = shortest.unwrap_or_else(|| shrink(scope, violation, steps));
    Some(trace::table(scope, &steps))
}

impl Searched {
    /// Whether every scope was searched to its end and nothing was violated.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.rows.iter().all(|row| row.failure.is_none())
    }

    /// The list in one line, to be printed under [`TOTALS`].
    #[must_use]
    pub fn total(&self) -> Vec<String> {
        let sum = |of: fn(&Row) -> usize| self.rows.iter().map(of).sum::<usize>();
        let largest = self.rows.iter().max_by_key(|row| row.states);
        let failed = self.rows.iter().filter(|row| row.failure.is_some()).count();
        let deepest = self.rows.iter().map(|row| row.depth).max().unwrap_or(0);
        vec![
            self.list.clone(),
            self.rows.len().to_string(),
            thousands(sum(|row| row.states)),
            thousands(sum(|row| row.transitions)),
            deepest.to_string(),
            format!("{:.1}", self.seconds),
            largest.map_or(String::new(), |row| {
                format!("{} ({})", thousands(row.states), row.scope)
            }),
            if failed == 0 {
                "yes".into()
            } else {
                format!("NO: {failed} failed")
            },
        ]
    }
}

/// The titles of [`Searched::total`].
pub const TOTALS: [&str; 8] = [
    "list",
    "scopes",
    "states",
    "transitions",
    "depth",
    "seconds",
    "largest",
    "complete",
];

/// Lists in one line each.
#[must_use]
pub fn totals(lists: &[Searched]) -> String {
    let mut rows = vec![TOTALS.map(str::to_owned).to_vec()];
    rows.extend(lists.iter().map(Searched::total));
    trace::columns(&rows)
}

impl fmt::Display for Searched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let titles = [
            "scope",
            "states",
            "transitions",
            "depth",
            "seconds",
            "complete",
        ];
        let mut rows = vec![titles.map(str::to_owned).to_vec()];
        for row in &self.rows {
            rows.push(vec![
                row.scope.clone(),
                thousands(row.states),
                thousands(row.transitions),
                row.depth.to_string(),
                format!("{:.2}", row.seconds),
                if row.failure.is_none() { "yes" } else { "NO" }.to_owned(),
            ]);
        }
        write!(f, "{}", trace::columns(&rows))?;
        for row in &self.rows {
            if let Some(failure) = &row.failure {
                write!(f, "\n{}:\n{failure}\n", row.scope)?;
            }
        }
        Ok(())
    }
}

/// How the mutants fared, as a table.
pub fn fates(fates: &[Fate]) -> String {
    let titles = [
        "mutant",
        "by",
        "steps",
        "states",
        "in scope",
        "scopes tried",
        "states in all",
    ];
    let mut rows = vec![titles.map(str::to_owned).to_vec()];
    for fate in fates {
        let mut row = vec![fate.mutant.clone()];
        match &fate.death {
            Some(death) => row.extend([
                match death.violation.invariant {
                    by if by == fate.by => by.to_owned(),
                    by => format!("{by}, NOT {}", fate.by),
                },
                death.steps.to_string(),
                thousands(death.states),
                death.scope.clone(),
            ]),
            None => row.extend(["SURVIVES", "-", "-", "-"].map(str::to_owned)),
        }
        row.push(fate.scopes.to_string());
        row.push(thousands(fate.states));
        rows.push(row);
    }
    trace::columns(&rows)
}

/// `1234567` as `1,234,567`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
