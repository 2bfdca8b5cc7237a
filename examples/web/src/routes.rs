//! What requests get: pages for people, JSON for programs, and the receipt as soon as it is there.

use crate::board::{Board, Slip};
use crate::order::{Filled, Mistakes, Order, Wish};
use crate::{page, to_orders};
use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::map_response;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use fastkafka::{App, ProduceError};
use futures_util::stream::{self, Stream, StreamExt};
use maud::Markup;
use serde_json::json;
use std::convert::Infallible;

/// An order is small.
const BODY_LIMIT: usize = 16 * 1024;

/// What the handlers share.
#[derive(Clone)]
struct Shop {
    app: App,
    board: Board,
}

/// The routes of the shop.
///
/// # Panics
/// When the app has no [`Board`].
pub fn router(app: &App) -> Router {
    let board = app.state::<Board>().expect("the app has a board").clone();
    let shop = Shop {
        app: app.clone(),
        board,
    };
    Router::new()
        .route("/", get(form))
        .route("/orders", post(take_form))
        .route("/orders/{id}", get(show))
        .route("/orders/{id}/receipt", get(receipt))
        .route("/api/orders", post(take_json))
        .route("/api/orders/{id}", get(show_json))
        .route(
            "/style.css",
            get(file("text/css", include_str!("../assets/style.css"))),
        )
        .route(
            "/order.js",
            get(file("text/javascript", include_str!("../assets/order.js"))),
        )
        .route(
            "/icon.svg",
            get(file("image/svg+xml", include_str!("../assets/icon.svg"))),
        )
        .fallback(nothing)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(map_response(guarded))
        .with_state(shop)
        .merge(app.axum_health())
}

/// Sends the order; done when it is on the broker.
async fn send(shop: &Shop, order: &Order) -> Result<(), ProduceError> {
    to_orders(order.clone()).await?;
    shop.board.ordered(order.clone());
    Ok(())
}

async fn form() -> Response {
    page(
        StatusCode::OK,
        page::form(&Filled::default(), &Mistakes::new()),
    )
}

async fn take_form(
    State(shop): State<Shop>,
    form: Result<Form<Filled>, FormRejection>,
) -> Response {
    let filled = match form {
        Ok(Form(filled)) => filled,
        Err(refused) => return page(refused.status(), page::sorry(&refused.body_text())),
    };
    let order = match filled.take() {
        Ok(order) => order,
        Err(mistakes) => {
            return page(
                StatusCode::UNPROCESSABLE_ENTITY,
                page::form(&filled, &mistakes),
            );
        }
    };
    match send(&shop, &order).await {
        // Seen with GET, so that to load the page again orders nothing.
        Ok(()) => Redirect::to(&format!("/orders/{}", order.id)).into_response(),
        Err(error) => page(
            StatusCode::SERVICE_UNAVAILABLE,
            page::sorry(&not_sent(&error)),
        ),
    }
}

async fn show(State(shop): State<Shop>, Path(id): Path<String>) -> Response {
    match shop.board.find(&id) {
        Some(slip) => page(StatusCode::OK, page::slip(&slip)),
        None => page(StatusCode::NOT_FOUND, page::sorry(&unknown(&id))),
    }
}

/// One event, when the receipt is there. The stream ends with the app, so that it does not keep the
/// server from its end.
async fn receipt(
    State(shop): State<Shop>,
    Path(id): Path<String>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let stopping = shop.app.stopping();
    let event = async move {
        let receipt = shop.board.receipt(&id).await?;
        let data = page::receipt(&receipt).into_string();
        Some(Ok(Event::default().event("receipt").data(data)))
    };
    let events = stream::once(event).filter_map(std::future::ready);
    Sse::new(events.take_until(stopping)).keep_alive(KeepAlive::default())
}

async fn take_json(State(shop): State<Shop>, wish: Result<Json<Wish>, JsonRejection>) -> Response {
    let wish = match wish {
        Ok(Json(wish)) => wish,
        Err(refused) => return error(refused.status(), refused.body_text()),
    };
    let order = match Order::take(wish) {
        Ok(order) => order,
        Err(mistakes) => {
            let each = mistakes
                .iter()
                .map(|(field, what)| format!("{field}: {what}"));
            let all = each.collect::<Vec<_>>().join("; ");
            return error(StatusCode::UNPROCESSABLE_ENTITY, all);
        }
    };
    match send(&shop, &order).await {
        Ok(()) => {
            let at = [(LOCATION, format!("/api/orders/{}", order.id))];
            (StatusCode::ACCEPTED, at, Json(Slip::Ordered { order })).into_response()
        }
        Err(why) => error(StatusCode::SERVICE_UNAVAILABLE, not_sent(&why)),
    }
}

async fn show_json(State(shop): State<Shop>, Path(id): Path<String>) -> Response {
    match shop.board.find(&id) {
        Some(slip) => Json(slip).into_response(),
        None => error(StatusCode::NOT_FOUND, unknown(&id)),
    }
}

async fn nothing() -> Response {
    page(StatusCode::NOT_FOUND, page::sorry("There is nothing here."))
}

fn not_sent(error: &ProduceError) -> String {
    format!("The order could not be sent, please try again: {error}")
}

fn unknown(id: &str) -> String {
    format!("There is no order {id} on the board.")
}

fn page(status: StatusCode, page: Markup) -> Response {
    (
        status,
        [(CACHE_CONTROL, "no-store")],
        Html(page.into_string()),
    )
        .into_response()
}

fn error(status: StatusCode, what: String) -> Response {
    (status, Json(json!({ "error": what }))).into_response()
}

type File = ([(HeaderName, &'static str); 2], &'static str);

/// A file of this crate, always the same.
fn file(content_type: &'static str, text: &'static str) -> File {
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-cache")];
    (headers, text)
}

/// The page needs its own files and nothing else, and nobody may frame it.
async fn guarded(mut response: Response) -> Response {
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                  img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
