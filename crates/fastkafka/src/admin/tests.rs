//! What the routes answer, and to whom.

use super::answer::{Body, answer};
use super::connections::Busy;
use super::listener::converse;
use super::recorder::Recorder;
use super::settings::Opened;
use super::site::{LISTENERS, Site};
use super::source::{Contract, Source};
use crate::lock::lock;
use fastkafka_runtime::{
    AppPhase, AppState, GroupState, Health, MemberState, OutputState, PartitionState, ProblemCode,
    TaskHealth,
};
use http_body_util::BodyExt;
use hyper::header::{ACCEPT, ALLOW, AUTHORIZATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response, StatusCode};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

/// A text that only the one who has the token may see.
const SECRET: &str = "card 4711";
const TOKEN: &str = "s3cret";

struct Fake(Mutex<AppState>);

impl Source for Fake {
    fn state(&self) -> AppState {
        lock(&self.0).clone()
    }

    fn without_groups(&self) -> AppState {
        let mut state = self.state();
        state.groups.clear();
        state
    }

    fn has_ended(&self) -> bool {
        let state = lock(&self.0);
        let mut problems = state.problems.iter();
        problems.any(|problem| problem.code == ProblemCode::AppEnded)
    }

    fn contract(&self, form: Contract) -> Option<String> {
        (form == Contract::Yaml).then(|| "asyncapi: 3.0.0".to_owned())
    }
}

fn partition(lag: i64) -> PartitionState {
    let mut state = PartitionState::default();
    "orders".clone_into(&mut state.topic);
    (state.partition, state.handler) = (3, "on_orders");
    (state.lag, state.lag_seconds, state.open) = (Some(lag), Some(1.5), 2);
    state
}

fn state(phase: AppPhase, task: Option<&str>) -> AppState {
    let mut health = Health::default();
    if let Some(error) = task {
        let mut task = TaskHealth::default();
        (task.task, task.ended) = ("shop::watch".to_owned(), true);
        task.failing = Some((Duration::from_secs(4), error.to_owned()));
        health.tasks.push(task);
    }
    let mut member = MemberState::default();
    member
        .partitions
        .insert("orders[3]".to_owned(), partition(7));
    let mut group = GroupState::default();
    "shop".clone_into(&mut group.group);
    group.members.insert(1, member);
    let groups = BTreeMap::from([("shop".to_owned(), group)]);
    let mut state = AppState::new(("Shop", "1.2.3"), phase, health, groups);
    let mut letters = OutputState::default();
    (letters.dead_letters, letters.acknowledged) = (true, 4);
    let mut elsewhere = OutputState::default();
    "payments".clone_into(&mut elsewhere.cluster);
    (elsewhere.acknowledged, elsewhere.lost) = (30, 2);
    (state.outputs, state.in_flight_bytes) = (vec![letters, elsewhere], 512);
    state
}

fn site(state: AppState) -> (Arc<Fake>, Site) {
    let source = Arc::new(Fake(Mutex::new(state)));
    let opened = Opened {
        address: None,
        hosts: Vec::new(),
        token: Some(TOKEN.to_owned()),
    };
    (source.clone(), Site::new(source, &opened, None))
}

fn ask(site: &Site, path: &str, token: Option<&str>) -> Response<Body> {
    let mut request = Request::get(path).header(HOST, "127.0.0.1:9000");
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    answer(site, &request.body(()).unwrap(), ())
}

async fn read(response: Response<Body>) -> (StatusCode, String) {
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.into()).unwrap())
}

