//! Plants known bugs in a copy of the engine and demands that each is found: see the library.
#![forbid(unsafe_code)]

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use mutants::patch::{self, Files, Patch, Searched};
use mutants::scratch::{self, Scratch};
use mutants::{repository, verdict};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

/// Plants known bugs in a copy of the engine and demands that each is found by its invariant, in
/// the search and on the walks of proof's tests. A bug that does not compile or whose search does
/// not end was not found.
#[derive(Debug, Parser)]
#[command(name = "mutants", version)]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Whether each patch applies to the source as it is. Builds nothing.
    Check,
    /// Searches for these bugs, or for all: those of the engine and those of proof's world.
    Run {
        /// Patches whose name holds one of these texts; they print their counterexample.
        names: Vec<String>,
        /// The seconds that a search may take.
        #[arg(long, default_value_t = 120)]
        seconds: u64,
    },
    /// Searches for the bugs in files that differ from a revision.
    Changed {
        /// The revision; what counts is where the current one branched off.
        #[arg(long)]
        base: String,
        /// The seconds that a search may take.
        #[arg(long, default_value_t = 120)]
        seconds: u64,
    },
}

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("mutants: {error:#}");
            ExitCode::from(2)
        }
    }
}

impl Cli {
    fn run(&self) -> Result<bool> {
        let root = repository();
        let patches = patch::all(&root.join("tools/mutants/patches"))?;
        let sources = scratch::sources(&root)?;
        match &self.command {
            Task::Check => Ok(check(&patches, &sources)),
            Task::Run { names, seconds } => {
                let named = |patch: &&Patch| names.iter().any(|name| patch.name.contains(name));
                let chosen: Vec<&Patch> = patches
                    .iter()
                    .filter(|patch| names.is_empty() || named(patch))
                    .collect();
                ensure!(!chosen.is_empty(), "no patch has such a name");
                let mut hunt = Hunt::new(&root, sources, Duration::from_secs(*seconds))?;
                let world = !names.is_empty() || hunt.world()?;
                Ok(hunt.all(&chosen, !names.is_empty())? && world)
            }
            Task::Changed { base, seconds } => {
                let changed = changed(&root, base)?;
                let concerned = patches.iter().filter(|patch| patch.concerns(&changed));
                let chosen: Vec<&Patch> = concerned.collect();
                if chosen.is_empty() {
                    println!("no file with a mutant differs from {base}");
                    return Ok(true);
                }
                let mut hunt = Hunt::new(&root, sources, Duration::from_secs(*seconds))?;
                hunt.all(&chosen, false)
            }
        }
    }
}

fn check(patches: &[Patch], sources: &Files) -> bool {
    let mut passed = true;
    for patch in patches {
        if let Err(error) = patch.apply(sources) {
            passed = false;
            println!("{error:#}");
        }
    }
    println!(
        "{} patches, {}",
        patches.len(),
        if passed { "all apply" } else { "NOT ALL APPLY" }
    );
    passed
}

/// Paths of files that differ from where `HEAD` and `base` parted, those that are not committed
/// included.
fn changed(root: &Path, base: &str) -> Result<Vec<String>> {
    let git = |arguments: &[&str]| -> Result<String> {
        let mut git = Command::new("git");
        let output = git
            .current_dir(root)
            .args(arguments)
            .output()
            .context("git")?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "git {arguments:?}: {error}");
        Ok(String::from_utf8(output.stdout)?)
    };
    let parted = git(&["merge-base", base, "HEAD"])?;
    let differ = git(&["diff", "--name-only", parted.trim()])?;
    let new = git(&["ls-files", "--others", "--exclude-standard"])?;
    Ok(differ
        .lines()
        .chain(new.lines())
        .map(str::to_owned)
        .collect())
}

struct Hunt {
    scratch: Scratch,
    sources: Files,
    time: Duration,
}

impl Hunt {
    fn new(root: &Path, sources: Files, time: Duration) -> Result<Self> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let target = root.join(target.unwrap_or("target".into()));
        let mut scratch = Scratch::new(target.join("mutants"))?;
        // What does not compile with nothing planted is no matter of a patch.
        scratch.write(&sources)?;
        scratch
            .build(Searched::Engine)
            .context("with nothing planted")?;
        Ok(Hunt {
            scratch,
            sources,
            time,
        })
    }

    /// The bugs of proof's own world, with nothing planted in the engine.
    fn world(&mut self) -> Result<bool> {
        self.scratch.write(&self.sources)?;
        let proof = self.scratch.build(Searched::Engine)?;
        let mut search = Command::new(proof);
        let (status, printed) =
            verdict::run(search.arg("mutants"), &self.scratch.output(), self.time)?;
        println!("{printed}");
        Ok(status.success())
    }

    fn all(&mut self, patches: &[&Patch], tables: bool) -> Result<bool> {
        let begun = Instant::now();
        println!(
            "| mutant | by | steps | states | in scope | walks | of scope | build s | search s |"
        );
        println!("|---|---|---|---|---|---|---|---|---|");
        let mut survivors = 0;
        for patch in patches {
            if let Err(error) = self.one(patch, tables) {
                survivors += 1;
                println!("| {} | NOT FOUND: {error:#} |", patch.name);
            }
        }
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "{} mutants, {survivors} not found, {seconds:.0} s",
            patches.len()
        );
        Ok(survivors == 0)
    }

    fn one(&mut self, patch: &Patch, table: bool) -> Result<()> {
        self.scratch.write(&patch.apply(&self.sources)?)?;
        let begun = Instant::now();
        let proof = self.scratch.build(patch.model)?;
        let built = begun.elapsed().as_secs_f64();
        let output = self.scratch.output();
        let begun = Instant::now();
        let death = verdict::judge(patch, &proof, &output, self.time, table)?;
        let searched = begun.elapsed().as_secs_f64();
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {built:.1} | {searched:.1} |",
            patch.name, death.by, death.steps, death.states, death.scope, death.walks, death.walked,
        );
        if table {
            println!("\n{}", death.table);
        }
        Ok(())
    }
}
