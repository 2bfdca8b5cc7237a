//! The command line: which lists are searched, and what counts as a failure.

mod replay;

use self::replay::replay;
use crate::search::{
    Coverage, Limits, Model, Mutable, Walked, mutants, parallel, report, shrink, trace, walk,
};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Every list of scopes.
#[derive(Clone, Debug)]
pub struct Lists<M> {
    /// One scope for each way in which a world can differ from the plain one.
    pub shapes: Vec<M>,
    /// Every pair of faults, where the world is small.
    pub pairs: Vec<M>,
    /// Every three faults.
    pub triples: Vec<M>,
    /// Every pair of faults, with four records.
    pub four: Vec<M>,
    /// Too large to be searched: for random walks.
    pub wide: Vec<M>,
    /// How many walks the tests take through each of `wide`.
    pub walks: u64,
    /// The scopes in which mutants are hunted, in this order.
    pub mutants: Vec<M>,
    /// The scopes of the second model.
    #[cfg(feature = "shell")]
    pub shell: Vec<crate::shell::Scope>,
}

/// Searches the delivery engine to the end. Exits with 1 where something is violated, was cut, was
/// never reached, or where a mutant survives.
#[derive(Debug, Parser)]
#[command(name = "proof", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Only scopes whose name holds this text (`mutants`: only mutants; with counterexamples).
    /// The things that were never reached are then not reported.
    #[arg(long, global = true)]
    filter: Option<String>,
    /// How many scopes are searched at once [default: one per core].
    #[arg(long, global = true)]
    threads: Option<usize>,
    /// Give up on a scope after so many seconds.
    #[arg(long, global = true, default_value_t = 600)]
    seconds: u64,
    /// Give up on a scope after so many states.
    #[arg(long, global = true, default_value_t = Limits::default().states)]
    states: usize,
    /// Print a line for each scope, not for each list alone.
    #[arg(long, global = true)]
    each: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The shapes, and every pair of faults.
    Pairs,
    /// Every three faults.
    Triples,
    /// Every pair of faults, with four records.
    Four,
    /// The driver and the client's machines: every pair of faults.
    #[cfg(feature = "shell")]
    Shell,
    /// All of these, then the mutants, then walks.
    All,
    /// Every known bug of the world around the engine, planted: each has to be found by its
    /// invariant. Those of the engine are in `tools/mutants`.
    Mutants {
        /// Look in scopes whose name holds this text only.
        #[arg(long, default_value = "")]
        scopes: String,
    },
    /// Demands that an invariant is violated, in a scope and on the walks of the tests: for
    /// `tools/mutants`, which runs this with a bug planted in the engine.
    Planted {
        /// The invariant.
        #[arg(long)]
        by: String,
        /// Look in scopes whose name holds this text only.
        #[arg(long, default_value = "")]
        scope: String,
        /// Print the counterexample.
        #[arg(long)]
        table: bool,
    },
    /// The same of the second model, in which there are no walks.
    #[cfg(feature = "shell")]
    PlantedShell {
        /// The invariant.
        #[arg(long)]
        by: String,
        /// Look in scopes whose name holds this text only.
        #[arg(long, default_value = "")]
        scope: String,
        /// Print the counterexample.
        #[arg(long)]
        table: bool,
    },
    /// Random walks through worlds that are too large to be searched.
    Walks {
        /// The seed of the first walk; those after it count on.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// How many in each scope.
        #[arg(long, default_value_t = 10_000)]
        count: u64,
    },
    /// Takes the choices of a printed counterexample again.
    Replay {
        /// The table, with its line `scope: ..` above it; `-` is the standard input.
        file: PathBuf,
        /// The bug that was planted.
        #[arg(long)]
        mutant: Option<String>,
    },
}

/// Runs the command line over `lists`.
pub fn run<M: Mutable>(lists: &Lists<M>) -> ExitCode {
    let cli = Cli::parse();
    match cli.run(lists) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("proof: {message}");
            ExitCode::from(2)
        }
    }
}

