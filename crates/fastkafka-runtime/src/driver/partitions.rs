//! The partitions of a driver, under the numbers that the engine knows them by.

use super::partition::OwnedPartition;
use crate::transport::PartitionRef;
use fastkafka_engine::PartIndex;
use std::collections::HashMap;
use std::ops::{Index, IndexMut};

/// All partitions that were ever assigned: a number is never given to another.
#[derive(Debug, Default)]
pub(crate) struct Partitions {
    list: Vec<OwnedPartition>,
    /// By the address: equal places are the same reference.
    numbers: HashMap<usize, PartIndex>,
}

impl Partitions {
    pub(crate) fn find(&self, place: PartitionRef) -> Option<PartIndex> {
        self.numbers.get(&address(place)).copied()
    }

    /// Adds a partition under the number that the engine has given to it.
    pub(crate) fn add(&mut self, part: PartIndex, partition: OwnedPartition) {
        debug_assert_eq!(part.0 as usize, self.list.len());
        self.numbers.insert(address(partition.place), part);
        self.list.push(partition);
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, OwnedPartition> {
        self.list.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, OwnedPartition> {
        self.list.iter_mut()
    }

    /// A handler is at work, be it for a former assignment.
    pub(crate) fn are_at_work(&self) -> bool {
        self.list.iter().any(|p| !p.in_hand().is_empty())
    }

    /// The numbers of all. They stay true while partitions are changed.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = PartIndex> + Clone + use<> {
        (0..).map(PartIndex).take(self.list.len())
    }

    pub(crate) fn numbered(&self) -> impl Iterator<Item = (PartIndex, &OwnedPartition)> {
        self.numbers().zip(&self.list)
    }
}

fn address(place: PartitionRef) -> usize {
    std::ptr::from_ref(place).addr()
}

impl Index<PartIndex> for Partitions {
    type Output = OwnedPartition;

    fn index(&self, part: PartIndex) -> &OwnedPartition {
        &self.list[part.0 as usize]
    }
}

impl IndexMut<PartIndex> for Partitions {
    fn index_mut(&mut self, part: PartIndex) -> &mut OwnedPartition {
        &mut self.list[part.0 as usize]
    }
}
