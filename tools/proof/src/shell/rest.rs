//! What must hold where only time passes, and at the end of the app.

use super::actions::{Action, Tells};
use super::handler::End;
use super::part::{Owner, Part};
use super::scope::Scope;
use super::world::{ALL, World};
use crate::search::Violation;
use fastkafka_kafka::proof::{Simulation, When};
use std::time::Duration;

/// What is not wrong goes on within this time. [H2]
const SOON: Duration = Duration::from_secs(10);
/// What stands still is named within this time; some of it only then.
const TOLD: Duration = Duration::from_secs(65);
/// What stands still is named within this time, and what was wrong is forgotten. [H1]
const BOUND: Duration = Duration::from_secs(100);
/// An end may take so much longer than its deadline.
const LATE: Duration = Duration::from_secs(1);
/// The steps of one instant.
const STEPS: usize = 500;

impl World {
    /// Nothing else goes wrong and nothing is repaired: everything that is under way ends, and time
    /// passes. What must hold then holds. [H1, H2, L1, L5]
    pub(super) fn finish(&mut self, scope: &Scope) -> Result<(), Violation> {
        let begun = self.now;
        let (mut is_soon, mut second) = (true, self.now);
        loop {
            self.finish_instant(scope)?;
            // Health may say something late.
            let is_told = self.now >= begun + TOLD;
            if self.driver.over.is_some() || is_told && self.is_done() {
                return Ok(());
            }
            if is_soon && self.now >= begun + SOON {
                is_soon = false;
                self.check_progress()?;
            }
            if self.now >= begun + BOUND {
                self.check_membership()?;
                return self.check_health();
            }
            if self.now >= second {
                second = self.now + Duration::from_secs(1);
                // The periodic commit is tried again.
                self.told_refused = false;
            }
            let sleep = self.sleep.min(Duration::from_secs(1));
            self.pass(sleep.max(Duration::from_millis(1)))?;
        }
    }

    fn finish_instant(&mut self, scope: &Scope) -> Result<(), Violation> {
        for _ in 0..STEPS {
            let Some(action) = self.next_of_all(scope) else {
                return Ok(());
            };
            self.apply(scope, action)?;
        }
        Err(Violation::new("L1", "it goes on and on in one instant"))
    }

    /// What ends something that is under way.
    fn next_of_all(&self, scope: &Scope) -> Option<Action> {
        let mut possible = Vec::new();
        super::actions::possible(scope, self, &mut possible);
        let ends = |action: &&Action| {
            matches!(
                action,
                Action::Turn
                    | Action::Answer
                    | Action::Commit
                    | Action::CommitAgain
                    | Action::Returns(_, End::Done)
                    | Action::Tells(Tells::Give, When::Now)
            )
        };
        possible.iter().find(ends).copied()
    }

    fn parts(&self) -> impl Iterator<Item = (i32, &Part)> {
        ALL.iter().copied().zip(&self.parts)
    }

    /// What is wrong with a partition of its own.
    fn is_wrong(part: &Part) -> bool {
        part.leaderless
            || part.unreadable
            || part.hung
            || part.failed
            || part.kept_in == Some(part.epoch)
    }

    /// What is wrong with all of them.
    fn is_all_wrong(&self) -> bool {
        self.is_away() || self.refused || self.refuses_commits || self.fatal || self.astray
    }

    fn lags(part: &Part) -> bool {
        part.owner == Owner::Us && part.committed.unwrap_or(0) < part.high
    }

    /// Nothing is wrong, nothing is left to do, and health says so.
    fn is_done(&self) -> bool {
        let wrong = |(_, part): (i32, &Part)| Self::is_wrong(part) || part.paused;
        !self.is_all_wrong()
            && !self.driver.is_leaving()
            && self.pending.is_none()
            && !self.parts().any(wrong)
            && !self.parts().any(|(_, part)| Self::lags(part))
            && self.driver.problems().is_empty()
    }

    /// What is wrong with one partition holds up no other. [H2]
    fn check_progress(&self) -> Result<(), Violation> {
        if self.is_all_wrong() {
            return Ok(());
        }
        for (partition, part) in self.parts() {
            if Self::lags(part) && !Self::is_wrong(part) && !part.paused {
                let text = format!(
                    "nothing is wrong with orders[{partition}], and it stands at {:?} of {}",
                    part.committed, part.high
                );
                return Err(Violation::new("H2", text));
            }
        }
        Ok(())
    }

