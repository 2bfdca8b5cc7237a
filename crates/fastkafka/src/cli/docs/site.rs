//! The pages of `docs serve`, which never change while it runs, and the answers to requests.

use crate::asyncapi::NAME;
use fastkafka_asyncapi::{Format, content_security_policy};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// A page at its path.
pub(super) struct Page {
    path: String,
    is_home: bool,
    content_type: &'static str,
    policy: String,
    etag: String,
    text: Bytes,
}

impl Page {
    pub(super) fn new(format: Format, text: String) -> Self {
        let mut etag = String::from("\"");
        for byte in &Sha256::digest(&text)[..16] {
            let _ = write!(etag, "{byte:02x}");
        }
        etag.push('"');
        Self {
            path: format!("/{NAME}.{format}"),
            is_home: format == Format::Html,
            content_type: format.media_type(),
            // Only the page has styles and a script.
            policy: if format == Format::Html {
                content_security_policy()
            } else {
                "default-src 'none'; frame-ancestors 'none'".to_owned()
            },
            etag,
            text: text.into(),
        }
    }

    fn is_at(&self, path: &str) -> bool {
        path == self.path || self.is_home && path == "/"
    }

    /// Whether the browser has it already.
    fn is_known(&self, if_none_match: Option<&HeaderValue>) -> bool {
        let known = if_none_match.and_then(|value| value.to_str().ok());
        known
            .into_iter()
            .flat_map(|tags| tags.split(','))
            .any(|tag| {
                let tag = tag.trim();
                tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.etag
            })
    }
}

/// The answer to a request that is not meant for this machine.
pub(super) fn misdirected() -> Response<Full<Bytes>> {
    plain(
        StatusCode::MISDIRECTED_REQUEST,
        "This page is at an address, or at localhost.\n",
    )
}

/// The answer to a request.
pub(super) fn answer<B>(pages: &[Page], request: &Request<B>) -> Response<Full<Bytes>> {
    let Some(page) = pages.iter().find(|page| page.is_at(request.uri().path())) else {
        return plain(
            StatusCode::NOT_FOUND,
            "There is nothing here; the page is at /.\n",
        );
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD.\n");
        let allow = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, allow);
        return response;
    }
    let known = page.is_known(request.headers().get(IF_NONE_MATCH));
    let (status, body) = if known {
        (StatusCode::NOT_MODIFIED, Bytes::new())
    } else {
        (StatusCode::OK, page.text.clone())
    };
    let mut response = with(status, page.content_type, &page.policy, body);
    let headers = response.headers_mut();
    if let Ok(etag) = HeaderValue::from_str(&page.etag) {
        headers.insert(ETAG, etag);
    }
    // Kept, and asked about each time: another build of the service says something else.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let policy = "default-src 'none'; frame-ancestors 'none'";
    with(
        status,
        "text/plain; charset=utf-8",
        policy,
        Bytes::from_static(text.as_bytes()),
    )
}

fn with(
    status: StatusCode,
    content_type: &'static str,
    policy: &str,
    body: Bytes,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderName;

    fn pages() -> Vec<Page> {
        Format::ALL
            .map(|format| Page::new(format, format!("the {format}")))
            .into()
    }

    fn get(path: &str) -> Response<Full<Bytes>> {
        answer(&pages(), &Request::get(path).body(()).unwrap())
    }

    fn header(response: &Response<Full<Bytes>>, name: HeaderName) -> &str {
        response.headers()[name].to_str().unwrap()
    }

    #[test]
    fn each_form_has_its_path_and_its_type() {
        for (path, content_type) in [
            ("/", "text/html; charset=utf-8"),
            ("/asyncapi.html", "text/html; charset=utf-8"),
            ("/asyncapi.json", "application/json"),
            ("/asyncapi.yaml", "application/yaml"),
            ("/asyncapi.md", "text/markdown; charset=utf-8"),
        ] {
            let response = get(path);
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(header(&response, CONTENT_TYPE), content_type);
            assert_eq!(header(&response, X_CONTENT_TYPE_OPTIONS), "nosniff");
            assert_eq!(header(&response, CACHE_CONTROL), "no-cache");
        }
        assert_eq!(get("/favicon.ico").status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn nothing_may_be_loaded_and_nobody_may_frame_the_page() {
        for path in ["/", "/asyncapi.json", "/nothing"] {
            let response = get(path);
            let policy = header(&response, CONTENT_SECURITY_POLICY);
            assert!(policy.starts_with("default-src 'none'"), "{policy}");
            assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
        }
    }

    #[test]
    fn what_the_browser_has_is_not_sent_again() {
        let tag = header(&get("/"), ETAG).to_owned();
        assert_ne!(tag, header(&get("/asyncapi.json"), ETAG));
        let status = |tags: &str| {
            let request = Request::get("/")
                .header(IF_NONE_MATCH, tags)
                .body(())
                .unwrap();
            answer(&pages(), &request).status()
        };
        for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            assert_eq!(status(&known), StatusCode::NOT_MODIFIED, "{known}");
        }
        assert_eq!(status("\"other\""), StatusCode::OK);
    }

    #[test]
    fn only_reading_is_allowed() {
        let request = Request::post("/").body(()).unwrap();
        let response = answer(&pages(), &request);
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(header(&response, ALLOW), "GET, HEAD");
        let request = Request::head("/").body(()).unwrap();
        assert_eq!(answer(&pages(), &request).status(), StatusCode::OK);
    }
}
