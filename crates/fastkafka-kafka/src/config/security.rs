//! The way to a cluster in librdkafka's properties, and the mistakes of a login.

use fastkafka_core::{Connection, Properties, SaslMechanism, SecurityProtocol, Text, Tls};
use rdkafka::ClientConfig;

/// The library was built with OpenSSL.
const TLS: bool = cfg!(feature = "tls");

/// Sets what the connection says; what it does not say is not set.
pub(super) fn apply(config: &mut ClientConfig, connection: &Connection) {
    if let Some(protocol) = connection.security_protocol {
        config.set("security.protocol", name(protocol));
    }
    if let Some(tls) = &connection.ssl_context {
        certificates(config, tls);
    }
    if let Some(mechanism) = connection.sasl_mechanism {
        config.set("sasl.mechanism", mechanism_name(mechanism));
    }
    if let Some(user) = &connection.sasl_plain_username {
        config.set("sasl.username", &**user);
    }
    if let Some(password) = &connection.sasl_plain_password {
        config.set("sasl.password", password.expose());
    }
    if let Some(service) = &connection.sasl_kerberos_service_name {
        config.set("sasl.kerberos.service.name", &**service);
    }
}

fn certificates(config: &mut ClientConfig, tls: &Tls) {
    let mut pem = |property: &str, text: &str| {
        let kind = if Tls::is_pem(text) { "pem" } else { "location" };
        config.set(format!("ssl.{property}.{kind}"), text);
    };
    if let Some(ca) = &tls.ca {
        pem("ca", ca);
    }
    if let Some(certificate) = &tls.certificate {
        pem("certificate", certificate);
    }
    if let Some(key) = &tls.key {
        pem("key", key.expose());
    }
    if let Some(password) = &tls.key_password {
        config.set("ssl.key.password", password.expose());
    }
    if !tls.verify {
        config.set("enable.ssl.certificate.verification", "false");
    }
}

/// librdkafka's name of a protocol, and ours.
pub(crate) fn name(protocol: SecurityProtocol) -> &'static str {
    match protocol {
        SecurityProtocol::Plaintext => "plaintext",
        SecurityProtocol::Ssl => "ssl",
        SecurityProtocol::SaslPlaintext => "sasl_plaintext",
        SecurityProtocol::SaslSsl => "sasl_ssl",
    }
}

fn mechanism_name(mechanism: SaslMechanism) -> &'static str {
    match mechanism {
        SaslMechanism::Plain => "PLAIN",
        SaslMechanism::ScramSha256 => "SCRAM-SHA-256",
        SaslMechanism::ScramSha512 => "SCRAM-SHA-512",
        SaslMechanism::Gssapi => "GSSAPI",
        SaslMechanism::OauthBearer => "OAUTHBEARER",
    }
}

/// Properties beside a connection that has the same already: librdkafka would take the last one it reads.
pub(super) fn contradictions(connection: &Connection, properties: &Properties) -> Vec<String> {
    let tls = connection.ssl_context.as_ref();
    let identity = tls.is_some_and(|tls| tls.certificate.is_some() || tls.key.is_some());
    let stores = properties.iter().map(|(name, _)| name);
    let stores = stores.filter(|name| identity && *name == "ssl.keystore.location");
    let told = |name| {
        format!(
            "has `{name}` in `config` beside the `certificate` or `key` of its `ssl_context`; keep one of them"
        )
    };
    stores.map(told).collect()
}

/// The mistakes of a login: settings that are missing, and settings without a meaning. Each begins with a
/// verb.
pub(super) fn problems(connection: &Connection) -> Vec<String> {
    use SaslMechanism::{Gssapi, OauthBearer, Plain, ScramSha256, ScramSha512};
    let protocol = connection.security_protocol.unwrap_or_default();
    let said = name(protocol);
    let mechanism = connection.sasl_mechanism;
    let password = matches!(mechanism, Some(Plain | ScramSha256 | ScramSha512));
    let needs_tls = matches!(mechanism, Some(ScramSha256 | ScramSha512 | OauthBearer));
    let user = &connection.sasl_plain_username;
    let with = mechanism.map_or("", mechanism_name);
    let none = |text: &Option<Text>| text.as_deref().is_none_or(str::is_empty);
    let checks = [
        (
            protocol.is_tls() && !TLS,
            format!("has `security_protocol = \"{said}\"`, which needs the feature `tls` of `fastkafka`"),
        ),
        (
            needs_tls && !TLS,
            format!("has `sasl_mechanism = \"{with}\"`, which needs the feature `tls` of `fastkafka`, also without TLS"),
        ),
        (
            mechanism == Some(Gssapi) && !cfg!(feature = "gssapi"),
            "has `sasl_mechanism = \"GSSAPI\"`, which needs the feature `gssapi` of `fastkafka`".to_owned(),
        ),
        (
            protocol.is_sasl() && mechanism.is_none(),
            format!("has `security_protocol = \"{said}\"` and no `sasl_mechanism`"),
        ),
        (
            !protocol.is_sasl() && mechanism.is_some(),
            format!("has `sasl_mechanism = \"{with}\"`, but nobody logs in with `security_protocol = \"{said}\"`; write `\"sasl_ssl\"` or `\"sasl_plaintext\"`"),
        ),
        (
            !protocol.is_tls() && connection.ssl_context.is_some(),
            format!("has an `ssl_context`, which has no meaning with `security_protocol = \"{said}\"`; write `\"ssl\"` or `\"sasl_ssl\"`"),
        ),
        (
            password && (none(user) || connection.sasl_plain_password.is_none()),
            format!("has `sasl_mechanism = \"{with}\"`, which needs `sasl_plain_username` and `sasl_plain_password`"),
        ),
        (
            mechanism == Some(OauthBearer) && connection.sasl_oauth_token_provider.is_none(),
            "has `sasl_mechanism = \"OAUTHBEARER\"`, which needs a `sasl_oauth_token_provider`".to_owned(),
        ),
        (
            mechanism != Some(OauthBearer) && connection.sasl_oauth_token_provider.is_some(),
            "has a `sasl_oauth_token_provider`, which has no meaning without `sasl_mechanism = \"OAUTHBEARER\"`".to_owned(),
        ),
        (
            !password && (user.is_some() || connection.sasl_plain_password.is_some()),
            "has `sasl_plain_username` or `sasl_plain_password`, which have no meaning without a `sasl_mechanism` that takes them: `\"PLAIN\"`, `\"SCRAM-SHA-256\"`, `\"SCRAM-SHA-512\"`".to_owned(),
        ),
        (
            mechanism != Some(Gssapi) && connection.sasl_kerberos_service_name.is_some(),
            "has a `sasl_kerberos_service_name`, which has no meaning without `sasl_mechanism = \"GSSAPI\"`".to_owned(),
        ),
    ];
    let wrong = checks.into_iter().filter(|(wrong, _)| *wrong);
    wrong.map(|(_, what)| what).collect()
}
