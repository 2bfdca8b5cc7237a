//! All schedules of a scenario, those with fewer deviations first.

use super::explored::Explored;
use super::failure::Found;
use super::run::{Run, Runs};
use crate::schedule::choice::Schedule;
use crate::schedule::turns::Step;
use std::panic::Location;

/// How often a schedule is run that has not done the same twice, to see a difference.
const AGAIN: usize = 10;
/// One run in so many is run twice.
const TWICE: usize = 100;

/// A run of which others are made, with one deviation more.
struct Parent {
    schedule: Schedule,
    steps: Vec<Step>,
}

pub(super) struct Search<'r> {
    pub(super) runs: Runs<'r>,
    pub(super) at: &'static Location<'static>,
    pub(super) deviations: usize,
    pub(super) most_runs: usize,
    pub(super) explored: Explored,
    /// Runs of any kind, those too that only look whether a schedule does the same twice.
    pub(super) made: u64,
    /// One schedule is looked at, and no other.
    pub(super) alone: bool,
}

impl Search<'_> {
    /// All schedules, those with fewer deviations first.
    ///
    /// # Errors
    /// The first that fails, in words.
    pub(super) fn all(&mut self) -> Result<(), String> {
        let first = self.next(&Schedule::default());
        let first = self.judge(first)?;
        self.explored.steps = first.steps.len();
        let mut parents = vec![Parent {
            schedule: first.schedule,
            steps: first.steps,
        }];
        for deviations in 1..=self.deviations {
            let mut children = Vec::new();
            for parent in &parents {
                self.children(parent, deviations, &mut children)?;
            }
            if self.explored.cut {
                return Ok(());
            }
            self.explored.deviations = deviations;
            parents = children;
        }
        Ok(())
    }

    /// The schedules that differ from this one by a later deviation.
    fn children(
        &mut self,
        parent: &Parent,
        deviations: usize,
        children: &mut Vec<Parent>,
    ) -> Result<(), String> {
        let after = parent.schedule.0.last().map_or(0, |(step, _)| step + 1);
        for (number, step) in parent.steps.iter().enumerate().skip(after) {
            for &choice in &step.choices {
                if self.explored.runs >= self.most_runs {
                    self.explored.cut = true;
                    return Ok(());
                }
                let schedule = parent.schedule.with(number, choice);
                let run = self.next(&schedule);
                // Up to there it is the run that it was made of.
                let same = run.steps.get(number);
                if run.refused.is_none() && same.is_none_or(|same| same.path != step.path) {
                    return Err(self.not_the_same(&parent.schedule));
                }
                let run = self.judge(run)?;
                // Those of the last round have no children.
                if deviations < self.deviations {
                    children.push(Parent {
                        schedule: run.schedule,
                        steps: run.steps,
                    });
                }
            }
        }
        Ok(())
    }

    /// One run more.
    fn next(&mut self, schedule: &Schedule) -> Run {
        self.explored.runs += 1;
        self.run(schedule)
    }

    /// Each run has a number of its own, which may be in the name of a test's database.
    fn run(&mut self, schedule: &Schedule) -> Run {
        self.made += 1;
        self.runs.run(self.made, schedule)
    }

    /// A schedule that has led to another step than before.
    fn not_the_same(&mut self, schedule: &Schedule) -> String {
        let one = self.run(schedule);
        let mut other = self.run(schedule);
        for _ in 0..AGAIN {
            if one.transcript.lines() != other.transcript.lines() {
                break;
            }
            other = self.run(schedule);
        }
        self.found().unequal(&one, &other)
    }

    /// A run that is well.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn judge(&mut self, run: Run) -> Result<Run, String> {
        if let Some(why) = run.refused.as_ref().or(run.misfit.as_ref()) {
            return Err(self.found().refused(&run, why));
        }
        let mut other = None;
        if run.failure.is_some() || self.explored.runs % TWICE == 1 {
            let again = self.run(&run.schedule);
            let fails = |run: &Run| run.failure.is_some();
            if run.transcript.lines() != again.transcript.lines() || fails(&run) != fails(&again) {
                return Err(self.found().unequal(&run, &again));
            }
            other = again.failure;
        }
        let Some(why) = &run.failure else {
            return Ok(run);
        };
        let mut said = explained(why);
        // An assertion may print what is in no order. That it fails is what counts.
        if let Some(other) = other.filter(|other| other != why) {
            said = format!("{said}\nand when it is run again:\n{}", explained(&other));
        }
        Err(self.found().wrong(&run, &said))
    }

    /// The one schedule that is named.
    pub(super) fn replay(&mut self, schedule: &str) -> Result<(), String> {
        let schedule = schedule.parse::<Schedule>();
        let schedule = schedule.map_err(|why| format!("{}: {why}", self.at))?;
        self.alone = true;
        let run = self.next(&schedule);
        let run = self.judge(run)?;
        self.explored.steps = run.steps.len();
        self.explored.deviations = schedule.0.len();
        println!("{}", run.transcript.steps_and_lines().join("\n"));
        Ok(())
    }

    fn found(&self) -> Found {
        Found {
            at: self.at,
            runs: self.explored.runs,
            alone: self.alone,
        }
    }
}

/// What tokio says of sockets, in words for whoever explores.
fn explained(why: &str) -> String {
    if why.contains("IO is disabled") {
        return format!(
            "{why}\nan exploration has no sockets, as what they do cannot be repeated: put a fake in the place of the service"
        );
    }
    why.to_owned()
}
