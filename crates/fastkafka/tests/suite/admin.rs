//! The admin listener of an app on the embedded broker: when it is there, and whom it answers.

use fastkafka::admin::Admin;
use fastkafka::error::RunError;
use fastkafka::{App, State, consumes};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

struct Till;

#[consumes(app = Till, topic = "sales", auto_offset_reset = "earliest")]
async fn on_sales(_sale: u64) {}

/// Answers of the listener, by a thread that knows no tokio.
fn ask(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, body.to_owned())
}

fn till(admin: impl Into<Admin>) -> App {
    App::scoped::<Till>()
        .title("Till")
        .default_broker("embedded")
        .admin(admin)
        .build()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_from_before_the_start_until_the_stop_is_done() {
    let app = till("127.0.0.1:0");
    assert_eq!(app.admin_address(), None);
    app.start().await.unwrap();
    let address = app.admin_address().unwrap();
    assert_eq!(ask(address, "/healthz"), (200, "alive\n".to_owned()));
    assert_eq!(ask(address, "/readyz"), (200, "ready\n".to_owned()));
    let (status, metrics) = ask(address, "/metrics");
    assert_eq!(status, 200);
    assert!(metrics.contains("fastkafka_ready 1\n"), "{metrics}");
    let (_, state) = ask(address, "/api/state");
    assert!(state.contains("\"phase\":\"started\""), "{state}");
    app.stop().await.unwrap();
    assert_eq!(app.admin_address(), None);
    assert!(TcpStream::connect(address).is_err());
}

#[cfg(feature = "docs")]
#[tokio::test]
async fn the_contract_is_there() {
    let app = till("[::1]:0");
    app.start().await.unwrap();
    let address = app.admin_address().unwrap();
    assert!(address.is_ipv6());
    let (_, document) = ask(address, "/asyncapi.yaml");
    assert_eq!(document, app.asyncapi().to_yaml());
    let (_, document) = ask(address, "/asyncapi");
    assert_eq!(document, app.asyncapi().to_json());
    app.stop().await.unwrap();
}

#[tokio::test]
async fn a_port_in_use_is_a_problem_of_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = till(address).start().await.unwrap_err();
    assert!(matches!(error, RunError::Start(_)), "{error}");
    let said = error.to_string();
    assert!(
        said.contains(&format!("the admin listener cannot listen on {address}")),
        "{said}"
    );
}

#[test]
fn what_is_wrong_with_it_is_a_problem_of_the_check() {
    let admin = Admin::new("9000")
        .host("http://till")
        .token_file("/nowhere/token");
    let problems = till(admin).check().unwrap_err().to_string();
    for part in [
        "is not an address with a port",
        "is not a name",
        "cannot be read from",
    ] {
        assert!(problems.contains(part), "{part}: {problems}");
    }
}

struct Stuck;

/// Blocks its thread, and with it all threads of the runtime.
#[consumes(app = Stuck, topic = "stuck", auto_offset_reset = "earliest")]
async fn on_stuck(_: u64, State(barrier): State<Arc<Barrier>>) {
    barrier.wait();
    barrier.wait();
}

#[fastkafka::produces(app = Stuck, topic = "stuck")]
async fn to_stuck(value: u64) -> Result<u64, fastkafka::ProduceError> {
    Ok(value)
}

