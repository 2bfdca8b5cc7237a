//! The things that have happened at least once.

/// A set of indices into [`Model::sometimes`](super::Model::sometimes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage([u64; Self::WORDS]);

impl Coverage {
    const WORDS: usize = 8;
    /// How many names a model may declare.
    pub const MOST: usize = Self::WORDS * 64;

    pub(super) fn reach(&mut self, index: usize) {
        self.0[index / 64] |= 1 << (index % 64);
    }

    /// Adds what another scope has reached.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine |= theirs;
        }
    }

    /// The names that were not reached; one that is empty needs not be.
    #[must_use]
    pub fn missing(&self, names: &[String]) -> Vec<String> {
        let reached = |index: usize| self.0[index / 64] & 1 << (index % 64) != 0;
        let wanted = names
            .iter()
            .enumerate()
            .filter(|(_, name)| !name.is_empty());
        let missing = wanted.filter(|&(i, _)| !reached(i));
        missing.map(|(_, name)| name.clone()).collect()
    }
}