impl Cli {
    /// Whether everything holds.
    fn run<M: Mutable>(&self, lists: &Lists<M>) -> Result<bool, String> {
        let shapes = ("shapes", &lists.shapes);
        let pairs = ("pairs", &lists.pairs);
        let triples = ("triples", &lists.triples);
        let four = ("four records", &lists.four);
        match &self.command {
            Command::Pairs => self.search(&[shapes, pairs], true),
            Command::Triples => self.search(&[triples], false),
            Command::Four => self.search(&[four], false),
            #[cfg(feature = "shell")]
            Command::Shell => {
                let chosen = self.choose(&lists.shell, Model::name);
                crate::shell::report::search(
                    &chosen,
                    self.threads(),
                    &self.limits(),
                    self.each,
                    self.filter.is_none(),
                )
            }
            Command::All => {
                let searched = self.search(&[shapes, pairs, triples, four], true)?;
                let hunted = self.hunt(&lists.mutants, "")?;
                let walked = self.walk(&lists.wide, 0, 10_000)?;
                Ok(searched && hunted && walked)
            }
            Command::Mutants { scopes } => self.hunt(&lists.mutants, scopes),
            Command::Planted { by, scope, table } => self.planted(lists, by, scope, *table),
            #[cfg(feature = "shell")]
            Command::PlantedShell { by, scope, table } => {
                let named = lists.shell.iter();
                let named = named.filter(|one| one.name().contains(scope.as_str()));
                crate::shell::report::planted(
                    &named.collect::<Vec<_>>(),
                    by,
                    &self.limits(),
                    *table,
                )
            }
            Command::Walks { seed, count } => self.walk(&lists.wide, *seed, *count),
            Command::Replay { file, mutant } => replay(lists, file, mutant.as_deref()),
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            time: Duration::from_secs(self.seconds),
            states: self.states,
        }
    }

