//! The service as a process on its own broker, asked by an HTTP client and ended by a signal.

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Killed when it is dropped.
struct Service {
    child: Child,
    address: String,
    client: Client<HttpConnector, Body>,
}

/// A response, of which the body may be on its way.
struct Answer {
    status: StatusCode,
    location: Option<String>,
    body: Body,
}

impl Answer {
    async fn text(self) -> String {
        let bytes = to_bytes(self.body, usize::MAX).await.unwrap();
        String::from_utf8(bytes.into()).unwrap()
    }

    async fn json(self) -> Value {
        serde_json::from_str(&self.text().await).unwrap()
    }
}

impl Service {
    fn start() -> Self {
        let mut child = command(&["--bind", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut address).unwrap();
        Self {
            child,
            address: address.trim_end().trim_end_matches('/').to_owned(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    async fn ask(&self, method: Method, path: &str, content_type: &str, body: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .header(CONTENT_TYPE, content_type)
            .body(body.to_owned().into());
        let response = self.client.request(request.unwrap()).await.unwrap();
        let location = response.headers().get(LOCATION);
        Answer {
            status: response.status(),
            location: location.map(|path| path.to_str().unwrap().to_owned()),
            body: Body::new(response.into_body()),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, FORM, "").await
    }

    async fn post(&self, path: &str, content_type: &str, body: &str) -> Answer {
        self.ask(Method::POST, path, content_type, body).await
    }

    /// Orders two cups of tea by form: the path of the order's page.
    async fn order(&self) -> String {
        let taken = self
            .post("/orders", FORM, "name=Ada&drink=tea&cups=2")
            .await;
        assert_eq!(taken.status, StatusCode::SEE_OTHER);
        taken.location.unwrap()
    }

    fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    fn exits(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_web"));
    command.args(arguments).env("NO_COLOR", "1");
    command
}

#[tokio::test]
async fn orders_by_form_and_by_json_are_answered() {
    let service = Service::start();
    assert_eq!(service.get("/readyz").await.status, StatusCode::OK);

    let page = service.order().await;
    let event = service.get(&format!("{page}/receipt")).await;
    assert!(event.text().await.contains("€5.60"));
    let page = service.get(&page).await.text().await;
    assert!(page.contains("€5.60"), "{page}");

    let wish = r#"{"name": "Ada", "drink": "cappuccino", "cups": 3}"#;
    let taken = service.post("/api/orders", JSON, wish).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED);
    let address = taken.location.clone().unwrap();
    let order = taken.json().await;
    let id = order["order"]["id"].as_str().unwrap();
    assert_eq!(address, format!("/api/orders/{id}"));
    // The stream ends when the receipt is there.
    service
        .get(&format!("/orders/{id}/receipt"))
        .await
        .text()
        .await;
    let answered = service.get(&address).await.json().await;
    assert_eq!(answered["total_cents"], 960);
}

#[tokio::test]
async fn bad_input_is_refused_with_the_reason() {
    let service = Service::start();
    let refused = service.post("/orders", FORM, "cups=0").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().await.contains("must not be empty"));

    let refused = service
        .post("/api/orders", JSON, r#"{"name": "Ada"}"#)
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let body = refused.json().await;
    assert!(
        body["error"]
            .as_str()
            .unwrap()
            .contains("missing field `drink`")
    );
}

#[tokio::test]
async fn sigterm_ends_the_server_and_the_app_with_status_0() {
    let mut service = Service::start();
    // The client keeps its connection.
    assert_eq!(service.get("/").await.status, StatusCode::OK);

    service.terminate();

    assert_eq!(service.exits().code(), Some(0));
}

#[test]
fn a_service_that_does_not_start_says_why_with_status_1() {
    let arguments = ["--bind", "127.0.0.1:0", "--kafka-broker", "staging"];
    let output = command(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the app has no broker `staging`"), "{said}");
}
