//! The names by which a server of this machine may be asked.
//!
//! The page of a stranger may let its own name lead here (DNS rebinding), and could read the answers. It cannot do so
//! with an address, or with `localhost`.

use hyper::Request;
use hyper::header::HOST;
use hyper::http::uri::Authority;
use std::net::IpAddr;

/// Whether a request asks for an address, for this machine, or for one of these names: in its header, and in its target
/// where that has a name. In HTTP/2 the target alone has one.
pub(crate) fn is_meant<B>(request: &Request<B>, names: &[String]) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next().map(|host| {
        let host = host.to_str().ok().and_then(|host| host.parse().ok());
        host.is_some_and(|host| is_ours(&host, names))
    });
    let target = request.uri().authority().map(|host| is_ours(host, names));
    // Who names none is no browser.
    hosts.next().is_none() && host.unwrap_or(true) && target.unwrap_or(true)
}

fn is_ours(host: &Authority, names: &[String]) -> bool {
    let name = host.host().to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_address = address.parse::<IpAddr>().is_ok();
    let is_listed = names.iter().any(|known| known.eq_ignore_ascii_case(&name));
    is_address || name == "localhost" || name.ends_with(".localhost") || is_listed
}

/// Whether it is a name alone, as a request has it.
#[cfg(feature = "admin")]
pub(crate) fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_for_another_name_is_not_meant_for_this_machine() {
        let names = ["shop.internal".to_owned()];
        let asked = |host: &str| {
            let request = Request::get("/").header(HOST, host).body(()).unwrap();
            is_meant(&request, &names)
        };
        for host in [
            "localhost:8000",
            "LocalHost",
            "docs.localhost",
            "127.0.0.1:8000",
            "[::1]:8000",
            "10.0.0.7",
            "Shop.Internal:9000",
        ] {
            assert!(asked(host), "{host}");
        }
        for host in ["evil.example:8000", "localhost.evil.example", "", "a b"] {
            assert!(!asked(host), "{host}");
        }
        assert!(is_meant(&Request::get("/").body(()).unwrap(), &[]));
        let two = Request::get("/").header(HOST, "localhost");
        let two = two.header(HOST, "evil.example").body(()).unwrap();
        assert!(!is_meant(&two, &[]));
    }

    /// HTTP/2 has no other name than that, and a proxy's request of HTTP/1.1 has both.
    #[test]
    fn a_name_in_the_target_counts_as_one_in_the_header() {
        let names = ["shop.internal".to_owned()];
        let asked = |target: &str, host: Option<&str>| {
            let mut request = Request::get(target);
            if let Some(host) = host {
                request = request.header(HOST, host);
            }
            is_meant(&request.body(()).unwrap(), &names)
        };
        for host in ["localhost:9000", "127.0.0.1", "[::1]:9000", "shop.internal"] {
            let target = format!("http://{host}/api/state");
            assert!(asked(&target, None), "{target}");
            assert!(asked(&target, Some("localhost")), "{target}");
            assert!(!asked(&target, Some("evil.example")), "{target}");
        }
        for host in [None, Some("localhost"), Some("evil.example")] {
            assert!(!asked("http://evil.example/api/state", host), "{host:?}");
            assert!(!asked("http://user@evil.example/", host), "{host:?}");
            assert!(!asked("http://localhost@evil.example/", host), "{host:?}");
        }
    }
}