#[test]
fn it_answers_while_all_threads_of_the_app_are_blocked() {
    let barrier = Arc::new(Barrier::new(2));
    let app = App::scoped::<Stuck>()
        .title("Stuck")
        .default_broker("embedded")
        .state(barrier.clone())
        .admin("127.0.0.1:0")
        .build();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(app.start()).unwrap();
    let address = app.admin_address().unwrap();
    runtime.block_on(async { to_stuck(7).await }).unwrap();
    barrier.wait();
    for probe in ["/healthz", "/readyz"] {
        let took = (0..20).map(|_| {
            let begun = Instant::now();
            assert_eq!(ask(address, probe).0, 200);
            begun.elapsed()
        });
        // A machine that has no time for us takes it from some of them.
        let least = took.min().unwrap();
        assert!(least < Duration::from_millis(100), "{probe}: {least:?}");
    }
    let (_, state) = ask(address, "/api/state");
    assert!(state.contains("stuck[0]"), "{state}");
    barrier.wait();
    runtime.block_on(app.stop()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_idle_connections_keep_nobody_from_an_answer() {
    let app = till("127.0.0.1:0");
    app.start().await.unwrap();
    let address = app.admin_address().unwrap();
    let mut idle = Vec::new();
    for _ in 0..1_000 {
        // The system may have no descriptor left for our end.
        let Ok(stream) = TcpStream::connect(address) else {
            break;
        };
        idle.push(stream);
    }
    assert!(idle.len() > 200);
    drop(idle.split_off(900.min(idle.len())));
    assert_eq!(ask(address, "/healthz").0, 200);
    drop(idle);
    app.stop().await.unwrap();
}

/// The routes in a server of one's own answer as the listener does, to the same people.
#[cfg(feature = "axum")]
#[tokio::test(flavor = "multi_thread")]
async fn a_router_answers_as_the_listener_does() {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "s3cret\n").unwrap();
    let admin = Admin::new("127.0.0.1:0")
        .host("till.internal")
        .token_file(file.path());
    let app = till(admin);
    let router: Router = Router::new().nest("/admin", app.admin_router());
    app.start().await.unwrap();
    let address = app.admin_address().unwrap();

    let requests = |path: &'static str| {
        let of = move |method: &str, host: &str, said: Option<&str>| {
            let said = said.map(|said| ("authorization", said.to_owned()));
            let headers = [("host", host.to_owned())].into_iter().chain(said);
            (method.to_owned(), path, headers.collect::<Vec<_>>())
        };
        [
            of("GET", "127.0.0.1:9000", None),
            of("GET", "till.internal", Some("Bearer s3cret")),
            of("GET", "till.internal", Some("Bearer guess")),
            of("GET", "evil.example", Some("Bearer s3cret")),
            of("POST", "localhost", None),
            of("HEAD", "localhost", None),
        ]
    };
    let paths = [
        "/healthz",
        "/readyz",
        "/metrics",
        "/asyncapi",
        "/asyncapi.yaml",
        "/api/state",
        "/",
        "/nothing",
    ];
    let mut statuses = std::collections::BTreeSet::new();
    for (method, path, headers) in paths.into_iter().flat_map(requests) {
        let mut request = Request::builder();
        let nested = format!("/admin{}", path.trim_end_matches('/'));
        request = request.method(&*method).uri(nested);
        let mut lines = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        for (name, value) in &headers {
            request = request.header(*name, value);
            lines.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "{lines}\r\n").unwrap();
        let mut heard = String::new();
        stream.read_to_string(&mut heard).unwrap();
        let (head, body) = heard.split_once("\r\n\r\n").unwrap();
        let listened: Vec<_> = head.lines().skip(1).map(str::to_owned).collect();

        let answer = router.clone().oneshot(request.body(Body::empty()).unwrap());
        let answer = answer.await.unwrap();
        let what = format!("{method} {path} {headers:?}");
        let status = answer.status().as_u16();
        assert_eq!(
            head.split(' ').nth(1).unwrap(),
            status.to_string(),
            "{what}"
        );
        statuses.insert(status);
        for (name, value) in answer.headers() {
            // The length of what grows from one answer to the next.
            if name != "content-length" {
                let line = format!("{name}: {}", value.to_str().unwrap());
                assert!(listened.contains(&line), "{what}: {line} is not in {head}");
            }
        }
        if path != "/metrics" && path != "/api/state" && method != "HEAD" {
            let said = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            assert_eq!(String::from_utf8(said.into()).unwrap(), body, "{what}");
        }
    }
    let expected = [200, 401, 404, 405, 421];
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), expected);
    app.stop().await.unwrap();
}