/// The next event of an answer that goes on.
async fn event(response: &mut Response<Body>) -> Option<String> {
    let frame = response.body_mut().frame().await?.unwrap();
    let data = frame.into_data().unwrap();
    Some(String::from_utf8(data.into()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_errors_say_is_shown_to_nobody_without_the_token() {
    let failed = format!("failed: {SECRET}");
    let (_, site) = site(state(AppPhase::Started, Some(&failed)));
    for path in ["/readyz", "/api/state", "/metrics", "/healthz"] {
        let (_, text) = read(ask(&site, path, None)).await;
        assert!(!text.contains(SECRET), "{path}: {text}");
    }
    for path in ["/readyz", "/api/state"] {
        let (_, text) = read(ask(&site, path, None)).await;
        assert!(text.contains("shop::watch"), "{path}: {text}");
        let (_, text) = read(ask(&site, path, Some(TOKEN))).await;
        assert!(text.contains(SECRET), "{path}: {text}");
        let (status, text) = read(ask(&site, path, Some("guess"))).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(!text.contains("shop"), "{text}");
    }
    let mut events = ask(&site, "/api/events", None);
    assert!(!event(&mut events).await.unwrap().contains(SECRET));
    let mut events = ask(&site, "/api/events", Some(TOKEN));
    assert!(event(&mut events).await.unwrap().contains(SECRET));
}

#[tokio::test]
async fn a_token_in_the_query_is_none() {
    let (_, site) = site(state(AppPhase::Started, Some(SECRET)));
    for path in ["/readyz?token=s3cret", "/api/state?access_token=s3cret"] {
        let (_, text) = read(ask(&site, path, None)).await;
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[tokio::test]
async fn ready_is_said_while_the_app_is_started_and_nothing_blocks_it() {
    for (phase, status, begin) in [
        (AppPhase::New, 503, "not ready: the app starts"),
        (AppPhase::Starting, 503, "not ready: the app starts"),
        (AppPhase::Started, 200, "ready"),
        (AppPhase::Stopping, 503, "not ready: the app stops"),
        (AppPhase::Stopped, 503, "not ready: the app has stopped"),
    ] {
        let (_, site) = site(state(phase, None));
        let (said, text) = read(ask(&site, "/readyz", None)).await;
        assert_eq!(said, status, "{phase:?}");
        assert_eq!(text, format!("{begin}\n"));
    }
    let (_, site) = site(state(AppPhase::Started, Some("failed")));
    let (said, text) = read(ask(&site, "/readyz", Some(TOKEN))).await;
    assert_eq!(said, 503);
    assert_eq!(text, "not ready\nbackground task `shop::watch` failed\n");
}

#[tokio::test]
async fn only_an_app_that_has_ended_by_itself_is_not_alive() {
    for phase in [AppPhase::New, AppPhase::Started, AppPhase::Stopping] {
        let (_, site) = site(state(phase, Some("failed")));
        assert_eq!(ask(&site, "/healthz", None).status(), StatusCode::OK);
    }
    let mut health = Health::default();
    health.ended = Some((Duration::from_secs(1), SECRET.to_owned()));
    let ended = AppState::new(("Shop", "1"), AppPhase::Stopping, health, BTreeMap::new());
    let (_, site) = site(ended);
    let (status, text) = read(ask(&site, "/healthz", None)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!text.contains(SECRET), "{text}");
}

#[tokio::test]
async fn each_partition_has_its_lag_and_nothing_is_left_of_one_that_has_gone() {
    let (source, site) = site(state(AppPhase::Started, None));
    let (_, text) = read(ask(&site, "/metrics", None)).await;
    for line in [
        "fastkafka_ready 1",
        "fastkafka_lag{group=\"shop\",topic=\"orders\",partition=\"3\"} 7",
        "fastkafka_lag_seconds{group=\"shop\",topic=\"orders\",partition=\"3\"} 1.5",
        "fastkafka_partitions_assigned{group=\"shop\",topic=\"orders\"} 1",
        "fastkafka_open_records{group=\"shop\",topic=\"orders\"} 2",
        "fastkafka_in_flight_bytes 512",
        "fastkafka_outputs_total{kind=\"dead_letters\",result=\"acknowledged\"} 4",
        "fastkafka_outputs_total{cluster=\"payments\",kind=\"outputs\",result=\"lost\"} 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.contains("fastkafka_build_info{title=\"Shop\",version=\"1.2.3\""));
    lock(&source.0).groups.clear();
    let (_, text) = read(ask(&site, "/metrics", None)).await;
    assert!(!text.contains("orders"), "{text}");
}

#[tokio::test]
async fn who_scrapes_is_told_where_the_counters_are() {
    let (_, mut site) = site(state(AppPhase::Started, None));
    let (_, text) = read(ask(&site, "/metrics", None)).await;
    assert!(
        text.starts_with("# Counters and histograms are with the recorder"),
        "{text}"
    );
    let recorder: &'static Recorder = Box::leak(Box::default());
    metrics::with_local_recorder(recorder, || metrics::counter!("orders_total").increment(3));
    site.recorder = Some(recorder);
    let (_, text) = read(ask(&site, "/metrics", None)).await;
    assert!(text.contains("\norders_total 3\n"), "{text}");
    assert!(!text.contains("are with the recorder"));
    let request = Request::get("/metrics").header(ACCEPT, "application/openmetrics-text");
    let response = answer(&site, &request.body(()).unwrap(), ());
    let content_type = response.headers()[CONTENT_TYPE].to_str().unwrap();
    assert!(content_type.starts_with("application/openmetrics-text; version=1.0.0"));
    assert!(read(response).await.1.ends_with("# EOF\n"));
}

#[tokio::test]
async fn every_answer_may_be_read_by_no_other_site() {
    let (_, site) = site(state(AppPhase::Started, None));
    for (path, token) in [
        ("/readyz", None),
        ("/nothing", None),
        ("/readyz", Some("guess")),
    ] {
        let response = ask(&site, path, token);
        let headers = response.headers();
        assert_eq!(
            headers[CONTENT_SECURITY_POLICY],
            "default-src 'none'; frame-ancestors 'none'"
        );
        assert!(
            !headers
                .keys()
                .any(|name| name.as_str().starts_with("access-control"))
        );
    }
    let request = Request::get("/api/state").header(HOST, "evil.example");
    let response = answer(&site, &request.body(()).unwrap(), ());
    assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn it_is_read_only() {
    let (_, site) = site(state(AppPhase::Started, None));
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let request = Request::builder().method(method).uri("/api/state");
        let response = answer(&site, &request.body(()).unwrap(), ());
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()[ALLOW], "GET, HEAD");
    }
    assert_eq!(ask(&site, "/", None).status(), StatusCode::NOT_FOUND);
    assert_eq!(
        ask(&site, "/asyncapi", None).status(),
        StatusCode::NOT_FOUND
    );
    let (status, text) = read(ask(&site, "/asyncapi.yaml", None)).await;
    assert_eq!((status, &*text), (StatusCode::OK, "asyncapi: 3.0.0"));
}

#[tokio::test(start_paused = true)]
async fn events_are_the_whole_and_then_what_changes_until_the_app_has_stopped() {
    let (source, site) = site(state(AppPhase::Started, None));
    let mut events = ask(&site, "/api/events", None);
    let first = event(&mut events).await.unwrap();
    assert!(first.starts_with("event: state\ndata: {\""), "{first}");
    assert!(first.ends_with("\n\n"));
    let changed = |lag| {
        let mut state = lock(&source.0);
        let member = state.groups.get_mut("shop").unwrap().members.get_mut(&1);
        member
            .unwrap()
            .partitions
            .insert("orders[3]".to_owned(), partition(lag));
    };
    changed(8);
    let data = r#"{"groups":{"shop":{"members":{"1":{"partitions":{"orders[3]":{"lag":8}}}}}}}"#;
    let next = event(&mut events).await.unwrap();
    assert_eq!(next, format!("event: patch\ndata: {data}\n\n"));
    // Nothing happens for a while.
    assert_eq!(event(&mut events).await.unwrap(), ": still there\n\n");
    lock(&source.0).groups.clear();
    let next = event(&mut events).await.unwrap();
    assert_eq!(next, "event: patch\ndata: {\"groups\":{\"shop\":null}}\n\n");
    lock(&source.0).phase = AppPhase::Stopping;
    assert!(event(&mut events).await.unwrap().contains("stopping"));
    lock(&source.0).phase = AppPhase::Stopped;
    assert_eq!(event(&mut events).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_few_may_listen_at_once_and_a_place_is_free_when_one_has_gone() {
    let (_, site) = site(state(AppPhase::Started, None));
    let mut listening: Vec<_> = (0..LISTENERS)
        .map(|_| ask(&site, "/api/events", None))
        .collect();
    assert!(
        listening
            .iter()
            .all(|answer| answer.status() == StatusCode::OK)
    );
    let refused = ask(&site, "/api/events", None);
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    listening.pop();
    assert_eq!(ask(&site, "/api/events", None).status(), StatusCode::OK);
}

/// The routes that the description in the repository has are those that there are.
#[tokio::test]
async fn each_route_is_described() {
    let (_, site) = site(state(AppPhase::Started, None));
    let (_, routes) = read(ask(&site, "/", None)).await;
    let routes: Vec<_> = routes
        .lines()
        .filter(|line| line.starts_with('/'))
        .collect();
    let described = include_str!("../../../../deploy/openapi.yaml").lines();
    let described = described.filter_map(|line| line.strip_prefix("  /")?.strip_suffix(':'));
    let described: Vec<_> = described.map(|path| format!("/{path}")).collect();
    assert_eq!(routes, described);
}

/// What a client hears that writes this and no more, until the connection is closed.
async fn heard(request: &str) -> String {
    let (_, site) = site(state(AppPhase::Started, None));
    let (mut client, server) = duplex(1 << 20);
    let conversation = tokio::spawn(converse(server, site.into(), Busy::default()));
    client.write_all(request.as_bytes()).await.unwrap();
    let mut heard = String::new();
    client.read_to_string(&mut heard).await.unwrap();
    conversation.await.unwrap();
    heard
}

#[tokio::test(start_paused = true)]
async fn who_is_silent_slow_or_says_too_much_is_not_waited_for() {
    for begun in ["", "GET /readyz HTTP/1.1\r\nhost: loc"] {
        assert!(!heard(begun).await.contains("ready"));
    }
    let long = format!(
        "GET /readyz HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n",
        "x".repeat(20_000)
    );
    let answered = heard(&long).await;
    assert!(answered.starts_with("HTTP/1.1 431"), "{answered}");
    let many = "x: y\r\n".repeat(100);
    let answered = heard(&format!(
        "GET /readyz HTTP/1.1\r\nhost: localhost\r\n{many}\r\n"
    ))
    .await;
    assert!(answered.starts_with("HTTP/1.1 431"), "{answered}");
    let answered = heard("GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(answered.ends_with("ready\n"), "{answered}");
}

#[tokio::test(start_paused = true)]
async fn a_target_with_the_name_of_another_is_refused_whatever_the_header_says() {
    let ask = async |host: &str| {
        let line = format!("GET http://{host}/api/state HTTP/1.1");
        heard(&format!("{line}\r\nhost: localhost\r\n\r\n")).await
    };
    let answered = ask("evil.example").await;
    assert!(answered.starts_with("HTTP/1.1 421"), "{answered}");
    let answered = ask("127.0.0.1:9000").await;
    assert!(answered.starts_with("HTTP/1.1 200"), "{answered}");
}

/// Nothing is asked that grows with the partitions.
#[tokio::test]
async fn a_probe_asks_for_no_partition() {
    struct Probed(Fake);

    impl Source for Probed {
        fn state(&self) -> AppState {
            panic!("the whole state was asked for");
        }

        fn without_groups(&self) -> AppState {
            self.0.without_groups()
        }

        fn has_ended(&self) -> bool {
            self.0.has_ended()
        }

        fn contract(&self, form: Contract) -> Option<String> {
            self.0.contract(form)
        }
    }

    let opened = Opened {
        address: None,
        hosts: Vec::new(),
        token: None,
    };
    let fake = Fake(Mutex::new(state(AppPhase::Started, None)));
    let site = Site::new(Arc::new(Probed(fake)), &opened, None);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(ask(&site, path, None).status(), StatusCode::OK, "{path}");
    }
}
