//! What the routes are answered from.

use super::access::Access;
use super::recorder::Recorder;
use super::settings::Opened;
use super::source::Source;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// So many listen to events at once.
pub(crate) const LISTENERS: usize = 16;

/// An app, and who may see what of it.
pub(crate) struct Site {
    pub(super) source: Arc<dyn Source>,
    pub(super) access: Access,
    /// `None` where another recorder has what is counted.
    pub(super) recorder: Option<&'static Recorder>,
    /// One for each who listens to events.
    pub(super) listeners: Arc<Semaphore>,
    /// Events end when the app stops, not when it has stopped: a server waits for them.
    pub(super) ends_early: bool,
}

impl Site {
    pub(crate) fn new(
        source: Arc<dyn Source>,
        opened: &Opened,
        recorder: Option<&'static Recorder>,
    ) -> Self {
        Self {
            source,
            access: Access::new(opened.hosts.clone(), opened.token.clone()),
            recorder,
            listeners: Arc::new(Semaphore::new(LISTENERS)),
            ends_early: false,
        }
    }
}
