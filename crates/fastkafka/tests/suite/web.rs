//! An app and an axum server in one process, on the embedded broker: how they end, and what they say.

use axum::Router;
use axum::extract::State as Extension;
use axum::http::StatusCode;
use axum::routing::{get, post};
use fastkafka::error::RunError;
use fastkafka::settings::OnFailure;
use fastkafka::{App, Broker, ProduceError, State, Topic, consumes, produces};
use std::future::{pending, ready};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

/// Has the broker, and sees what was done.
struct Host;

#[produces(app = Host, topic = "orders")]
async fn to_first(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

#[produces(app = Host, topic = "done")]
async fn to_last(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

#[consumes(app = Host, topic = "done", auto_offset_reset = "earliest")]
async fn on_done(order: u64, State(seen): State<UnboundedSender<u64>>) {
    let _ = seen.send(order);
}

struct Shop;

/// Where requests and records are kept in hand until the gate opens.
#[derive(Clone, Debug)]
struct HandlerState {
    in_hand: UnboundedSender<&'static str>,
    gate: watch::Sender<&'static str>,
}

impl HandlerState {
    fn new() -> (Self, UnboundedReceiver<&'static str>) {
        let (in_hand, seen) = unbounded_channel();
        let gate = watch::Sender::new("closed");
        (Self { in_hand, gate }, seen)
    }

    async fn keep(&self, what: &'static str) {
        let _ = self.in_hand.send(what);
        let mut gate = self.gate.subscribe();
        let open = gate.wait_for(|open| *open == what || *open == "all");
        open.await.unwrap();
    }

    fn open(&self, what: &'static str) {
        self.gate.send_replace(what);
    }
}

// The embedded broker answers who joins a group that was left after its session, less a second.
#[consumes(
    app = Shop,
    topic = "orders",
    auto_offset_reset = "earliest",
    session_timeout_ms = 6_000
)]
async fn on_orders(order: u64, State(state): State<HandlerState>) -> Result<(), ProduceError> {
    state.keep("record").await;
    to_done(order).await.map(drop)
}

