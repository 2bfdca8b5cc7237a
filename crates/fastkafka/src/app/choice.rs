//! The choices that are made between building an app and its start.

#[cfg(feature = "admin")]
use crate::admin::Admin;
use fastkafka_core::Connections;
use fastkafka_kafka::TopicNames;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::{Duration, SystemTime};

#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) broker: Option<String>,
    pub(super) workers: NonZeroUsize,
    pub(super) create_topics: bool,
    pub(super) from: Option<SystemTime>,
    /// Of the command line: it wins over the environment and the builder.
    #[cfg(feature = "admin")]
    pub(super) admin: Admin,
    /// The connections to the clusters, where they do not follow from the name of a broker.
    pub(super) connections: Option<Connections>,
    /// The names of topics and groups, by cluster.
    pub(super) names: BTreeMap<String, TopicNames>,
    /// The interval between commits of groups whose functions do not say.
    pub(super) commit_interval: Option<Duration>,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            broker: None,
            workers: NonZeroUsize::MIN,
            create_topics: false,
            from: None,
            #[cfg(feature = "admin")]
            admin: Admin::default(),
            connections: None,
            names: BTreeMap::new(),
            commit_interval: None,
        }
    }
}
