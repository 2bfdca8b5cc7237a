//! A printed counterexample, run again.

use super::Lists;
use crate::search::{Model, Mutable, trace};
use std::io::Read;
use std::path::Path;

pub(super) fn replay<M: Mutable>(
    lists: &Lists<M>,
    file: &Path,
    mutant: Option<&str>,
) -> Result<bool, String> {
    let mut table = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut table).map(|_| ())
    } else {
        std::fs::read_to_string(file).map(|text| table = text)
    };
    read.map_err(|error| format!("{}: {error}", file.display()))?;
    let wanted = trace::scope_of(&table).ok_or("the table has no line `scope: ..` above it")?;
    let all = [
        &lists.shapes,
        &lists.pairs,
        &lists.triples,
        &lists.four,
        &lists.wide,
        &lists.mutants,
    ];
    let mut scopes = all.into_iter().flatten();
    let scope = scopes.find(|scope| scope.name() == wanted);
    let scope = scope.ok_or_else(|| format!("no scope is called `{wanted}`"))?;
    let Some(name) = mutant else {
        return again(scope, &table);
    };
    let mut mutants = M::mutants().into_iter();
    let mutant = mutants.find(|(mutant, _)| format!("{mutant:?}") == name);
    let (mutant, _) = mutant.ok_or_else(|| format!("no mutant is called `{name}`"))?;
    again(&scope.with(mutant), &table)
}

fn again<M: Model>(scope: &M, table: &str) -> Result<bool, String> {
    let steps = trace::parse(scope, table).map_err(|error| error.to_string())?;
    println!("{}", trace::table(scope, &steps));
    Ok(trace::violation(scope, &steps).is_none())
}
