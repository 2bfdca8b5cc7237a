//! Declared topics.

use fastkafka_kafka::TopicSpec;

/// The partitions, replicas and settings of a topic that `run --create-topics` or the embedded broker makes.
///
/// ```
/// # use fastkafka::{App, Topic};
/// let app = App::builder().topic("flights", Topic::new().partitions(6).replicas(3)).build();
/// # let _ = app;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topic {
    partitions: Option<u16>,
    replicas: Option<u16>,
    configs: Vec<(String, String)>,
}

impl Topic {
    /// A topic as the broker makes it by default.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of partitions.
    #[must_use]
    pub fn partitions(mut self, partitions: u16) -> Self {
        self.partitions = Some(partitions);
        self
    }

    /// The number of copies of each record.
    #[must_use]
    pub fn replicas(mut self, replicas: u16) -> Self {
        self.replicas = Some(replicas);
        self
    }

    /// A setting of the topic, such as `cleanup.policy`.
    #[must_use]
    pub fn config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.configs.push((key.into(), value.into()));
        self
    }

    #[cfg(feature = "docs")]
    pub(crate) fn declaration(&self) -> fastkafka_asyncapi::TopicDeclaration {
        fastkafka_asyncapi::TopicDeclaration {
            partitions: self.partitions.map(u32::from),
            replicas: self.replicas.map(u32::from),
            configs: self.configs.clone(),
        }
    }

    pub(crate) fn spec(&self, name: &str) -> TopicSpec {
        let mut spec = TopicSpec::new(name);
        spec.partitions = self.partitions.map(i32::from);
        spec.replicas = self.replicas.map(i32::from);
        spec.configs.clone_from(&self.configs);
        spec
    }
}
