//! How it reads when an exploration fails.

use super::run::Run;
use std::panic::Location;
use std::thread;

/// Names the one schedule that is to be run.
pub(super) const VARIABLE: &str = "FASTKAFKA_SCHEDULE";

/// What is seldom thought of.
const USUALLY: &str = "usually this is a thread, the machine's clock, a random number, a `select!` without `biased`, the order of a `HashMap`, or something outside of the apps that an earlier run has changed";

/// Where and when it has failed.
pub(super) struct Found {
    pub(super) at: &'static Location<'static>,
    /// The runs so far.
    pub(super) runs: usize,
    /// This schedule was asked for, so that nothing is known of those with fewer deviations.
    pub(super) alone: bool,
}

impl Found {
    /// A schedule under which the app does something wrong.
    pub(super) fn wrong(&self, run: &Run, why: &str) -> String {
        let deviations = match run.schedule.0.len() {
            _ if self.alone => "this schedule fails".to_owned(),
            0 => "without a deviation it fails".to_owned(),
            1 => "one deviation is enough, none is not".to_owned(),
            2 => "2 deviations are enough, 1 is not".to_owned(),
            n => format!("{n} deviations are enough, {} are not", n - 1),
        };
        format!(
            "{}: {deviations} (run {})\n{}\nwhat happens, each line after the number of the next step:\n{}\nto see it alone: {}",
            self.at,
            self.runs,
            indented(why),
            run.transcript.steps_and_lines().join("\n"),
            replay(run)
        )
    }

    /// The same schedule has done two things.
    pub(super) fn unequal(&self, one: &Run, other: &Run) -> String {
        let (lines, others) = (one.transcript.lines(), other.transcript.lines());
        if lines == others {
            return format!(
                "{}: the same schedule does not do the same twice, so that nothing can be said of it (run {}); what differs is in no line, but in which task goes on\n{USUALLY}\nto see it alone: {}",
                self.at,
                self.runs,
                replay(one)
            );
        }
        let same = lines
            .iter()
            .zip(&others)
            .take_while(|(a, b)| a == b)
            .count();
        let line = |lines: &[String]| match lines.get(same) {
            Some(line) => line.clone(),
            None => "(nothing more)".to_owned(),
        };
        format!(
            "{}: the same schedule does not do the same twice, so that nothing can be said of it (run {})\nthe first line that differs, number {}:\n  once:  {}\n  again: {}\n{USUALLY}\nto see it alone: {}",
            self.at,
            self.runs,
            same + 1,
            line(&lines),
            line(&others),
            replay(one)
        )
    }

    pub(super) fn refused(&self, run: &Run, why: &str) -> String {
        format!("{}: {why}\nto see it alone: {}", self.at, replay(run))
    }
}

fn indented(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

/// The command that does the same again.
fn replay(run: &Run) -> String {
    let thread = thread::current();
    let test = thread.name().filter(|name| *name != "main");
    // The variable is for every exploration of a process: one test alone is to have it.
    let test = test.map_or(String::new(), |name| format!(" {name} -- --exact"));
    let package = std::env::var("CARGO_PKG_NAME");
    let package = package.map_or(String::new(), |name| format!(" -p {name}"));
    format!("{VARIABLE}={} cargo test{package}{test}", run.schedule)
}
