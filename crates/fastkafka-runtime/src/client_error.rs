//! An error of a Kafka client as the runtime sees it: its name, its scope, and whether it passes.

use crate::transport::PartitionRef;

/// An error of the client that belongs to no single record.
///
/// The meaning of each code is in one table, `fastkafka-kafka`'s `error/table.rs`.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq, Hash)]
#[error("{message}")]
pub struct ClientError {
    /// librdkafka's name of the error, such as `TOPIC_AUTHORIZATION_FAILED`. A name that begins with `_` is
    /// the client's own; the others come from a broker.
    pub code: &'static str,
    /// The smallest thing that is wrong.
    pub scope: Scope,
    /// Whether waiting helps.
    pub lasting: Lasting,
    /// The partitions that the client names with the error; often none.
    pub places: Vec<PartitionRef>,
    /// In librdkafka's words.
    pub message: String,
}

/// The smallest thing that is wrong: nothing else has to stop for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One request; the client repeats it where that helps.
    Request,
    /// One record.
    Record,
    /// The records that are sent or read together.
    Batch,
    /// One partition.
    Partition,
    /// A topic.
    Topic,
    /// The group, or the consumer's membership of it.
    Member,
    /// The login: who the client is and what it may do on the cluster.
    Login,
    /// The cluster, or the way to it.
    Cluster,
    /// The client itself.
    Client,
}

/// Whether waiting helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lasting {
    /// It may be over when the client tries again, which it does.
    Passing,
    /// It stays until somebody acts.
    Permanent,
}

impl ClientError {
    /// An error that names no partition.
    pub fn new(
        code: &'static str,
        scope: Scope,
        lasting: Lasting,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code,
            scope,
            lasting,
            places: Vec::new(),
            message: message.into(),
        }
    }

    /// No broker can be reached, or the cluster moves: the client goes on trying.
    pub fn is_unreachable(&self) -> bool {
        self.scope == Scope::Cluster && self.lasting == Lasting::Passing
    }

    /// A broker has said so, and not the client by itself.
    pub fn is_of_broker(&self) -> bool {
        !self.code.starts_with('_')
    }

    /// Somebody has to act: a topic, a right, a login or a setting is wrong. The client goes on trying.
    pub fn is_refusal(&self) -> bool {
        self.lasting == Lasting::Permanent && self.scope >= Scope::Partition && !self.is_fatal()
    }

    /// The client cannot go on.
    pub fn is_fatal(&self) -> bool {
        self.lasting == Lasting::Permanent && self.scope == Scope::Client
    }

    /// The error with the partition that it concerns.
    #[must_use]
    pub fn at(mut self, place: PartitionRef) -> Self {
        self.places.push(place);
        self
    }
}
