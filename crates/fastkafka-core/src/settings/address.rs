//! Addresses of brokers: `host:port`, joined by commas.

use super::limits::quoted;
use std::borrow::Cow;
use std::net::Ipv6Addr;

/// What is wrong with the addresses. librdkafka takes what it cannot read for a host that does not answer.
pub(crate) fn wrong(addresses: &str) -> Option<String> {
    if addresses.contains('@') {
        // A password may hold a comma: no part of it is repeated.
        return Some(format!(
            "has the address {} with a login in it; write `host:port`, and the login as `sasl_plain_username` and `sasl_plain_password`",
            quoted(&masked(addresses))
        ));
    }
    let mut each = addresses.split(',').map(str::trim);
    let mut found = each
        .by_ref()
        .filter(|address| !address.is_empty())
        .peekable();
    if found.peek().is_none() {
        return Some("has no address; write `host:port`".to_owned());
    }
    found.find_map(of_one)
}

fn of_one(address: &str) -> Option<String> {
    let shown = quoted(address);
    if let Some((scheme, rest)) = address.split_once("://") {
        // As Java's listeners are written.
        let what = match &*scheme.to_lowercase() {
            protocol @ ("plaintext" | "ssl" | "sasl_plaintext" | "sasl_ssl") => format!(
                "write {}, and `security_protocol = \"{protocol}\"`",
                quoted(rest)
            ),
            _ => "write `host:port`, and the protocol as `security_protocol`".to_owned(),
        };
        return Some(format!("has the address {shown} with a scheme; {what}"));
    }
    let Some((host, port)) = split(address) else {
        return Some(format!(
            "has the address {shown}, which is not `host:port`; of IPv6 it is `[address]:port`"
        ));
    };
    if host.is_empty() {
        return Some(format!("has the address {shown} without a host"));
    }
    let digits = |port: &&str| port.bytes().all(|b| b.is_ascii_digit());
    let is_port = |port: &str| {
        Some(port)
            .filter(digits)?
            .parse()
            .ok()
            .filter(|port: &u16| *port > 0)
    };
    let wrong = port.is_some_and(|port| is_port(port).is_none());
    wrong.then(|| format!("has the address {shown}, whose port is no number from 1 to 65535"))
}

/// Host and port; none if it is no address. Without a port it is Kafka's.
fn split(address: &str) -> Option<(&str, Option<&str>)> {
    if let Some(bracketed) = address.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']')?;
        of_ipv6(host)?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    if of_ipv6(address).is_some() {
        return Some((address, None));
    }
    let (host, port) = match address.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (address, None),
    };
    let is_port = port.is_none_or(|port| !port.contains(':'));
    (host.chars().all(of_host) && is_port).then_some((host, port))
}

fn of_host(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_')
}

/// Behind `%` there may be the zone of a link's own address: `fe80::1%eth0`.
fn of_ipv6(address: &str) -> Option<Ipv6Addr> {
    let (address, zone) = address.split_once('%').unwrap_or((address, "0"));
    let is_zone = !zone.is_empty() && zone.chars().all(of_host);
    address.parse().ok().filter(|_| is_zone)
}

/// The addresses as they may be printed: a login that somebody has written into one is hidden.
pub(crate) fn masked(addresses: &str) -> Cow<'_, str> {
    if !addresses.contains('@') {
        return addresses.into();
    }
    // As above: everything before the last login's end is hidden.
    let (_, rest) = addresses.rsplit_once('@').unwrap_or_default();
    format!("***@{rest}").into()
}

/// The text of a setting as it may be printed.
pub(super) fn shown(key: &str, text: String) -> String {
    match key {
        "bootstrap_servers" => masked(&text).into_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Connection;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for right in [
            "localhost:9092",
            "kafka_1.shop-x:1,kafka-2:65535",
            " a:1 , b:2, ",
            "kafka",
            "127.0.0.1:9092",
            "[::1]:9092",
            "::1",
            "[fe80::1%eth0]:9092",
        ] {
            assert_eq!(wrong(right), None, "{right}");
        }
        for (address, why) in [
            ("", "no address"),
            (" , ", "no address"),
            (":9092", "without a host"),
            ("x:y", "whose port is no number"),
            ("h:99999", "whose port is no number"),
            ("h:0", "whose port is no number"),
            ("h:+1", "whose port is no number"),
            ("h:", "whose port is no number"),
            ("127.0.0.1:1:1", "not `host:port`"),
            ("[::1", "not `host:port`"),
            ("a b:1", "not `host:port`"),
            ("h:1;i:2", "not `host:port`"),
            ("h/x:1", "not `host:port`"),
            (
                "SASL_SSL://h:1",
                "with a scheme; write `h:1`, and `security_protocol = \"sasl_ssl\"`",
            ),
            ("http://h:1", "with a scheme; write `host:port`"),
            ("[fe80::1%]:1", "not `host:port`"),
            ("good:1,bad:y", "`bad:y`"),
        ] {
            let told = wrong(address).unwrap_or_default();
            assert!(told.contains(why), "{address}: {told}");
        }
    }

    #[test]
    fn a_login_in_an_address_is_refused_and_not_repeated() {
        for address in ["kafka://user:hush@h", "user:hush@h:1", "a:1,u:hu,sh@h:1"] {
            let told = wrong(address).unwrap();
            assert!(!told.contains("hu"), "{told}");
            assert!(!masked(address).contains("hu"));
            let settings = Connection::default().bootstrap_servers(address);
            let shown = format!("{:?} {settings:?}", settings.shown());
            assert!(shown.contains("***@h") && !shown.contains("hu"), "{shown}");
        }
        assert_eq!(masked("kafka://user:hush@h:1"), "***@h:1");
        assert_eq!(masked("h:1,i:2"), "h:1,i:2");
    }
}
