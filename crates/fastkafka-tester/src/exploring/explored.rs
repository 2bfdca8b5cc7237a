//! What an exploration has looked at.

use std::fmt;

/// What was explored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explored {
    pub(super) runs: usize,
    pub(super) steps: usize,
    pub(super) deviations: usize,
    pub(super) cut: bool,
}

impl Explored {
    /// The number of runs.
    pub fn runs(&self) -> usize {
        self.runs
    }

    /// The number of steps of the run without deviations.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// False when [`Exploration::most_runs`](crate::Exploration::most_runs) has ended it.
    pub fn is_complete(&self) -> bool {
        !self.cut
    }
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            runs,
            steps,
            deviations,
            cut,
        } = self;
        let cut = if *cut { ", not complete" } else { "" };
        write!(
            f,
            "{steps} steps, up to {deviations} deviations, {runs} runs{cut}"
        )
    }
}
