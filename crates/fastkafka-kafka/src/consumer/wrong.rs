//! What is wrong with positions, until the driver hears of it.
//!
//! It is told by the next poll, ahead of everything by which the driver may move a partition. What is moved or
//! given away before that is not told: nothing is known to be wrong with the position that follows.

use fastkafka_runtime::platform::{Notice, PartitionRef};

/// What is wrong with a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// The topic was deleted, and there is another of its name.
    MadeAnew,
    /// Later looks have said so, too.
    StillAnew,
    /// It was not: the broker that said so was behind.
    SameAgain,
    /// A batch cannot be read.
    Unreadable { why: String },
    /// The log was cut below it, there if the broker knows.
    Truncated { end: Option<i64> },
}

/// What is wrong with positions and was not told yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WrongPositions(Vec<(PartitionRef, i64, Wrong)>);

impl WrongPositions {
    pub(crate) fn add(&mut self, place: PartitionRef, position: i64, wrong: Wrong) {
        self.0.push((place, position, wrong));
    }

    pub(crate) fn contains(&self, place: PartitionRef) -> bool {
        self.0.iter().any(|(other, ..)| *other == place)
    }

    /// The partition is moved.
    pub(crate) fn leave(&mut self, place: PartitionRef) {
        self.0.retain(|(other, ..)| *other != place);
    }

    /// These are given away.
    pub(crate) fn forget(&mut self, places: &[PartitionRef]) {
        self.0.retain(|(place, ..)| !places.contains(place));
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Everything that is to be told now.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Notice> + use<> {
        let all = std::mem::take(&mut self.0).into_iter();
        all.map(|(place, position, wrong)| match wrong {
            Wrong::MadeAnew => Notice::MadeAnew { place, position },
            Wrong::StillAnew => Notice::StillAnew { place, position },
            Wrong::SameAgain => Notice::SameAgain { place, position },
            Wrong::Unreadable { why } => Notice::Unreadable {
                place,
                position,
                why,
            },
            Wrong::Truncated { end } => Notice::Truncated {
                place,
                position,
                end,
            },
        })
    }
}
