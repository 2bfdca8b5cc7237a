//! The partitions that a command acts on.

use crate::health::StoppedPartition;
use fastkafka_core::{Consumer, ConsumerDef, TopicPartition};
use std::fmt;

/// The partitions that a [`Handle`](super::handle::Handle) acts on: those of a topic, one of them, or those
/// of a handler.
///
/// A topic's name is one, and so are a name with a number and what health says of a partition that
/// stands still. Where several groups of the app read the topic it means all of them, until
/// [`Target::group`] names one.
///
/// ```
/// # use fastkafka_runtime::Target;
/// assert_eq!(Target::from("orders"), Target::topic("orders"));
/// assert_eq!(Target::from(("orders", 3)), Target::topic("orders").partition(3));
/// assert_eq!(Target::from(("orders", 3)).group("billing").to_string(), "orders[3] in group `billing`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub(super) topic: String,
    pub(super) partition: Option<i32>,
    cluster: Option<Box<str>>,
    group: Option<Box<str>>,
    /// `module::name`.
    handler: Option<Box<str>>,
}

impl Target {
    /// All partitions of a topic.
    pub fn topic(topic: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            partition: None,
            cluster: None,
            group: None,
            handler: None,
        }
    }

    /// The partitions that a handler reads: `Target::consumer::<on_orders>()`.
    pub fn consumer<C: Consumer>() -> Self {
        Self {
            handler: Some(C::DEF.path().into()),
            ..Self::topic(C::DEF.topic)
        }
    }

    /// One partition of it.
    #[must_use]
    pub fn partition(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }

    /// Only in this group, where several groups of the app read the topic.
    #[must_use]
    pub fn group(mut self, id: impl Into<String>) -> Self {
        self.group = Some(id.into().into());
        self
    }

    /// Only on this cluster, where the app reads the topic on several.
    #[must_use]
    pub fn cluster(mut self, name: impl Into<String>) -> Self {
        self.cluster = Some(name.into().into());
        self
    }

    pub(super) fn names(&self, def: &ConsumerDef) -> bool {
        let handler = self.handler.as_ref();
        def.takes(&self.topic) && handler.is_none_or(|path| **path == *def.path())
    }

    pub(super) fn names_group(&self, cluster: &str, id: &str) -> bool {
        let is = |said: &Option<Box<str>>, name| said.as_deref().is_none_or(|said| said == name);
        is(&self.cluster, cluster) && is(&self.group, id)
    }

    pub(crate) fn covers(&self, place: &TopicPartition) -> bool {
        self.topic == place.topic && self.partition.is_none_or(|one| one == place.partition)
    }
}

impl From<&str> for Target {
    fn from(topic: &str) -> Self {
        Self::topic(topic)
    }
}

impl From<String> for Target {
    fn from(topic: String) -> Self {
        Self::topic(topic)
    }
}

impl<T: Into<String>> From<(T, i32)> for Target {
    fn from((topic, partition): (T, i32)) -> Self {
        Self::topic(topic).partition(partition)
    }
}

impl From<&StoppedPartition> for Target {
    fn from(stopped: &StoppedPartition) -> Self {
        let target = Self::topic(&*stopped.topic).partition(stopped.partition);
        target.cluster(&*stopped.cluster)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.partition {
            None => write!(f, "`{}`", self.topic)?,
            Some(partition) => write!(f, "{}[{partition}]", self.topic)?,
        }
        if let Some(cluster) = self
            .cluster
            .as_deref()
            .filter(|cluster| !cluster.is_empty())
        {
            write!(f, " on `{cluster}`")?;
        }
        if let Some(handler) = &self.handler {
            write!(f, " of `{handler}`")?;
        }
        if let Some(group) = &self.group {
            write!(f, " in group `{group}`")?;
        }
        Ok(())
    }
}
