//! What the cluster knows, and what goes wrong with it.

use crate::broker::ProduceFault;
use crate::function::Function;
use crate::journal::TopicRecord;
use crate::tester::{Backend, Tester};
use fastkafka_core::Consumer;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

impl Tester {
    /// Everything that reached a topic so far, in the order of arrival; what retention has deleted
    /// since is still listed.
    pub fn records(&self, topic: &str) -> Vec<Arc<TopicRecord>> {
        self.journal().records(topic)
    }

    /// What a group has committed in a topic: by partition the offset that it reads next. Partitions
    /// without a commit are absent.
    ///
    /// # Panics
    /// When there is no such group or topic.
    #[track_caller]
    pub fn committed(&self, group: &str, topic: &str) -> BTreeMap<i32, i64> {
        if let Backend::Kafka(remote) = &self.backend {
            let committed = remote.committed(group, topic);
            let committed = committed.unwrap_or_else(|error| panic!("{error}"));
            let committed = committed.into_iter();
            return committed
                .map(|((_, index), offset)| (index, offset))
                .collect();
        }
        let state = self.broker().state();
        let group = state.find_group(group);
        let partitions = state.find_topic(topic).iter();
        partitions
            .filter_map(|&partition| {
                let committed = state.cluster.committed(group, partition)?;
                Some((state.cluster.place(partition).1, committed.offset))
            })
            .collect()
    }

    /// How many offsets a group is behind in a topic, over all partitions.
    ///
    /// # Panics
    /// When there is no such group or topic.
    #[track_caller]
    pub fn lag(&self, group: &str, topic: &str) -> i64 {
        if let Backend::Kafka(remote) = &self.backend {
            let committed = self.committed(group, topic);
            let ends = remote.ends().unwrap_or_else(|error| panic!("{error}"));
            let ends = ends.into_iter().filter(|((of, _), _)| of == topic);
            let lag = ends.map(|((_, index), end)| end - committed.get(&index).unwrap_or(&0));
            return lag.sum();
        }
        let state = self.broker().state();
        let group = state.find_group(group);
        let partitions = state.find_topic(topic).iter();
        let lag = |&partition| {
            let log = state.cluster.log(partition);
            let (low, high) = log.map_or((0, 0), |log| (log.low(), log.high()));
            let committed = state.cluster.committed(group, partition);
            high - committed.map_or(low, |committed| committed.offset)
        };
        partitions.map(lag).sum()
    }

    /// How many members a group has.
    ///
    /// # Panics
    /// When there is no such group.
    #[track_caller]
    pub fn members(&self, group: &str) -> usize {
        let state = self.broker().state();
        let group = state.find_group(group);
        state.cluster.group(group).members().count()
    }

    /// Retention: the records of a partition before `offset` are gone. A consumer that has not read them
    /// yet goes on by its `auto_offset_reset`.
    ///
    /// # Panics
    /// When there is no such partition.
    #[track_caller]
    pub fn delete_records(&self, topic: &str, partition: i32, offset: i64) {
        let mut state = self.broker().state();
        let Some(partition) = state.partition(topic, partition) else {
            panic!("there is no partition {topic}[{partition}]");
        };
        state.cluster.delete_before(partition, offset);
        state.ring_all();
    }

    /// A topic that was not there appears. Handlers whose `pattern` it matches find it, as on Kafka
    /// after `metadata_max_age_ms`: where they begin in it is said by `auto_offset_reset`, and with
    /// `"latest"` what is sent before they have it is not read. [`Tester::settle`] waits until they
    /// have it.
    ///
    /// # Panics
    /// When there is such a topic.
    #[track_caller]
    pub fn create_topic(&self, topic: &str, partitions: usize) {
        let mut state = self.broker().state();
        assert!(
            !state.exists(topic),
            "there is a topic `{topic}`: `grow_topic` gives it more partitions"
        );
        state.create_topic(topic, partitions);
    }

    /// The topic gets more partitions, and the groups that read it notice.
    ///
    /// # Panics
    /// When there is no such topic.
    #[track_caller]
    pub fn grow_topic(&self, topic: &str, partitions: usize) {
        let mut state = self.broker().state();
        state.find_topic(topic);
        state.create_topic(topic, partitions);
    }

    /// What becomes of the next record that an app sends to a topic. Several calls are for several
    /// records.
    pub fn fail_next_produce(&self, topic: &str, fault: ProduceFault) {
        self.broker().fail_next(topic, fault);
    }

    /// The next record of a topic arrives with a payload that no codec reads.
    pub fn corrupt_next(&self, topic: &str) {
        self.broker().damage_next(topic);
    }

    /// From here on each call of the handler takes so long, of the test's time, before its function is
    /// called: for time limits, rebalances and crashes in the midst of a call.
    pub fn slow<C: Consumer>(&self, time: Duration) {
        self.watcher().slow(Function::consumer::<C>(), time);
    }

    /// No broker answers from here on: nothing is read, sent or committed. Records that the app sends
    /// wait for their `delivery_timeout_ms`.
    pub fn broker_down(&self) {
        self.broker().set_down(true);
    }

    /// The broker is back.
    pub fn broker_up(&self) {
        self.broker().set_down(false);
    }

    /// No commit arrives from here on, as if the process ended before the next one: what is handled now
    /// is handled again after a crash or a rebalance. [`Tester::settle`] then waits until records are
    /// handled.
    pub fn lose_commits(&self) {
        self.broker().lose_commits(true);
    }

    /// Commits arrive again.
    pub fn restore_commits(&self) {
        self.broker().lose_commits(false);
    }
}
