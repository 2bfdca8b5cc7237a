//! What a test kit needs of an app, and nobody else: hidden from the documentation.

use super::App;
use crate::error::RunError;
use fastkafka_core::{AppCore, Plan};
use fastkafka_runtime::medium::{Medium, Offsets};
use fastkafka_runtime::{Options, Runtime, TopicSpec};
use std::sync::Arc;

impl App {
    /// Starts on something else than Kafka. Its topics are there.
    ///
    /// # Errors
    /// As [`App::start`].
    #[doc(hidden)]
    pub async fn start_on(&self, medium: Arc<dyn Medium>) -> Result<(), RunError> {
        self.start_with(|| Plan::of(&self.inner.core), Some(medium))
            .await
    }

    /// Ends as a crash of the process would, without the stop hooks.
    #[doc(hidden)]
    pub async fn kill(&self) {
        self.shut_down();
        if let Some(runtime) = self.inner.life.runtime.get() {
            runtime.kill().await;
        }
    }

    /// The names of topics and groups end with `suffix` on the cluster.
    #[doc(hidden)]
    pub fn run_as_test(&self, suffix: &str, embedded: bool) {
        self.choice().test = Some((suffix.to_owned(), embedded));
    }

    /// How the app will start on the broker in use, unless that is the embedded one.
    #[doc(hidden)]
    pub fn options(&self) -> Option<Options> {
        let choice = self.choice().clone();
        let connections = self.inner.connections(&self.sketch().clusters, &choice);
        let connections = connections.ok().filter(|c| !c.embedded)?;
        Some(self.inner.options(connections, &choice))
    }

    /// Why the app has to end, once that is so.
    #[doc(hidden)]
    pub fn failure(&self) -> Option<String> {
        self.inner.life.runtime.get().and_then(Runtime::failure)
    }

    /// Of each consumer without a group, below which offsets all is settled.
    #[doc(hidden)]
    pub fn settled(&self) -> Vec<(String, Offsets)> {
        let runtime = self.inner.life.runtime.get();
        runtime.map(Runtime::settled).unwrap_or_default()
    }

    /// The app as core sees it.
    #[doc(hidden)]
    pub fn core(&self) -> &Arc<AppCore> {
        &self.inner.core
    }

    /// What the app reads, writes or declares.
    #[doc(hidden)]
    pub fn topics(&self) -> Vec<TopicSpec> {
        self.inner.specs(&Plan::sketch(&self.inner.core).0)
    }
}
