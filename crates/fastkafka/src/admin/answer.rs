//! What each route answers.

use super::access::Sees;
use super::events::{Events, events};
use super::exposition::{Format, text};
use super::gauges::gauges;
use super::negotiation::wanted;
use super::process::process;
use super::recorder::Recorder;
use super::site::{LISTENERS, Site};
use super::source::Contract;
use fastkafka_runtime::{AppPhase, AppState};
use http_body_util::{Either, Full};
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue,
    REFERRER_POLICY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use std::fmt::Write;

/// So many problems are written out.
const LISTED: usize = 100;
const PLAIN: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const ROUTES: &str = "There is nothing here. There are:\n/healthz\n/readyz\n/metrics\n/asyncapi\n/asyncapi.yaml\n\
     /api/state\n/api/events\n";
/// What a text says whose errors are left out.
const HIDDEN: &str = "What errors say is hidden: send the admin token to see it.\n";

pub(crate) type Body = Either<Full<Bytes>, Events>;

/// The answer to a request. `kept` is dropped with the answer where that goes on.
pub(crate) fn answer<B, K: Send + 'static>(
    site: &Site,
    request: &Request<B>,
    kept: K,
) -> Response<Body> {
    let with_errors = match site.access.look(request) {
        Sees::Figures => false,
        Sees::Errors => true,
        Sees::Nothing => return unauthorized(),
        Sees::Misdirected => {
            let text = "This is not a name of this listener: ask for its address, for localhost, or for a name \
                        that `--admin-host` lists.\n";
            return plain(StatusCode::MISDIRECTED_REQUEST, text);
        }
    };
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = request.uri().path();
    if !is_read && is_route(path) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD.\n");
        let allow = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, allow);
        return response;
    }
    match path {
        "/healthz" => healthz(site.source.has_ended()),
        "/readyz" => readyz(&site.source.without_groups(), with_errors),
        "/metrics" => {
            let accept = request.headers().get(ACCEPT);
            metrics(site, wanted(accept.and_then(|accept| accept.to_str().ok())))
        }
        "/asyncapi" => contract(site, Contract::Json, JSON),
        "/asyncapi.yaml" => contract(site, Contract::Yaml, "application/yaml"),
        "/api/state" => state(site.source.state(), with_errors),
        "/api/events" => listen(site, request.method(), with_errors, kept),
        _ => plain(StatusCode::NOT_FOUND, ROUTES),
    }
}

fn is_route(path: &str) -> bool {
    ROUTES.lines().any(|line| line == path)
}

/// A new process would help only where this one has ended.
fn healthz(has_ended: bool) -> Response<Body> {
    if has_ended {
        plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "the app has ended by itself\n",
        )
    } else {
        plain(StatusCode::OK, "alive\n")
    }
}

fn readyz(state: &AppState, with_errors: bool) -> Response<Body> {
    let what = match state.phase {
        AppPhase::New | AppPhase::Starting => "not ready: the app starts\n",
        AppPhase::Stopping => "not ready: the app stops\n",
        AppPhase::Stopped => "not ready: the app has stopped\n",
        AppPhase::Started if state.ready => "ready\n",
        AppPhase::Started => "not ready\n",
    };
    let mut text = what.to_owned();
    for problem in state.problems.iter().take(LISTED) {
        // Writing to a string cannot fail.
        let _ = match with_errors {
            true => writeln!(text, "{problem}"),
            false => writeln!(text, "{}", problem.without_error()),
        };
    }
    let more = state.problems.len().saturating_sub(LISTED);
    if more > 0 {
        let _ = writeln!(text, "and {more} more");
    }
    if !with_errors && !state.problems.is_empty() {
        text.push_str(HIDDEN);
    }
    let status = match state.ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    plain(status, text)
}

fn metrics(site: &Site, format: Format) -> Response<Body> {
    let mut families = gauges(&site.source.state());
    families.extend(process());
    let counted = site.recorder.map(Recorder::families);
    let is_elsewhere = counted.is_none();
    families.extend(counted.into_iter().flatten());
    let mut text = text(&families, format);
    // OpenMetrics has no remarks.
    if is_elsewhere && format == Format::Text {
        text.insert_str(
            0,
            "# Counters and histograms are with the recorder of this process, which is not FastKafka's.\n",
        );
    }
    with(StatusCode::OK, format.content_type(), text.into())
}

fn contract(site: &Site, form: Contract, content_type: &'static str) -> Response<Body> {
    match site.source.contract(form) {
        Some(text) => with(StatusCode::OK, content_type, text.into()),
        None => plain(
            StatusCode::NOT_FOUND,
            "The contract is not in this build: it is the feature `docs`.\n",
        ),
    }
}

fn state(state: AppState, with_errors: bool) -> Response<Body> {
    let state = if with_errors {
        state
    } else {
        state.without_errors()
    };
    match serde_json::to_vec(&state) {
        Ok(text) => with(StatusCode::OK, JSON, text.into()),
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

fn listen<K: Send + 'static>(
    site: &Site,
    method: &Method,
    with_errors: bool,
    kept: K,
) -> Response<Body> {
    const EVENTS: &str = "text/event-stream";
    if *method == Method::HEAD {
        return with(StatusCode::OK, EVENTS, Bytes::new());
    }
    let Ok(place) = site.listeners.clone().try_acquire_owned() else {
        let text = format!("There are {LISTENERS} who listen already.\n");
        return plain(StatusCode::SERVICE_UNAVAILABLE, text);
    };
    let source = site.source.clone();
    let events = events(source, with_errors, site.ends_early, (place, kept));
    dressed(StatusCode::OK, EVENTS, Either::Right(events))
}

fn unauthorized() -> Response<Body> {
    let mut response = plain(StatusCode::UNAUTHORIZED, "This is not the admin token.\n");
    let scheme = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    response
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    with(status, PLAIN, text.into())
}

fn with(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Body> {
    dressed(status, content_type, Either::Left(Full::new(body)))
}

/// Nothing of it is to be loaded, framed, guessed at, told to others or kept. No other site may read it: there is no
/// header that would allow that.
fn dressed(status: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, content_type),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
