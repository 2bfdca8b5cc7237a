//! The app as its admin listener sees it, and when that is there.

use super::App;
use super::asking::{Asking, ROUND};
use super::begin::problem;
use crate::admin::listener::Listener;
use crate::admin::source::{Contract, Source};
use crate::admin::{Admin, Site, recorder};
use crate::error::RunError;
use crate::hook::LEAST;
use crate::lock::lock;
use fastkafka_core::Problem;
use fastkafka_runtime::AppState;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::time::Instant;

/// No handle of a user: the app must see when the last one is dropped.
struct Watched(App);

impl Source for Watched {
    fn state(&self) -> AppState {
        self.0.snapshot()
    }

    fn without_groups(&self) -> AppState {
        self.0.in_groups(BTreeMap::new())
    }

    fn has_ended(&self) -> bool {
        self.0.has_ended()
    }

    #[cfg(feature = "docs")]
    fn contract(&self, form: Contract) -> Option<String> {
        let document = self.0.asyncapi();
        Some(match form {
            Contract::Json => document.to_json(),
            Contract::Yaml => document.to_yaml(),
        })
    }

    #[cfg(not(feature = "docs"))]
    fn contract(&self, _: Contract) -> Option<String> {
        None
    }
}

impl App {
    /// Sets the admin listener for the start, as the command line does: it wins over the environment and the builder.
    pub fn set_admin(&self, admin: impl Into<Admin>) {
        self.choice().admin = admin.into();
    }

    /// Where the [admin listener](crate::admin) listens, from the start of the app until it has stopped.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        let listener = lock(&self.inner.life.admin);
        listener.as_ref().map(|(listener, _)| listener.address)
    }

    /// All that is set of it.
    pub(crate) fn admin(&self) -> Admin {
        let choice = self.choice().admin.clone();
        choice.or(self.inner.admin.clone())
    }

    pub(crate) fn watched(&self) -> Arc<dyn Source> {
        Arc::new(Watched(App::new(self.inner.clone())))
    }

    /// What is wrong with it, a problem each.
    pub(super) fn wrong_admin(admin: &Admin) -> Vec<Problem> {
        let wrong = admin.read().err().unwrap_or_default();
        wrong.into_iter().map(Problem::Outside).collect()
    }

    /// Opens the listener, if an address is set.
    pub(super) fn open_admin(&self) -> Result<(), RunError> {
        let opened = self.admin().read();
        let opened = opened.map_err(|wrong| problem(wrong.join("; ")))?;
        let Some(address) = opened.address else {
            if opened.token.is_some() || !opened.hosts.is_empty() {
                tracing::warn!(
                    "the admin listener has hosts or a token and no address, so it is not opened: say `--admin 127.0.0.1:9000`, `FASTKAFKA_ADMIN` or `AppBuilder::admin`"
                );
            }
            return Ok(());
        };
        // Before anything is counted.
        let site = Site::new(self.watched(), &opened, recorder::ours());
        let listener = Listener::open(address, site).map_err(|error| {
            problem(format_args!(
                "the admin listener cannot listen on {address}: {error}"
            ))
        })?;
        let app = App::new(self.inner.clone());
        let ask = move |goes_on: &(dyn Fn() -> bool + Sync)| {
            if let Some(runtime) = app.inner.life.runtime.get() {
                runtime.ask_for_ends(goes_on);
            }
        };
        let asking = Asking::begin(ROUND, ask);
        let asking = asking.map_err(|error| {
            problem(format_args!(
                "there is no thread for the admin listener: {error}"
            ))
        })?;
        tracing::info!("admin listener on http://{}/", listener.address);
        *lock(&self.inner.life.admin) = Some((listener, asking));
        Ok(())
    }

    /// Its clients end with those of the app.
    pub(super) fn end_asking(&self) {
        if let Some((_, asking)) = &mut *lock(&self.inner.life.admin) {
            asking.end();
        }
    }

    /// The last to end: a probe can tell an app that stops from one that is gone.
    pub(super) async fn close_admin(&self, deadline: Instant) {
        let opened = lock(&self.inner.life.admin).take();
        if let Some((listener, asking)) = opened {
            asking.close(deadline.max(Instant::now() + LEAST)).await;
            drop(listener);
        }
    }
}
