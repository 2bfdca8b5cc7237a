//! The settings of consumers and producers as one thing: precedence is the same for both.

use crate::settings::{
    Brokers, Connection, ConsumerSettings, GroupProtocol, Order, ProducerSettings, Properties,
};

/// The settings of a consumer or of a producer.
pub(crate) trait Table: Clone + Default {
    /// Every key with its default.
    const KEYS: &'static [(&'static str, &'static str)];

    /// The settings that are set, as text; secrets are masked.
    fn shown(&self) -> Vec<(&'static str, String)>;

    /// These settings, and those of `below` where these have none.
    fn over(self, below: &Self) -> Self;

    /// What is wrong with the values.
    fn wrong(&self) -> Vec<String>;

    /// Sets a key from text.
    fn set(&mut self, key: &str, text: &str) -> Result<(), String>;

    /// The properties of `config`.
    fn properties(&mut self) -> &mut Option<Properties>;

    /// Removes settings for all that have no meaning beside those of a function; `cluster` is the app's
    /// own.
    fn fit(&mut self, own: &Self, cluster: &str);
}

macro_rules! table {
    ($name:ident, $fit:path) => {
        impl Table for $name {
            const KEYS: &'static [(&'static str, &'static str)] = $name::KEYS;

            fn shown(&self) -> Vec<(&'static str, String)> {
                $name::shown(self)
            }

            fn over(self, below: &Self) -> Self {
                $name::over(self, below)
            }

            fn wrong(&self) -> Vec<String> {
                $name::wrong(self)
            }

            fn set(&mut self, key: &str, text: &str) -> Result<(), String> {
                $name::set(self, key, text)
            }

            fn properties(&mut self) -> &mut Option<Properties> {
                &mut self.config
            }

            fn fit(&mut self, own: &Self, cluster: &str) {
                $fit(self, own, cluster);
            }
        }
    };
}
table!(ConsumerSettings, fit_consumer);
table!(ProducerSettings, fit_producer);

/// The function names a cluster that is not the app's own, which is reached by what its brokers say.
fn is_elsewhere(brokers: Option<&Brokers>, cluster: &str) -> bool {
    brokers.is_some_and(|brokers| brokers.name() != cluster)
}

/// Of two keys that exclude each other, the function's counts.
fn fit_consumer(all: &mut ConsumerSettings, own: &ConsumerSettings, cluster: &str) {
    if is_elsewhere(own.brokers.as_ref(), cluster) {
        *all = std::mem::take(all).reached_by(Connection::default());
    }
    if own.bootstrap_servers.is_some() {
        all.brokers = None;
    }
    if own.on_failure.is_some() {
        all.dead_letter = None;
    }
    if own.dead_letter.is_some() {
        all.on_failure = None;
    }
    if own.order.is_some() {
        all.executor = None;
    }
    if own.executor.is_some() {
        all.order = None;
    }
    let both = own.clone().over(all);
    if both.effective_order() == Order::Partition {
        all.concurrency = None;
    } else {
        all.max_poll_records = None;
    }
    if both.group_protocol == Some(GroupProtocol::Consumer) {
        all.session_timeout_ms = None;
        all.heartbeat_interval_ms = None;
        all.partition_assignment_strategy = None;
    }
}

fn fit_producer(all: &mut ProducerSettings, own: &ProducerSettings, cluster: &str) {
    if is_elsewhere(own.brokers.as_ref(), cluster) {
        *all = std::mem::take(all).reached_by(Connection::default());
    }
    if own.bootstrap_servers.is_some() {
        all.brokers = None;
    }
    if own.acks.is_some() {
        all.enable_idempotence = None;
    }
    if own.enable_idempotence.is_some() {
        all.acks = None;
    }
}
