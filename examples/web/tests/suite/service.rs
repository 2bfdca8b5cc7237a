//! The routes and the consumers together, in memory: requests go to the router without a connection.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header};
use fastkafka_tester::{ProduceFault, Tester};
use tower::ServiceExt;
use web::*;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

async fn ask(shop: &Router, request: Request<Body>) -> Response<Body> {
    shop.clone().oneshot(request).await.unwrap()
}

async fn get(shop: &Router, path: &str) -> Response<Body> {
    ask(shop, Request::get(path).body(Body::empty()).unwrap()).await
}

async fn post(shop: &Router, path: &str, content_type: &str, body: &str) -> Response<Body> {
    let request = Request::post(path).header(header::CONTENT_TYPE, content_type);
    ask(shop, request.body(body.to_owned().into()).unwrap()).await
}

fn location(response: &Response<Body>) -> String {
    response.headers()[header::LOCATION]
        .to_str()
        .unwrap()
        .to_owned()
}

async fn text(response: Response<Body>) -> String {
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.into()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_order_by_form_is_answered_on_its_page() {
    let app = app();
    let shop = router(&app);
    let tester = Tester::start(app).await.unwrap();

    let taken = post(&shop, "/orders", FORM, "name=Ada&drink=tea&cups=2").await;
    assert_eq!(taken.status(), StatusCode::SEE_OTHER);
    let page = location(&taken);
    assert!(
        text(get(&shop, &page).await)
            .await
            .contains("Waiting for the receipt")
    );
    tester.settle().await.unwrap();

    let receipt = tester.on_receipts().last().unwrap();
    assert_eq!(receipt.total_cents, 560);
    let answered = text(get(&shop, &page).await).await;
    assert!(answered.contains("€5.60"), "{answered}");
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_order_by_json_is_answered_at_its_address() {
    let app = app();
    let shop = router(&app);
    let tester = Tester::start(app).await.unwrap();

    let wish = r#"{"name": "Ada", "drink": "espresso", "cups": 1}"#;
    let taken = post(&shop, "/api/orders", JSON, wish).await;
    assert_eq!(taken.status(), StatusCode::ACCEPTED);
    let address = location(&taken);
    let read = async || -> serde_json::Value {
        serde_json::from_str(&text(get(&shop, &address).await).await).unwrap()
    };
    assert_eq!(read().await["state"], "ordered");
    tester.settle().await.unwrap();

    let answered = read().await;
    assert_eq!(answered["state"], "answered");
    assert_eq!(answered["total_cents"], 240);
    assert_eq!(answered["order"]["name"], "Ada");
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_receipt_is_an_event_for_the_page_that_waits() {
    let app = app();
    let shop = router(&app);
    let tester = Tester::start(app).await.unwrap();

    let taken = post(&shop, "/orders", FORM, "name=Ada&drink=tea&cups=2").await;
    let events = get(&shop, &format!("{}/receipt", location(&taken))).await;

    let events = text(events).await;
    assert!(
        events.starts_with("event: receipt\ndata: <h2>Receipt</h2>"),
        "{events}"
    );
    assert!(events.contains("€5.60"), "{events}");
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_page_that_waits_does_not_keep_the_server_from_its_end() {
    let app = app();
    let shop = router(&app);
    let tester = Tester::start(app.clone()).await.unwrap();
    tester
        .mock::<on_orders>()
        .expect_call()
        .returning(|_| Ok(()));

    let taken = post(&shop, "/orders", FORM, "name=Ada&drink=tea&cups=2").await;
    let events = get(&shop, &format!("{}/receipt", location(&taken))).await;
    app.shut_down();

    assert_eq!(text(events).await, "");
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_order_is_refused_with_the_reason_and_not_sent() {
    let app = app();
    let shop = router(&app);
    let tester = Tester::start(app).await.unwrap();

    let long = format!(
        r#"{{"name": "{}", "drink": "tea", "cups": 1}}"#,
        "x".repeat(41)
    );
    let huge = format!("name={}", "x".repeat(20_000));
    for (path, content_type, body, status, reason) in [
        (
            "/orders",
            FORM,
            "name=&drink=tea&cups=2",
            422,
            "must not be empty",
        ),
        (
            "/orders",
            FORM,
            "name=Ada&drink=tea&cups=21",
            422,
            "from 1 to 20, not “21”",
        ),
        (
            "/orders",
            FORM,
            "name=Ada&drink=tea&cups=two",
            422,
            "from 1 to 20, not “two”",
        ),
        (
            "/orders",
            FORM,
            "name=Ada&drink=beer&cups=2",
            422,
            "must be one of the drinks",
        ),
        ("/orders", FORM, "", 422, "must not be empty"),
        (
            "/orders",
            FORM,
            "name=%3Cb%3E&cups=0",
            422,
            "value=\"&lt;b&gt;\"",
        ),
        ("/orders", FORM, &huge, 413, "length limit exceeded"),
        (
            "/orders",
            JSON,
            "{}",
            415,
            "application/x-www-form-urlencoded",
        ),
        ("/api/orders", JSON, "{", 400, "EOF while parsing"),
        ("/api/orders", JSON, "{}", 422, "missing field `name`"),
        (
            "/api/orders",
            JSON,
            r#"{"name": " ", "drink": "tea", "cups": 0}"#,
            422,
            "cups: must be a whole number from 1 to 20, not “0”; name: must not be empty",
        ),
        (
            "/api/orders",
            JSON,
            r#"{"name": "Ada", "drink": "beer", "cups": 1}"#,
            422,
            "unknown variant `beer`, expected one of `espresso`, `cappuccino`, `tea`",
        ),
        (
            "/api/orders",
            JSON,
            &long,
            422,
            "name: must have at most 40 letters, not 41",
        ),
        (
            "/api/orders",
            FORM,
            "name=Ada",
            415,
            "Content-Type: application/json",
        ),
    ] {
        let refused = post(&shop, path, content_type, body).await;
        let (was, said) = (refused.status(), text(refused).await);
        assert_eq!(was, status, "{body}: {said}");
        assert!(said.contains(reason), "{body}: {said}");
    }
    for path in ["/orders/1", "/api/orders/1", "/nothing"] {
        assert_eq!(
            get(&shop, path).await.status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    tester.on_orders().assert_not_called();
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_order_that_kafka_does_not_take_is_no_order() {
    let app = app();
    let shop = router(&app);
    let tester = Tester::start(app).await.unwrap();
    tester.fail_next_produce("orders", ProduceFault::Lost);

    let form = post(&shop, "/orders", FORM, "name=Ada&drink=tea&cups=2").await;

    assert_eq!(form.status(), StatusCode::SERVICE_UNAVAILABLE);
    let said = text(form).await;
    assert!(said.contains("The order could not be sent"), "{said}");
    tester.stop().await;
}