    /// A member that is out of its group is named, and comes back if its client need only ask. [H1, L1]
    fn check_membership(&self) -> Result<(), Violation> {
        if self.fatal {
            return Ok(());
        }
        if self.driver.client().knows_no_broker() {
            let text = "its client knows no broker, and does not begin again";
            return Err(Violation::new("L1", text));
        }
        if self.astray && self.driver.problems().is_empty() {
            let text = "it does not come into its group, and health says ready";
            return Err(Violation::new("H1", text));
        }
        Ok(())
    }

    /// What stands still is named, and nothing else is. [H1]
    fn check_health(&self) -> Result<(), Violation> {
        self.check_progress()?;
        let problems = self.driver.problems();
        let names = |partition: i32| {
            let name = format!("{}[{partition}]", Simulation::TOPIC);
            problems.iter().any(|problem| problem.contains(&name))
        };
        for (partition, part) in self.parts() {
            let wrong = Self::is_wrong(part);
            if Self::lags(part)
                && wrong
                && !part.paused
                && !names(partition)
                && !self.is_all_wrong()
            {
                let text = format!(
                    "orders[{partition}] stands at {:?} of {}, and health says {problems:?}",
                    part.committed, part.high
                );
                return Err(Violation::new("H1", text));
            }
            if !wrong && !self.is_all_wrong() && names(partition) {
                let text = format!("nothing is wrong with orders[{partition}]: {problems:?}");
                return Err(Violation::new("H1", text));
            }
        }
        let any_lags = self
            .parts()
            .any(|(_, part)| Self::lags(part) && !part.paused);
        if self.is_all_wrong() && any_lags && problems.is_empty() {
            return Err(Violation::new(
                "H1",
                "nothing goes on, and health says ready",
            ));
        }
        let any_wrong = self.parts().any(|(_, part)| Self::is_wrong(part));
        if !self.is_all_wrong() && !any_wrong && !problems.is_empty() {
            let text = format!("nothing is wrong, and health says {problems:?}");
            return Err(Violation::new("H1", text));
        }
        Ok(())
    }

    /// An end comes within its deadline and says the truth. [H3]
    pub(super) fn check_ending(&self) -> Result<(), Violation> {
        let failure = self.driver.failure();
        if let Some(failure) = failure.as_ref().filter(|_| !self.fatal) {
            let text = format!("the app ends although nothing asks for that: {failure}");
            return Err(Violation::new("H3", text));
        }
        let Some(result) = &self.driver.over else {
            let too_late = self.deadline();
            if too_late.is_some_and(|too_late| self.now > too_late) {
                return Err(Violation::new(
                    "H3",
                    "the end takes longer than its deadline",
                ));
            }
            return Ok(());
        };
        let cut = !self.cut.is_empty() || !self.calls.at_work().is_empty();
        let lie = match result {
            Ok(()) if cut => "a call was cut".to_owned(),
            // What the app has failed with is told by the stop of the app.
            Ok(()) if !self.unclean.is_empty() && !self.kicked && failure.is_none() => {
                format!("the last of {:?} is not committed", self.unclean)
            }
            Ok(()) if !self.driver.client().is_destroyed() => "its client is alive".to_owned(),
            Err(why) if cut && !why.contains("orders[") => {
                format!("a call was cut, and all it says is: {why}")
            }
            Err(why)
                if !cut
                    && self.unclean.is_empty()
                    && failure.is_none()
                    && self.calls.kept().is_empty()
                    && !self.is_all_wrong()
                    && !self.kicked =>
            {
                format!("nothing is wrong, and it says: {why}")
            }
            Err(why) if self.fatal && !cut && self.unclean.is_empty() => {
                format!("the client is dead, and it says: {why}")
            }
            _ => return Ok(()),
        };
        Err(Violation::new(
            "H3",
            format!("it ends with {result:?}: {lie}"),
        ))
    }

    fn deadline(&self) -> Option<Duration> {
        Some(self.ending_since? + self.shutdown_timeout + LATE)
    }
}
