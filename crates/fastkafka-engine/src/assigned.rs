//! An assigned partition: its records from the watermark on, in one of two forms.

use crate::event::{HoldBack, Time};
use crate::health::Wait;
use crate::keyed::Keyed;
use crate::pieces::Pieces;

#[derive(Clone, Debug)]
pub(crate) struct Assigned {
    pub(crate) records: Records,
    /// Everything below is terminal.
    pub(crate) watermark: i64,
    /// Everything below was read, or will never come.
    pub(crate) read_to: i64,
    /// The watermark that was stored last.
    pub(crate) stored: i64,
    /// The reason why it is not read, if it is held back.
    pub(crate) held: Option<HoldBack>,
    /// By the user.
    pub(crate) paused: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Records {
    /// In partition order: neighbours in the same state are one.
    Pieces(Pieces),
    /// By key: each record for itself.
    Keyed(Keyed),
}

/// The records that a partition holds, to be compared with the limits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    /// Offsets from the lowest open record to the end of what was read.
    pub(crate) span: i64,
}

/// A record that failed, for health.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed {
    pub(crate) at: i64,
    pub(crate) attempts: u32,
    /// The reason why it waits and the time since when; `None` if it has stopped.
    pub(crate) wait: Option<(Wait, Time)>,
    /// When the next attempt, or the next try of its dead letter, may begin; `None` while one is under way.
    pub(crate) due: Option<Time>,
}

impl Assigned {
    pub(crate) fn new(position: i64, records: Records) -> Self {
        Assigned {
            records,
            watermark: position,
            read_to: position,
            stored: position,
            held: None,
            paused: false,
        }
    }

    pub(crate) fn pieces(&mut self) -> Option<&mut Pieces> {
        match &mut self.records {
            Records::Pieces(pieces) => Some(pieces),
            Records::Keyed(_) => None,
        }
    }

    pub(crate) fn keyed(&mut self) -> Option<&mut Keyed> {
        match &mut self.records {
            Records::Pieces(_) => None,
            Records::Keyed(keyed) => Some(keyed),
        }
    }

    /// The end of what was read.
    pub(crate) fn seen(&self) -> i64 {
        let end = match &self.records {
            Records::Pieces(pieces) => pieces.end(),
            Records::Keyed(keyed) => keyed.end(),
        };
        end.unwrap_or(self.watermark)
            .max(self.watermark)
            .max(self.read_to)
    }

    /// The log was read again from `first`: the records seen from there on are gone from it.
    pub(crate) fn rewind(&mut self, first: i64) {
        self.watermark = self.watermark.min(first);
        self.stored = self.stored.min(first);
        self.read_to = self.read_to.min(first);
    }

    /// Moves the watermark over what is terminal, and over what will never come.
    pub(crate) fn advance(&mut self) {
        let seen = self.seen();
        match &mut self.records {
            Records::Pieces(pieces) => {
                if let Some(end) = pieces.advance() {
                    self.watermark = end;
                }
                let open = pieces.first().unwrap_or(seen);
                self.watermark = self.watermark.max(open.min(self.read_to));
            }
            // Slots leave out of order, so the lowest that has not left is the watermark.
            Records::Keyed(keyed) => self.watermark = keyed.lowest().unwrap_or(seen),
        }
    }

    /// Whether no result can move the watermark any more, unless something is started.
    pub(crate) fn is_quiet(&self) -> bool {
        match &self.records {
            Records::Pieces(pieces) => pieces.is_quiet(),
            Records::Keyed(keyed) => keyed.is_quiet(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.load().records == 0
    }

    /// Whether it stands still. By key only the stopped record's key does, never the partition.
    pub(crate) fn stands(&self) -> bool {
        matches!(&self.records, Records::Pieces(pieces) if pieces.stopped().is_some())
    }

    pub(crate) fn load(&self) -> Load {
        match &self.records {
            Records::Pieces(pieces) => pieces.load(),
            Records::Keyed(keyed) => keyed.load(),
        }
    }

    /// The lowest record that is not terminal, and how many there are.
    pub(crate) fn open(&self) -> (Option<i64>, u64) {
        match &self.records {
            Records::Pieces(pieces) => pieces.open(),
            // A slot leaves when it is terminal, unless something of its key before it is not.
            Records::Keyed(keyed) => (keyed.lowest(), keyed.load().records),
        }
    }

    /// Whether what is read next could start at once.
    pub(crate) fn wants(&self) -> bool {
        match &self.records {
            Records::Pieces(pieces) => pieces.wants(),
            Records::Keyed(keyed) => keyed.wants(),
        }
    }

    /// Whether what is held waits for something that is not simply at work.
    pub(crate) fn waits(&self) -> bool {
        match &self.records {
            Records::Pieces(pieces) => pieces.waits(),
            Records::Keyed(keyed) => keyed.waits(),
        }
    }

    /// When the next attempt or the next try of a dead letter is due.
    pub(crate) fn due(&self) -> Option<Time> {
        match &self.records {
            Records::Pieces(pieces) => pieces.due(),
            Records::Keyed(keyed) => keyed.due(),
        }
    }

    /// The records that have stopped.
    pub(crate) fn stopped(&self) -> impl Iterator<Item = Failed> + '_ {
        let (pieces, keyed) = match &self.records {
            Records::Pieces(pieces) => (pieces.stopped(), None),
            Records::Keyed(keyed) => (None, Some(keyed.stopped())),
        };
        pieces
            .map(crate::piece::Piece::report)
            .into_iter()
            .chain(keyed.into_iter().flatten())
    }

    /// The records that failed and are neither done nor stopped.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = Failed> + '_ {
        let (pieces, keyed) = match &self.records {
            Records::Pieces(pieces) => (Some(pieces.waiting()), None),
            Records::Keyed(keyed) => (None, Some(keyed.waiting())),
        };
        pieces
            .into_iter()
            .flatten()
            .chain(keyed.into_iter().flatten())
    }
}
