//! A started run and what became of its outputs.

use crate::{Failure, PartIndex};

pub(super) struct Run {
    pub(super) part: PartIndex,
    pub(super) cut: u32,
    pub(super) offsets: Vec<i64>,
    pub(super) next: i64,
    pub(super) unit: bool,
    /// One entry for each handled record.
    pub(super) outputs: Vec<Output>,
    /// Nothing more of it will be handled.
    pub(super) done: bool,
    pub(super) told: usize,
    pub(super) broken: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    Pending,
    Acked,
    Lost(Failure),
}

impl Run {
    pub(super) fn settled(&self) -> usize {
        let acked = self.outputs.iter().take_while(|&&o| o == Output::Acked);
        acked.count()
    }

    pub(super) fn lost(&self) -> Option<Failure> {
        match self.outputs.get(self.settled()) {
            Some(&Output::Lost(failure)) if !self.broken => Some(failure),
            _ => None,
        }
    }

    pub(super) fn closes(&self) -> bool {
        self.done && !self.outputs.contains(&Output::Pending)
    }

    /// Whether there is something new to say.
    pub(super) fn has_news(&self) -> bool {
        self.settled() > self.told || self.lost().is_some() || self.closes()
    }

    pub(super) fn offset(&self, i: usize) -> i64 {
        self.offsets.get(i).copied().unwrap_or(self.next)
    }
}
