//! The report of a search of the shell.

use super::Scope;
use crate::cli::reached;
use crate::search::{Limits, Model, breadth_first, report, trace};

/// Searches all of them and tells. `each`: a line for each scope. `whole`: together they have to reach
/// everything. Faults that are known and not mended yet are no failure.
///
/// # Errors
/// There is none to search.
pub fn search(
    scopes: &[&Scope],
    threads: usize,
    limits: &Limits,
    each: bool,
    whole: bool,
) -> Result<bool, String> {
    if scopes.is_empty() {
        return Err("no scope has such a name".into());
    }
    let told = |row: &report::Row| {
        if each {
            let red = row.failure.as_ref().map_or("", |_| ", red");
            let (scope, states, seconds) = (&row.scope, row.states, row.seconds);
            eprintln!("{scope}: {states} states, {seconds:.1} s{red}");
        }
    };
    let searched = report::search("shell", scopes, threads, limits, told);
    let mut passed = true;
    for (scope, row) in scopes.iter().zip(&searched.rows) {
        if let Some(known) = scope.told_of_known(row) {
            println!("{known}");
        }
        if let Err(failure) = scope.verdict(row) {
            passed = false;
            println!("{}:\n{failure}", row.scope);
        }
    }
    print!("{}", report::totals(std::slice::from_ref(&searched)));
    let names = Scope::sometimes();
    let missing = searched.coverage.missing(&names);
    if whole {
        println!("{}", reached(names.len(), &missing));
        // Behind what is known to be broken nothing is reached.
        let mut reds = scopes.iter().zip(&searched.rows);
        let is_red = |(scope, row): (&&Scope, &report::Row)| {
            row.failure.is_some() && scope.told_of_known(row).is_some()
        };
        passed &= missing.is_empty() || reds.any(is_red);
    }
    Ok(passed)
}

/// Demands that an invariant is violated in the first of these scopes that has a violation. The last line of
/// what is printed is read by `tools/mutants`: its cells are separated by ` | `.
///
/// # Errors
/// There is none to search.
pub fn planted(scopes: &[&Scope], by: &str, limits: &Limits, table: bool) -> Result<bool, String> {
    if scopes.is_empty() {
        return Err("no scope has such a name".into());
    }
    let mut states = 0;
    for &scope in scopes {
        let found = breadth_first(scope, limits);
        states += found.states;
        if let Some((violation, steps)) = found.failure {
            if table {
                println!("{}", trace::table(scope, &steps));
            }
            let (name, invariant) = (scope.name(), violation.invariant);
            println!(
                "planted | {invariant} | {} | {states} | {name} | 0 | - | -",
                steps.len()
            );
            return Ok(invariant == by);
        }
    }
    println!(
        "planted | survives | - | {states} | {} scopes | 0 | - | -",
        scopes.len()
    );
    Ok(false)
}
