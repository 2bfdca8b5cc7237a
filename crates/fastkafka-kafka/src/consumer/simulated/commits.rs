//! The offsets that a client has stored, and those that it has sent to the broker.

use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub(super) struct Commits {
    /// What the next commit will say.
    stored: BTreeMap<i32, i64>,
    /// What the broker is known to have: periodic commits only go forward.
    done: BTreeMap<i32, i64>,
    /// Partitions and offsets, for the broker.
    sent: Vec<(i32, i64)>,
}

impl Commits {
    pub(super) fn store(&mut self, partition: i32, offset: i64) {
        self.stored.insert(partition, offset);
    }

    /// Sends what is stored: of all partitions, where it lies ahead of what the broker has; of one that is given
    /// up, whatever the broker has.
    pub(super) fn send(&mut self, of: Option<i32>) {
        let partitions: Vec<_> = self.stored.keys().copied().collect();
        for partition in partitions {
            if of.is_none_or(|one| one == partition)
                && let Some(offset) = self.stored.remove(&partition)
                && (of.is_some() || self.is_ahead(partition, offset))
            {
                self.sent.push((partition, offset));
            }
        }
    }

    fn is_ahead(&self, partition: i32, offset: i64) -> bool {
        let done = self.done.get(&partition);
        done.is_none_or(|done| *done < offset)
    }

    /// The partition is given up.
    pub(super) fn forget(&mut self, partition: i32) {
        self.stored.remove(&partition);
        self.done.remove(&partition);
    }
}

#[cfg(feature = "proof")]
impl Commits {
    /// A commit would say something.
    pub(super) fn has_some(&self) -> bool {
        let is_ahead = |(partition, offset): (&i32, &i64)| self.is_ahead(*partition, *offset);
        self.stored.iter().any(is_ahead)
    }

    /// One is answered. What was refused is sent again, unless more is stored since.
    pub(super) fn note(&mut self, partition: i32, offset: i64, done: bool) {
        if done {
            self.done.insert(partition, offset);
        } else {
            self.stored.entry(partition).or_insert(offset);
        }
    }

    pub(super) fn take_sent(&mut self) -> Vec<(i32, i64)> {
        std::mem::take(&mut self.sent)
    }
}
