//! The leader epochs of partitions in a list, which rdkafka does not wrap.

use rdkafka::TopicPartitionList;
use rdkafka::bindings as rd;
use std::slice;

/// Gives each partition of the list its leader epoch, in their order. `None` is not known.
pub(crate) fn set_leader_epochs(
    list: &mut TopicPartitionList,
    epochs: impl IntoIterator<Item = Option<i32>>,
) {
    for (at, epoch) in (0..list.count()).zip(epochs) {
        // SAFETY: a valid list of `count` elements, borrowed alone, and an element of it.
        unsafe {
            let element = (*list.ptr()).elems.add(at);
            rd::rd_kafka_topic_partition_set_leader_epoch(element, epoch.unwrap_or(-1));
        }
    }
}

/// The leader epoch of each partition of the list.
pub(crate) fn leader_epochs(list: &TopicPartitionList) -> Vec<Option<i32>> {
    if list.count() == 0 {
        return Vec::new();
    }
    // SAFETY: a valid list of `count` elements, borrowed; the elements are not null when there are some.
    unsafe {
        slice::from_raw_parts((*list.ptr()).elems, list.count())
            .iter()
            .map(|element| known(rd::rd_kafka_topic_partition_get_leader_epoch(element)))
            .collect()
    }
}

/// librdkafka's -1 is an epoch that is not known.
pub(super) fn known(epoch: i32) -> Option<i32> {
    (epoch >= 0).then_some(epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_of_a_list_has_its_epoch_or_none() {
        let mut list = TopicPartitionList::new();
        assert_eq!(leader_epochs(&list), []);
        for partition in 0..3 {
            list.add_partition("orders", partition);
        }
        assert_eq!(leader_epochs(&list), [None; 3]);
        set_leader_epochs(&mut list, [Some(0), None, Some(7)]);
        assert_eq!(leader_epochs(&list), [Some(0), None, Some(7)]);
        assert_eq!(leader_epochs(&list.clone()), [Some(0), None, Some(7)]);
    }
}
