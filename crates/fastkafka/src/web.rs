//! An axum server beside the app in one process.

use crate::app::App;
use crate::error::RunError;
use crate::signals::StopOnSignal;
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::Listener;
use fastkafka_core::{Problem, Problems, UnknownBroker};
use std::fmt::{Debug, Display};

impl App {
    /// Lets the app and a web server live and end together in one process: FastKafka's
    /// `fastapi_lifespan`. The broker is chosen as by [`App::set_kafka_broker`].
    ///
    /// Handlers of the server call `#[produces]` functions as any other code does.
    ///
    /// ```no_run
    /// use axum::Router;
    /// use axum::routing::post;
    /// use fastkafka::{App, ProduceError, produces};
    ///
    /// #[produces(topic = "orders")]
    /// async fn to_orders(order: String) -> Result<String, ProduceError> {
    ///     Ok(order)
    /// }
    ///
    /// /// Answers when the order is on the broker.
    /// async fn order(order: String) -> Result<&'static str, String> {
    ///     to_orders(order).await.map_err(|error| error.to_string())?;
    ///     Ok("ordered")
    /// }
    ///
    /// #[tokio::main]
    /// async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     let app = App::builder().title("Shop").build();
    ///     let router = Router::new()
    ///         .route("/orders", post(order))
    ///         .merge(app.axum_health());
    ///     let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    ///     app.axum_lifespan("embedded")?.serve(listener, router).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// When the app has no broker of that name.
    pub fn axum_lifespan(&self, broker: &str) -> Result<Lifespan, UnknownBroker> {
        self.set_kafka_broker(broker)?;
        Ok(Lifespan {
            app: self.clone(),
            signals: true,
        })
    }

    /// Routes for those who watch over the process, to be merged into a server's own.
    ///
    /// | | answers |
    /// |---|---|
    /// | `/healthz` | `200`: the process is there. It says nothing of Kafka, for which no restart helps |
    /// | `/readyz` | `200` when the app is started and [`Health::is_ready`](crate::health::Health::is_ready), else `503`; the text says what is wrong |
    pub fn axum_health<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let app = self.clone();
        Router::new()
            .route("/healthz", get(async || answer(StatusCode::OK, "alive")))
            .route("/readyz", get(async move || ready(&app)))
    }
}

fn ready(app: &App) -> Response {
    let health = app.health();
    if !health.is_ready() {
        answer(StatusCode::SERVICE_UNAVAILABLE, health)
    } else if app.is_started() {
        answer(StatusCode::OK, health)
    } else {
        answer(
            StatusCode::SERVICE_UNAVAILABLE,
            "not ready: the app is not started, or it stops",
        )
    }
}

fn answer(status: StatusCode, text: impl Display) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], format!("{text}\n")).into_response()
}

/// An app and a server that live and end together. See [`App::axum_lifespan`].
///
/// The app starts first; requests that come meanwhile wait. Both end at SIGINT, SIGTERM, SIGHUP,
/// [`App::shut_down`], when the app ends by itself, and when the server does:
///
/// 1. The server takes no more requests and answers those in hand. Handlers go on: a request may wait
///    for what they answer.
/// 2. The app stops as ever: records in hand are finished, what was produced is delivered, offsets are
///    committed. The stop hooks run.
///
/// All of it has the app's `shutdown_timeout`, of which the server may take half. A second signal ends
/// the process at once, with status 1. When both have ended, a signal ends the process as it would have without
/// them; see [`without_signals`](Self::without_signals).
///
/// A response that streams without end, such as server-sent events, has to end with
/// [`App::stopping`], or it keeps the server for its half.
#[derive(Debug)]
#[must_use = "nothing starts before `serve` or `run`"]
pub struct Lifespan {
    app: App,
    signals: bool,
}

impl Lifespan {
    /// Leaves the signals of the process to the program, which then calls [`App::shut_down`] itself.
    ///
    /// Without this they belong to the lifespan and, when that has ended, to nobody: a signal that comes later
    /// ends the process, also if the program listens to it.
    pub fn without_signals(mut self) -> Self {
        self.signals = false;
        self
    }

    /// Runs the app and an axum server with these routes.
    ///
    /// # Errors
    /// When the app does not start, ends by itself, or one of the two does not stop cleanly. Returned
    /// from `main` it is the process's last words, with status 1.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn serve<L>(self, listener: L, router: Router) -> Result<(), RunError>
    where
        L: Listener,
        L::Addr: Debug,
    {
        let server = axum::serve(listener, router).with_graceful_shutdown(self.app.stopping());
        self.run(server).await
    }

    /// Runs the app beside any server. It is polled from when the app is started, and has to end by
    /// itself when [`App::stopping`] does.
    ///
    /// ```no_run
    /// # async fn run(app: fastkafka::App, router: axum::Router) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::net::SocketAddr;
    ///
    /// let lifespan = app.axum_lifespan("localhost")?;
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    /// let router = router.into_make_service_with_connect_info::<SocketAddr>();
    /// let server = axum::serve(listener, router).with_graceful_shutdown(app.stopping());
    /// lifespan.run(server).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Lifespan::serve`]; also when the server fails.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn run<S, E>(self, server: S) -> Result<(), RunError>
    where
        S: IntoFuture<Output = Result<(), E>>,
        E: Display,
    {
        let signals = self.signals.then(|| StopOnSignal::new(&self.app));
        let _signals = signals.transpose().map_err(|error| {
            let what = format!("signals cannot be handled: {error}");
            RunError::Start(Problems(vec![Problem::Broker(what)]))
        })?;
        self.app.run_beside(server.into_future()).await
    }
}
