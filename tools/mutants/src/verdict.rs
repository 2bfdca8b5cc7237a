//! What the search says of a planted bug, and whether that is the death it has to die.

use crate::patch::{Patch, Searched};
use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How a planted bug was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// The invariant that the search found violated.
    pub by: String,
    /// The length of a shortest counterexample in its scope, in choices.
    pub steps: u64,
    /// States visited before it.
    pub states: u64,
    /// The scope.
    pub scope: String,
    /// How many of the walks of proof's tests were taken until one violated the invariant; there are none
    /// through the shell.
    pub walks: u64,
    /// The scope of that walk.
    pub walked: String,
    /// The counterexample, if it was asked for.
    pub table: String,
}

/// Searches for the bug of `patch` with the binary that was built with it.
///
/// # Errors
///
/// The bug survives the search or the walks, dies by another invariant, or the search does not end
/// in `time`.
pub fn judge(
    patch: &Patch,
    proof: &Path,
    output: &Path,
    time: Duration,
    table: bool,
) -> Result<Death> {
    let mut search = Command::new(proof);
    let planted = match patch.model {
        Searched::Engine => "planted",
        Searched::Shell => "planted-shell",
    };
    search.args([planted, "--by", &patch.kills, "--scope", &patch.scope]);
    search.args(table.then_some("--table"));
    let (status, printed) = run(&mut search, output, time)?;
    // 1 says that it survived or died of something else, which the line says better.
    ensure!(
        matches!(status.code(), Some(0 | 1)),
        "the search failed ({status}):\n{printed}"
    );
    let death = parse(&printed)?;
    ensure!(
        death.by == patch.kills,
        "{} has to find it, and the search says: {} after {} states",
        patch.kills,
        death.by,
        death.states
    );
    ensure!(
        death.walks > 0 || patch.model == Searched::Shell,
        "{} finds it in the search, and on no walk of proof's tests",
        patch.kills
    );
    ensure!(
        status.success(),
        "the search contradicts itself:\n{printed}"
    );
    Ok(death)
}

fn parse(printed: &str) -> Result<Death> {
    let Some((table, line)) = printed.rsplit_once("planted | ") else {
        bail!("the search printed no line `planted | ..`:\n{printed}");
    };
    let cells: Vec<&str> = line.trim().split(" | ").collect();
    let &[by, steps, states, scope, walks, walked, _] = cells.as_slice() else {
        bail!("the search printed another line: {line}");
    };
    Ok(Death {
        by: by.to_owned(),
        steps: steps.parse().unwrap_or(0),
        states: states.parse().unwrap_or(0),
        scope: scope.to_owned(),
        walks: walks.parse().unwrap_or(0),
        walked: walked.to_owned(),
        table: table.to_owned(),
    })
}

/// Runs a command to its end, or kills it when its time is over.
///
/// # Errors
///
/// It could not be started, or its time was over.
pub fn run(command: &mut Command, output: &Path, time: Duration) -> Result<(ExitStatus, String)> {
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(File::create(output)?)
        // Panics of the engine are violations; each prints its message there.
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{command:?}"))?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begun.elapsed() > time {
            child.kill()?;
            child.wait()?;
            bail!("the search did not end within {} s", time.as_secs());
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    Ok((status, fs::read_to_string(output)?))
}
