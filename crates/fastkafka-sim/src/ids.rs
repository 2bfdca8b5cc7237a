//! Names as small integers, and sets of partitions.

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(crate) u32);

        impl $name {
            /// The number itself: ids of one kind count from 0.
            pub fn index(self) -> usize {
                self.0 as usize
            }

            pub(crate) fn at(index: usize) -> Self {
                Self(u32::try_from(index).expect("fewer than 2^32 of a kind"))
            }
        }
    )*};
}

id! {
    /// A topic of a cluster. A topic that is deleted and created again keeps it.
    TopicId
    /// A partition of a topic, numbered over all topics in the order of their creation.
    PartitionId
    /// A consumer group of a cluster.
    GroupId
    /// A member of a group. Each join without an id gives out a new one, as Kafka does.
    MemberId
}

/// A set of partitions. The first 64 of a cluster cost no allocation.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartitionSet {
    low: u64,
    /// Without trailing zeros, so that equal sets are equal values.
    high: Vec<u64>,
}

impl PartitionSet {
    /// The empty set.
    pub const fn new() -> Self {
        Self {
            low: 0,
            high: Vec::new(),
        }
    }

    /// Whether it has no partition.
    pub fn is_empty(&self) -> bool {
        self.low == 0 && self.high.is_empty()
    }

    /// How many partitions it has.
    pub fn len(&self) -> usize {
        self.words().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether it has this one.
    pub fn contains(&self, partition: PartitionId) -> bool {
        self.word(partition.index() / 64) >> (partition.0 % 64) & 1 == 1
    }

    /// Adds a partition.
    pub fn insert(&mut self, partition: PartitionId) {
        let bit = 1 << (partition.0 % 64);
        match (partition.index() / 64).checked_sub(1) {
            None => self.low |= bit,
            Some(at) => {
                if self.high.len() <= at {
                    self.high.resize(at + 1, 0);
                }
                self.high[at] |= bit;
            }
        }
    }

    /// Takes a partition out.
    pub fn remove(&mut self, partition: PartitionId) {
        *self = self.minus(&Self::from_iter([partition]));
    }

    /// The partitions that are in at least one of the two.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a | b)
    }

    /// The partitions that are in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a & b)
    }

    /// The partitions that are not in `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a & !b)
    }

    /// The partitions, in order.
    pub fn iter(&self) -> impl Iterator<Item = PartitionId> {
        self.words().enumerate().flat_map(|(at, word)| {
            (0..64)
                .filter(move |bit| word >> bit & 1 == 1)
                .map(move |bit| PartitionId::at(at * 64 + bit))
        })
    }

    fn words(&self) -> impl Iterator<Item = u64> {
        std::iter::once(self.low).chain(self.high.iter().copied())
    }

    fn word(&self, at: usize) -> u64 {
        match at.checked_sub(1) {
            None => self.low,
            Some(at) => self.high.get(at).copied().unwrap_or(0),
        }
    }

    fn combine(&self, other: &Self, with: impl Fn(u64, u64) -> u64) -> Self {
        let words = self.high.len().max(other.high.len());
        let mut high: Vec<u64> = (1..=words)
            .map(|at| with(self.word(at), other.word(at)))
            .collect();
        while high.last() == Some(&0) {
            high.pop();
        }
        Self {
            low: with(self.low, other.low),
            high,
        }
    }
}

impl FromIterator<PartitionId> for PartitionSet {
    fn from_iter<I: IntoIterator<Item = PartitionId>>(partitions: I) -> Self {
        let mut set = Self::new();
        partitions.into_iter().for_each(|p| set.insert(p));
        set
    }
}

impl std::fmt::Debug for PartitionSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter().map(|p| p.0)).finish()
    }
}
