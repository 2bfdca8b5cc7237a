//! Certificates and logins.

use super::*;
use fastkafka_core::Connections;
use rdkafka::error::KafkaError;

#[test]
fn certificates_are_paths_or_text() {
    let pem = "-----BEGIN CERTIFICATE-----";
    let tls = Tls::default()
        .ca(pem)
        .identity("/me.pem", "-----BEGIN PRIVATE KEY-----")
        .key_password("s3cret")
        .verify(false);
    let config = base(Connection::default().ssl_context(tls));
    let expected = [
        ("ssl.ca.pem", pem),
        ("ssl.certificate.location", "/me.pem"),
        ("ssl.key.pem", "-----BEGIN PRIVATE KEY-----"),
        ("ssl.key.password", "s3cret"),
        ("enable.ssl.certificate.verification", "false"),
    ];
    for (property, value) in expected {
        assert_eq!(config.get(property), Some(value), "{property}");
        if cfg!(feature = "tls") && !property.ends_with(".pem") {
            check(&config, property, value);
        }
    }
    let kerberos = Connection::default().sasl_kerberos_service_name("kafka7");
    let config = base(kerberos);
    assert_eq!(config.get("sasl.kerberos.service.name"), Some("kafka7"));
}

/// Each of these alone, on a broker that it suits but for one thing.
#[test]
fn a_login_that_is_not_whole_says_what_is_missing() {
    let plain = || {
        Connection::default()
            .security_protocol(SecurityProtocol::SaslPlaintext)
            .sasl_mechanism(SaslMechanism::Plain)
            .sasl_plain_username("me")
            .sasl_plain_password("s3cret")
    };
    let without = |change: fn(&mut Connection)| {
        let mut connection = plain();
        change(&mut connection);
        connection
    };
    let wrong = |connection: Connection| security::problems(&connection).join("; ");
    assert_eq!(wrong(Connection::default()), "");
    assert_eq!(wrong(plain()), "");
    let cases = [
        (
            without(|c| c.sasl_mechanism = None),
            "has `security_protocol = \"sasl_plaintext\"` and no `sasl_mechanism`",
        ),
        (
            without(|c| c.sasl_plain_password = None),
            "has `sasl_mechanism = \"PLAIN\"`, which needs `sasl_plain_username` and `sasl_plain_password`",
        ),
        (
            without(|c| c.security_protocol = None),
            "but nobody logs in with `security_protocol = \"plaintext\"`",
        ),
        (
            plain().ssl_context(Tls::default()),
            "has an `ssl_context`, which has no meaning with `security_protocol = \"sasl_plaintext\"`",
        ),
        (
            plain().sasl_oauth_token_provider(Tokens::new(no_token)),
            "which has no meaning without `sasl_mechanism = \"OAUTHBEARER\"`",
        ),
        (
            plain().sasl_mechanism(SaslMechanism::OauthBearer),
            "which needs a `sasl_oauth_token_provider`",
        ),
        (
            plain().sasl_kerberos_service_name("kafka"),
            "has a `sasl_kerberos_service_name`, which has no meaning without",
        ),
    ];
    for (connection, expected) in cases {
        let wrong = wrong(connection);
        assert!(wrong.contains(expected), "{wrong}");
        assert!(!wrong.contains("s3cret"), "{wrong}");
    }
    let needs = |connection: Connection, feature: &str| {
        wrong(connection).contains(&format!("needs the feature `{feature}`"))
    };
    let tls = cfg!(feature = "tls");
    let scram = plain().sasl_mechanism(SaslMechanism::ScramSha256);
    assert_eq!(needs(scram, "tls"), !tls);
    let ssl = Connection::default().security_protocol(SecurityProtocol::Ssl);
    assert_eq!(needs(ssl, "tls"), !tls);
    let kerberos = plain().sasl_mechanism(SaslMechanism::Gssapi);
    assert_eq!(needs(kerberos, "gssapi"), !cfg!(feature = "gssapi"));
}

#[test]
fn what_is_wrong_with_a_login_is_told_once() {
    let mut config = of_producer(&full_producer());
    config.set("security.protocol", "smoke signals");
    let needs = || vec!["needs the feature `tls`".to_owned()];
    let told = |login| check::refused(Of::Producer, None, &config, login);
    assert_eq!(told(needs()), needs());
    let [alone] = &told(Vec::new())[..] else {
        panic!("librdkafka takes it");
    };
    assert!(alone.contains("smoke signals"), "{alone}");
}