    fn threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or(cores)
    }

    /// `whole`: these lists together have to reach everything.
    fn search<M: Mutable>(&self, lists: &[(&str, &Vec<M>)], whole: bool) -> Result<bool, String> {
        let (mut done, mut coverage) = (Vec::new(), Coverage::default());
        for (name, list) in lists {
            let chosen = self.choose(list, M::name);
            if chosen.is_empty() {
                continue;
            }
            let told = |row: &report::Row| {
                if self.each {
                    let passed = if row.failure.is_none() {
                        ""
                    } else {
                        ", FAILED"
                    };
                    eprintln!(
                        "{}: {} states, {:.1} s{passed}",
                        row.scope, row.states, row.seconds
                    );
                }
            };
            let searched = report::search(name, &chosen, self.threads(), &self.limits(), told);
            if self.each || !searched.passed() {
                println!("{searched}");
            }
            coverage.merge(&searched.coverage);
            done.push(searched);
        }
        if done.is_empty() {
            return Err("no scope has such a name".into());
        }
        print!("{}", report::totals(&done));
        let missing = coverage.missing(&M::sometimes());
        let demanded = whole && self.filter.is_none();
        if demanded {
            println!(
                "{}",
                reached(
                    M::sometimes()
                        .iter()
                        .filter(|name| !name.is_empty())
                        .count(),
                    &missing
                )
            );
        }
        let passed = done.iter().all(report::Searched::passed);
        Ok(passed && (!demanded || missing.is_empty()))
    }

    fn hunt<M: Mutable>(&self, scopes: &[M], within: &str) -> Result<bool, String> {
        let named = scopes.iter().filter(|scope| scope.name().contains(within));
        let scopes: Vec<&M> = named.collect();
        if scopes.is_empty() {
            return Err("no scope has such a name".into());
        }
        let mutants = M::mutants();
        let name = |(mutant, _): &(M::Mutant, &str)| format!("{mutant:?}");
        let mutants: Vec<(M::Mutant, &str)> = match self.command {
            Command::All => mutants,
            _ => self.choose(&mutants, name).into_iter().copied().collect(),
        };
        if mutants.is_empty() {
            return Err("no mutant has such a name".into());
        }
        let begun = Instant::now();
        let fates = mutants::hunt(&scopes, &mutants, self.threads(), &self.limits());
        print!("{}", report::fates(&fates));
        let survivors = fates.iter().filter(|fate| !fate.is_as_named()).count();
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "{} mutants, {survivors} survive, {seconds:.1} s",
            fates.len()
        );
        if self.filter.is_some() {
            for death in fates.iter().filter_map(|fate| fate.death.as_ref()) {
                println!("\n{}", death.table);
            }
        }
        Ok(survivors == 0)
    }

    /// The last line of what is printed is read by `tools/mutants`: its cells are separated by ` | `.
    fn planted<M: Mutable>(
        &self,
        lists: &Lists<M>,
        by: &str,
        within: &str,
        table: bool,
    ) -> Result<bool, String> {
        let named = lists
            .mutants
            .iter()
            .filter(|scope| scope.name().contains(within));
        let scopes: Vec<&M> = named.collect();
        if scopes.is_empty() {
            return Err("no scope has such a name".into());
        }
        let fate = mutants::hunt_planted(&scopes, by, &self.limits());
        let walked = mutants::walk_planted(&lists.wide, by, lists.walks, &self.limits());
        if let Some(death) = fate.death.as_ref().filter(|_| table) {
            println!("{}", death.table);
        }
        let searched = match &fate.death {
            Some(death) => format!(
                "{} | {} | {} | {}",
                death.violation.invariant, death.steps, death.states, death.scope
            ),
            None => format!("survives | - | {} | {} scopes", fate.states, scopes.len()),
        };
        let on_walks = match &walked {
            Some(found) => format!(
                "{} | {} | {}",
                found.walks,
                found.scope,
                found.before.unwrap_or("-")
            ),
            None => "survives | - | -".to_owned(),
        };
        println!("planted | {searched} | {on_walks}");
        Ok(fate.is_as_named() && walked.is_some())
    }

    fn walk<M: Model>(&self, scopes: &[M], seed: u64, count: u64) -> Result<bool, String> {
        let scopes = match self.command {
            Command::All => scopes.iter().collect(),
            _ => self.choose(scopes, M::name),
        };
        if scopes.is_empty() {
            return Err("no scope has such a name".into());
        }
        let limits = self.limits();
        let walked = parallel::each(
            &scopes,
            self.threads(),
            |_| 0,
            |scope| walk(*scope, seed, count, &limits),
        );
        let mut passed = true;
        for (scope, walked) in scopes.iter().zip(&walked) {
            passed &= told(*scope, walked, count);
        }
        Ok(passed)
    }

    fn choose<'a, T, N: AsRef<str>>(
        &self,
        items: &'a [T],
        name: impl Fn(&'a T) -> N,
    ) -> Vec<&'a T> {
        let filter = self.filter.as_deref().unwrap_or("");
        let chosen = items
            .iter()
            .filter(|&item| name(item).as_ref().contains(filter));
        chosen.collect()
    }
}

pub(crate) fn reached(all: usize, missing: &[String]) -> String {
    if missing.is_empty() {
        return format!("each of {all} things that must happen at least once has happened");
    }
    let names: String = missing.iter().map(|name| format!("\n  {name}")).collect();
    format!("NEVER REACHED, {} of {all}:{names}", missing.len())
}

fn told<M: Model>(scope: &M, walked: &Walked<M::Action>, count: u64) -> bool {
    println!(
        "{}: {} walks, {} steps, {:.1} s",
        scope.name(),
        walked.walks,
        walked.steps,
        walked.seconds
    );
    let Some((violation, steps)) = &walked.failure else {
        if walked.walks < count {
            println!("  cut before {count} walks");
        }
        return walked.walks == count;
    };
    let short = shrink(scope, violation, steps);
    println!(
        "{violation} after {} steps, {} of them needed:\n{}",
        steps.len(),
        short.len(),
        trace::table(scope, &short)
    );
    false
}
