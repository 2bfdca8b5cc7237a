//! The parts of a plan: handlers in their groups, and outputs.

use crate::function::definition::{ConsumerDef, ProducerDef};
use crate::settings::{ConsumerSettings, ProducerSettings, Text};

/// A consumer with its effective settings.
#[derive(Clone, Debug)]
pub struct Handler {
    /// The function.
    pub def: &'static ConsumerDef,
    /// Its settings.
    pub settings: ConsumerSettings,
}

/// The handlers that share one consumer.
#[derive(Clone, Debug)]
pub struct Group {
    /// The cluster it reads from.
    pub cluster: Text,
    /// The group's id; without a group the name that stands for it in logs.
    pub id: String,
    /// There is no group: the one handler reads all partitions in every process, and nothing is
    /// committed.
    pub standalone: bool,
    /// Topics that its pattern leaves out: all dead-letter topics of the app.
    pub left_out: Vec<String>,
    /// The settings that reach the consumer: its handlers agree on them.
    pub settings: ConsumerSettings,
    /// Its handlers, one per topic.
    pub handlers: Vec<Handler>,
}

/// A producer with its effective settings.
#[derive(Clone, Debug)]
pub struct Output {
    /// The function.
    pub def: &'static ProducerDef,
    /// The cluster it writes to.
    pub cluster: Text,
    /// Its settings.
    pub settings: ProducerSettings,
}

/// A handler of a group, with its own settings and those for all consumers apart.
pub(super) struct Member {
    pub(super) handler: Handler,
    pub(super) own: ConsumerSettings,
    pub(super) all: ConsumerSettings,
}

impl Member {
    /// The settings that reach the consumer of these members. Handlers that set nothing follow those
    /// that do.
    pub(super) fn agreed(members: &[Self]) -> ConsumerSettings {
        let own = members.iter().map(|member| &member.own);
        let all = members.iter().map(|member| &member.all);
        own.chain(all)
            .fold(ConsumerSettings::default(), |agreed, settings| {
                agreed.over(&settings.of_client())
            })
    }
}
