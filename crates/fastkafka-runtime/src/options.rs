//! How an app runs, beside what its functions say.

use crate::control::Handle;
use fastkafka_core::{Connection, Connections};
use std::num::NonZeroUsize;
use std::time::{Duration, SystemTime};

/// How an app runs, beside what its functions say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// How the app's clusters are reached.
    pub connections: Connections,
    /// What the clients call themselves.
    pub client_id: String,
    /// Consumers per group in this process.
    pub workers: NonZeroUsize,
    /// How long the start may take.
    pub start_timeout: Duration,
    /// How long the stop may take.
    pub shutdown_timeout: Duration,
    /// Records sent and not yet reported at which producers wait.
    pub max_in_flight: usize,
    /// Where the groups begin at this start, whatever they have committed.
    pub from: Option<SystemTime>,
    /// Is connected to the app once that is started.
    pub handle: Handle,
    /// For tests: what the names of topics and groups end with on the cluster.
    #[doc(hidden)]
    pub suffix: String,
}

impl Options {
    /// The defaults on this cluster: one worker, 30 s to start, 25 s to stop, 30,000 in flight.
    pub fn new(bootstrap: impl Into<String>) -> Self {
        Self {
            connections: Connections::new(
                Connection::default().bootstrap_servers(bootstrap.into()),
            ),
            client_id: "fastkafka".to_owned(),
            workers: NonZeroUsize::MIN,
            start_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(25),
            max_in_flight: 30_000,
            from: None,
            handle: Handle::default(),
            suffix: String::new(),
        }
    }
}