/// As `openssl pkcs12` writes a key, and one without the lines around it.
#[test]
fn a_key_is_text_wherever_its_pem_begins_and_is_repeated_nowhere() {
    let key = "Bag Attributes\n    friendlyName: me\n-----BEGIN PRIVATE KEY-----\nhush";
    let tls = Tls::default().identity("/me.pem", key);
    let config = base(Connection::default().ssl_context(tls));
    assert_eq!(config.get("ssl.key.pem"), Some(key));
    assert_eq!(config.get("ssl.key.location"), None);
    for key in ["hush/key.pem", &"hush".repeat(1_000)] {
        let tls = Tls::default().identity("/me.pem", key.to_owned());
        let connection = Connection::default()
            .bootstrap_servers("localhost:1")
            .security_protocol(SecurityProtocol::Ssl)
            .ssl_context(tls);
        let told = check::of_connection(&connection).join("; ");
        assert!(!told.contains("hush"), "{told}");
        let mine = "`key` is no PEM text and no file";
        assert_eq!(told.contains(mine), cfg!(feature = "tls"), "{told}");
    }
}

/// What librdkafka says is told in the words of our settings, without the secrets among them.
#[test]
fn a_reason_of_librdkafka_repeats_no_secret() {
    let tls = Tls::default().identity("/me.pem", "hush.key");
    let login = Connection::default().sasl_plain_password("s3cret");
    let config = base(login.ssl_context(tls));
    let error = "ssl.key.location failed: fopen(hush.key, r), ssl.certificate.pem failed: s3cret";
    let error = KafkaError::ClientCreation(error.to_owned());
    let told = check::not_taken(Of::Producer, &config, &error);
    for words in [
        "`key` of `ssl_context` failed: fopen(***, r)",
        "`certificate` of `ssl_context` failed: ***",
    ] {
        assert!(told.contains(words), "{told}");
    }
}

/// librdkafka looks at some properties only with the connection that they are for.
#[test]
fn properties_are_tried_together_with_the_connection() {
    let told = |connection: Connection, properties: Properties| {
        let connections = Connections::new(connection.bootstrap_servers("localhost:1"));
        let own = Connection::default();
        let (base, wrong) = check::base("", &own, Some(&properties), &connections);
        let settings = ProducerSettings::default().config(properties.clone());
        let config = producer(base.clone(), &settings);
        let told = check::refused(Of::Producer, Some(&properties), &config, wrong);
        (base, told.join("; "))
    };
    let login = Connection::default()
        .security_protocol(SecurityProtocol::SaslPlaintext)
        .sasl_mechanism(SaslMechanism::Plain)
        .sasl_plain_username("me")
        .sasl_plain_password("s3cret");
    let harmless = Properties::new().set("batch.num.messages", 7);
    let (base, wrong) = told(login, harmless.clone());
    assert_eq!((base.get("sasl.mechanism"), &*wrong), (Some("PLAIN"), ""));
    let tls = Connection::default().security_protocol(SecurityProtocol::Ssl);
    let ciphers = Properties::new().set("ssl.cipher.suites", "none such");
    let (_, wrong) = told(tls, ciphers);
    // By a build without TLS as a property that it does not have.
    assert!(wrong.contains("ssl.cipher.suites"), "{wrong}");
    // What is wrong with the broker is told of the broker.
    let broken = Connection::default().security_protocol(SecurityProtocol::SaslPlaintext);
    assert_eq!(told(broken, harmless).1, "");
}

#[test]
fn two_keys_of_one_client_are_a_contradiction() {
    let tls = Tls::default().identity("/me.pem", "/me.key");
    let connection = Connection::default().ssl_context(tls);
    let keystore = Properties::new()
        .set("ssl.keystore.location", "/me.p12")
        .set("ssl.keystore.password", "s3cret");
    let [told] = &*security::contradictions(&connection, &keystore) else {
        panic!("one contradiction");
    };
    assert!(told.contains("`ssl.keystore.location`") && told.contains("`ssl_context`"));
    let alone = Connection::default().ssl_context(Tls::default().ca("/ca.pem"));
    assert!(security::contradictions(&alone, &keystore).is_empty());
    let why = Of::Consumer.refusal("sasl.oauthbearer.method").unwrap();
    assert!(why.contains("`sasl_oauth_token_provider = ..`"), "{why}");
}
