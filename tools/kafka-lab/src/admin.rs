//! Topics and groups, through Kafka's own admin client.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use crate::{Kafka, LabError};

/// A consumer group as its coordinator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Group {
    /// Kafka's name of the state: `Stable`, `PreparingRebalance`, `CompletingRebalance`, `Assigning`,
    /// `Reconciling`, `Empty`, or `Dead`, which is also a group that nobody has heard of.
    pub state: String,
    /// Who is in it.
    pub members: Vec<Member>,
}

/// A member of a [`Group`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Member {
    /// Its `client.id`.
    pub client_id: String,
    /// The topics and partitions it has.
    pub assigned: Vec<(String, i32)>,
}

/// Each call returns once the broker shows the change: [`LabError::Refused`] after 60 s, or when Kafka refuses.
impl Kafka {
    /// Creates a topic with topic configs such as `("cleanup.policy", "compact")`.
    ///
    /// # Errors
    ///
    /// It exists, or Kafka refuses a config.
    pub fn create_topic(
        &self,
        topic: &str,
        partitions: i32,
        configs: &[(&str, &str)],
    ) -> Result<(), LabError> {
        let configs: BTreeMap<_, _> = configs.iter().copied().collect();
        self.helper().request(&json!({
            "do": "create_topic", "topic": topic, "partitions": partitions, "configs": configs,
        }))
    }

    /// Deletes a topic and its records.
    ///
    /// # Errors
    ///
    /// It does not exist.
    pub fn delete_topic(&self, topic: &str) -> Result<(), LabError> {
        self.helper()
            .request(&json!({"do": "delete_topic", "topic": topic}))
    }

    /// Lets a topic grow to `total` partitions.
    ///
    /// # Errors
    ///
    /// It does not exist, or has that many already.
    pub fn add_partitions(&self, topic: &str, total: i32) -> Result<(), LabError> {
        self.helper()
            .request(&json!({"do": "add_partitions", "topic": topic, "total": total}))
    }

    /// Sets one config of a topic.
    ///
    /// # Errors
    ///
    /// The topic does not exist, or Kafka refuses the value.
    pub fn alter_topic_config(&self, topic: &str, key: &str, value: &str) -> Result<(), LabError> {
        self.helper().request(&json!({
            "do": "alter_topic_config", "topic": topic, "key": key, "value": value,
        }))
    }

    /// Moves the log start of a partition to `before`, as retention does.
    ///
    /// # Errors
    ///
    /// The partition does not exist, or ends below `before`.
    pub fn delete_records(&self, topic: &str, partition: i32, before: i64) -> Result<(), LabError> {
        self.helper().request(&json!({
            "do": "delete_records", "topic": topic, "partition": partition, "before": before,
        }))
    }

    /// The offset that the next record of each partition gets.
    ///
    /// # Errors
    ///
    /// The topic does not exist.
    pub fn end_offsets(&self, topic: &str) -> Result<BTreeMap<i32, i64>, LabError> {
        self.helper()
            .request(&json!({"do": "end_offsets", "topic": topic}))
    }

    /// What `group` has committed for the partitions of `topic`; a partition without a commit is absent.
    ///
    /// # Errors
    ///
    /// The broker does not answer.
    pub fn committed(&self, group: &str, topic: &str) -> Result<BTreeMap<i32, i64>, LabError> {
        self.helper()
            .request(&json!({"do": "committed", "group": group, "topic": topic}))
    }

    /// Commits `offset` for a partition on behalf of a group without members.
    ///
    /// # Errors
    ///
    /// The group has members.
    pub fn commit(
        &self,
        group: &str,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> Result<(), LabError> {
        self.helper().request(&json!({
            "do": "commit", "group": group, "topic": topic, "partition": partition, "offset": offset,
        }))
    }

    /// The state and members of a consumer group.
    ///
    /// # Errors
    ///
    /// The broker does not answer.
    pub fn group(&self, group: &str) -> Result<Group, LabError> {
        self.helper()
            .request(&json!({"do": "group", "group": group}))
    }

    /// Takes all rights on `group` but to look at it: nobody may join, stay or commit. Needs [`Builder::authorized`](crate::Builder::authorized).
    ///
    /// # Errors
    ///
    /// The broker does not check rights.
    pub fn deny_group(&self, group: &str) -> Result<(), LabError> {
        self.helper()
            .request(&json!({"do": "deny_group", "group": group}))
    }

    /// Takes the right to write to `topic` from everybody: it may be read, and is known. Needs
    /// [`Builder::authorized`](crate::Builder::authorized).
    ///
    /// # Errors
    ///
    /// The broker does not check rights.
    pub fn deny_writes(&self, topic: &str) -> Result<(), LabError> {
        self.helper()
            .request(&json!({"do": "deny_writes", "topic": topic}))
    }

    /// Gives the right of [`deny_group`](Self::deny_group) back.
    ///
    /// # Errors
    ///
    /// The broker does not check rights.
    pub fn allow_group(&self, group: &str) -> Result<(), LabError> {
        self.helper()
            .request(&json!({"do": "allow_group", "group": group}))
    }
}