#[produces(app = Shop, topic = "orders")]
async fn to_orders(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

#[produces(app = Shop, topic = "done")]
async fn to_done(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

fn shop(state: &HandlerState, broker: &str) -> App {
    App::scoped::<Shop>()
        .title("Shop")
        .broker("host", Broker::new(broker))
        .state(state.clone())
        .build()
}

async fn order(Extension(state): Extension<HandlerState>, body: String) -> (StatusCode, String) {
    state.keep("request").await;
    match to_orders(body.parse().unwrap()).await {
        Ok(_) => (StatusCode::OK, "ordered".to_owned()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// One request on a connection of its own: the status and the body of the response.
async fn ask(address: SocketAddr, request: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let text = format!(
        "{request} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let asking = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    });
    let response = asking.await.unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap();
    (status.parse().unwrap(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_with_a_request_and_a_record_in_hand_loses_and_repeats_nothing() {
    let (sender, mut done) = unbounded_channel::<u64>();
    let host = App::scoped::<Host>()
        .title("Host")
        .topic("orders", Topic::new().partitions(1))
        .topic("done", Topic::new().partitions(1))
        .state(sender)
        .build();
    host.start().await.unwrap();
    let broker = host.bootstrap().unwrap();

    let (state, mut in_hand) = HandlerState::new();
    let app = shop(&state, &broker);
    let router = Router::new()
        .route("/orders", post(order))
        .with_state(state.clone());
    let (listener, address) = listen().await;
    let serving = tokio::spawn(app.axum_lifespan("host").unwrap().serve(listener, router));
    to_first(1).await.unwrap();
    assert_eq!(in_hand.recv().await, Some("record"));
    let response = tokio::spawn(async move { ask(address, "POST /orders", "2").await });
    assert_eq!(in_hand.recv().await, Some("request"));

    app.shut_down();
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, refused).await.unwrap();
    state.open("request");
    assert_eq!(response.await.unwrap(), (200, "ordered".to_owned()));
    state.open("record");
    let served = timeout(PATIENCE, serving).await.unwrap().unwrap();
    served.unwrap();

    // Who comes after finds what is left to do, and nothing else.
    let (state, _in_hand) = HandlerState::new();
    state.open("all");
    let next = shop(&state, &broker);
    next.start().await.unwrap();
    let mut orders = Vec::new();
    while orders.len() < 2 {
        orders.push(timeout(PATIENCE, done.recv()).await.unwrap().unwrap());
    }
    next.stop().await.unwrap();
    to_last(3).await.unwrap();
    orders.push(timeout(PATIENCE, done.recv()).await.unwrap().unwrap());
    assert_eq!(orders, [1, 2, 3]);
    host.stop().await.unwrap();
}

struct Counter;

#[consumes(app = Counter, topic = "numbers", auto_offset_reset = "earliest")]
async fn on_numbers(_number: u64) {}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_starts_before_its_server_and_ends_after_it() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let note = |what: &'static str| {
        let events = events.clone();
        move || events.lock().unwrap().push(what)
    };
    let stopped = note("the app stopped");
    let app = App::scoped::<Counter>()
        .title("Counter")
        .on_stop(move |_| {
            stopped();
            async { Ok::<_, String>(()) }
        })
        .build();
    let server = {
        let (began, asked, over) = (
            note("the server began"),
            note("it was asked to end"),
            note("it ended"),
        );
        let app = app.clone();
        async move {
            assert!(app.is_started());
            began();
            app.shut_down();
            app.stopping().await;
            asked();
            // An app that does not wait for it would stop meanwhile.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            over();
            Ok::<_, String>(())
        }
    };
    let lifespan = app.axum_lifespan("embedded").unwrap();
    lifespan.run(server).await.unwrap();
    let expected = [
        "the server began",
        "it was asked to end",
        "it ended",
        "the app stopped",
    ];
    assert_eq!(*events.lock().unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_ends_the_app_with_its_reason() {
    let app = App::scoped::<Counter>().title("Counter").build();
    let lifespan = app.axum_lifespan("embedded").unwrap();
    let error = lifespan.run(async { Err("no more sockets") }).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "the app ended: its server failed: no more sockets"
    );
    assert!(!app.is_started());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_is_told_before_the_app_has_finished_its_records() {
    let (state, mut in_hand) = HandlerState::new();
    let app = App::scoped::<Busy>().title("Busy").state(state.clone());
    let app = app.build();
    let (fails, told) = tokio::sync::oneshot::channel::<()>();
    let lifespan = app.axum_lifespan("embedded").unwrap();
    let serving = tokio::spawn(lifespan.run(told));
    app.started().await;
    to_busy(1).await.unwrap();
    assert_eq!(in_hand.recv().await, Some("record"));
    drop(fails);
    app.stopping().await;
    let why = "the app ended: its server failed: channel closed";
    assert_eq!(app.health().problems(), [why]);
    assert!(!serving.is_finished());
    state.open("all");
    let error = timeout(PATIENCE, serving).await.unwrap().unwrap();
    assert_eq!(error.unwrap_err().to_string(), why);
}

struct Busy;

#[consumes(app = Busy, topic = "numbers", auto_offset_reset = "earliest")]
async fn on_busy(_number: u64, State(state): State<HandlerState>) {
    state.keep("record").await;
}

#[produces(app = Busy, topic = "numbers")]
async fn to_busy(number: u64) -> Result<u64, ProduceError> {
    Ok(number)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_ends_when_the_future_that_polls_its_server_is_dropped_or_panics() {
    let app = || App::scoped::<Counter>().title("Counter").build();
    let dropped = app();
    let lifespan = dropped.axum_lifespan("embedded").unwrap();
    tokio::select! {
        over = lifespan.run(pending::<Result<(), String>>()) => panic!("{over:?}"),
        () = dropped.started() => {}
    }
    let panicked = app();
    let lifespan = panicked.axum_lifespan("embedded").unwrap();
    let serving = tokio::spawn(lifespan.run(async {
        assert!(ready(false).await, "a bug of the server");
        Ok::<_, String>(())
    }));
    assert!(serving.await.unwrap_err().is_panic());
    for app in [dropped, panicked] {
        timeout(PATIENCE, app.ended()).await.unwrap().unwrap();
        assert!(!app.is_started());
    }
}

struct Fragile;

#[consumes(
    app = Fragile,
    topic = "numbers",
    auto_offset_reset = "earliest",
    attempts = 1,
    on_failure = OnFailure::Exit
)]
async fn on_fragile(_number: u64) -> Result<(), &'static str> {
    Err("the till is jammed")
}

#[produces(app = Fragile, topic = "numbers")]
async fn to_fragile(number: u64) -> Result<u64, ProduceError> {
    Ok(number)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_ends_by_itself_ends_the_server_and_is_the_reason() {
    let app = App::scoped::<Fragile>().title("Fragile").build();
    let number = async |app: Extension<App>| {
        to_fragile(1).await.unwrap();
        // In hand while the app ends: it is answered.
        app.stopping().await;
        "sent"
    };
    let router = Router::new()
        .route("/numbers", post(number))
        .with_state(app.clone());
    let (listener, address) = listen().await;
    let lifespan = app.axum_lifespan("embedded").unwrap();
    let serving = tokio::spawn(lifespan.serve(listener, router));
    let answered = ask(address, "POST /numbers", "").await;
    assert_eq!(answered, (200, "sent".to_owned()));
    let error = timeout(PATIENCE, serving).await.unwrap().unwrap();
    let error = error.unwrap_err();
    assert!(matches!(error, RunError::Ended(_)), "{error}");
    assert!(error.to_string().contains("the till is jammed"), "{error}");
}

struct Slow;

#[consumes(app = Slow, topic = "numbers", auto_offset_reset = "earliest")]
async fn on_slow(_number: u64) {}

#[produces(app = Slow, topic = "numbers")]
async fn to_slow(number: u64) -> Result<u64, ProduceError> {
    Ok(number)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_does_not_end_is_reported_and_the_app_stops_all_the_same() {
    let (state, mut in_hand) = HandlerState::new();
    let app = App::scoped::<Slow>()
        .title("Slow")
        .shutdown_timeout(Duration::from_secs(1))
        .build();
    let late = async |state: Extension<HandlerState>| {
        state.keep("request").await;
        to_slow(1)
            .await
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let router = Router::new()
        .route("/orders", post(late))
        .with_state(state.clone());
    let (listener, address) = listen().await;
    let lifespan = app.axum_lifespan("embedded").unwrap();
    let serving = tokio::spawn(lifespan.serve(listener, router));
    let asking = tokio::spawn(async move { ask(address, "POST /orders", "").await });
    assert_eq!(in_hand.recv().await, Some("request"));
    app.shut_down();
    let error = timeout(PATIENCE, serving).await.unwrap().unwrap();
    assert_eq!(
        error.unwrap_err().to_string(),
        "the app did not stop cleanly: its server did not end within 500ms, half of \
         `shutdown_timeout`: a request is in hand, or what it streams does not end with \
         `App::stopping`"
    );
    // Too late: what it would send has nobody to send it.
    state.open("all");
    let (_, said) = asking.await.unwrap();
    assert!(said.contains("its app is not running"), "{said}");
}

struct Standstill;

#[consumes(app = Standstill, topic = "numbers", auto_offset_reset = "earliest", attempts = 1)]
async fn on_standstill(_number: u64) -> Result<(), &'static str> {
    Err("no")
}

#[produces(app = Standstill, topic = "numbers")]
async fn to_standstill(number: u64) -> Result<u64, ProduceError> {
    Ok(number)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_alive_before_it_is_ready_and_says_why_it_is_no_more() {
    let app = App::scoped::<Standstill>().title("Standstill").build();
    let router = Router::new()
        .route("/", get(async || "a route of the service"))
        .merge(app.axum_health());
    let (listener, address) = listen().await;
    let server = tokio::spawn(axum::serve(listener, router).into_future());
    let alive = (200, "alive\n".to_owned());
    let ready = async || ask(address, "GET /readyz", "").await;
    assert_eq!(ask(address, "GET /healthz", "").await, alive);
    let not_yet = "not ready: the app is not started, or it stops\n".to_owned();
    assert_eq!(ready().await, (503, not_yet));

    app.start().await.unwrap();
    assert_eq!(ready().await, (200, "ready\n".to_owned()));

    to_standstill(1).await.unwrap();
    let fails = async {
        loop {
            match ready().await {
                (200, _) => tokio::task::yield_now().await,
                failed => return failed,
            }
        }
    };
    let why = "not ready: numbers[0] stands still at offset 0: `on_standstill` failed after 1 \
               attempt: no\n";
    assert_eq!(
        timeout(PATIENCE, fails).await.unwrap(),
        (503, why.to_owned())
    );
    assert_eq!(ask(address, "GET /healthz", "").await, alive);

    let error = app.stop().await.unwrap_err();
    let (status, why) = ready().await;
    assert_eq!(status, 503);
    assert!(why.starts_with(&format!("not ready: {error}")), "{why}");
    server.abort();
}

#[test]
fn an_unknown_broker_is_no_lifespan() {
    let app = App::scoped::<Counter>().title("Counter").build();
    let error = app.axum_lifespan("staging").unwrap_err();
    assert!(error.to_string().contains("no broker `staging`"), "{error}");
}
