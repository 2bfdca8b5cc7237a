//! Where a topic is: one name may be there on several clusters, each a channel with servers of its own.

use crate::model::{Channel, Document, Operation, Ref};

pub(super) struct Place<'a> {
    pub(super) topic: &'a str,
    /// None: all of the document.
    pub(super) servers: Vec<&'a str>,
}

impl<'a> Place<'a> {
    pub(super) fn new(document: &'a Document, operation: &'a Operation) -> Self {
        let key = operation.channel.name();
        match document.channels.get(key) {
            Some(channel) => Self::of_channel(key, channel),
            None => Self {
                topic: key,
                servers: Vec::new(),
            },
        }
    }

    pub(super) fn of_channel(key: &'a str, channel: &'a Channel) -> Self {
        Self {
            topic: topic(key, channel),
            servers: channel.servers.iter().map(Ref::name).collect(),
        }
    }

    /// One server in common is enough to be the same cluster.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.topic == other.topic
            && (self.servers.is_empty()
                || other.servers.is_empty()
                || self
                    .servers
                    .iter()
                    .any(|server| other.servers.contains(server)))
    }
}

/// The topic of a channel or, where several channels have one of that name, the channel.
pub(super) fn title<'a>(document: &'a Document, key: &'a str) -> &'a str {
    let Some(channel) = document.channels.get(key) else {
        return key;
    };
    let topic = topic(key, channel);
    let of_the_name = document
        .channels
        .iter()
        .filter(|(key, channel)| self::topic(key, channel) == topic);
    match of_the_name.count() {
        1 => topic,
        _ => key,
    }
}

fn topic<'a>(key: &'a str, channel: &'a Channel) -> &'a str {
    channel.topic().unwrap_or(key)
}
