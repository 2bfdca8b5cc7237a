//! The same routes for a server of one's own.

use super::answer::answer;
use super::recorder;
use super::settings::Opened;
use super::site::Site;
use crate::app::App;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use std::sync::Arc;

impl App {
    /// The routes of the [admin listener](crate::admin), to be nested into an axum server: `/healthz`, `/readyz`,
    /// `/metrics`, `/asyncapi`, `/asyncapi.yaml`, `/api/state` and `/api/events`. Names by which the server is
    /// asked have to be listed ([`Admin::host`](crate::admin::Admin::host)).
    ///
    /// Call it before the app starts: what is counted before is not in `/metrics`, where the process has no recorder
    /// of its own.
    ///
    /// ```no_run
    /// use axum::Router;
    /// use fastkafka::App;
    ///
    /// fn routes(app: &App) -> Router {
    ///     Router::new().nest("/admin", app.admin_router())
    /// }
    /// # let _ = routes;
    /// ```
    ///
    /// An app whose settings of the admin listener are wrong does not start; until then the token is not known, and
    /// nobody sees errors.
    pub fn admin_router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let opened = self.admin().read().unwrap_or(Opened {
            address: None,
            hosts: Vec::new(),
            token: None,
        });
        let mut site = Site::new(self.watched(), &opened, recorder::ours());
        site.ends_early = true;
        let site = Arc::new(site);
        Router::new()
            .fallback(async move |request: Request| answer(&site, &request, ()).map(Body::new))
    }
}
