//! Listeners that want TLS or a login, with certificates made for the occasion.

use std::fmt::Write as _;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};

use crate::LabError;

/// The user of PLAIN.
pub const PLAIN: (&str, &str) = ("alice", "alice's password");
/// The user of SCRAM-SHA-256 and SCRAM-SHA-512.
pub const SCRAM: (&str, &str) = ("bob", "bob-s3cret");

/// The listeners, by name: each has a port of its own.
const LISTENERS: [(&str, &str); 4] = [
    ("TLS", "SSL"),
    ("MUTUAL", "SSL"),
    ("LOGIN", "SASL_PLAINTEXT"),
    ("TLSLOGIN", "SASL_SSL"),
];

/// Addresses, and what a client needs for them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Secured {
    /// SSL.
    pub tls: String,
    /// SSL that wants a certificate of the client's.
    pub mutual: String,
    /// `SASL_PLAINTEXT`: PLAIN, SCRAM and OAUTHBEARER with unsigned tokens.
    pub login: String,
    /// `SASL_SSL`, with the same mechanisms.
    pub tls_login: String,
    /// Who signed the broker's certificate, in PEM.
    pub ca: String,
    /// A certificate that the broker trusts, in PEM.
    pub certificate: String,
    /// Its key, in PEM.
    pub key: String,
}

/// What the broker is started with.
pub(crate) struct Setup {
    pub(crate) secured: Secured,
    /// `TLS://127.0.0.1:..,..`
    pub(crate) listeners: String,
    /// `TLS:SSL,..`
    pub(crate) protocols: String,
    pub(crate) properties: String,
    /// Arguments of Kafka's `StorageTool format`.
    pub(crate) format: Vec<String>,
}

pub(crate) const PORTS: usize = LISTENERS.len();

impl Setup {
    pub(crate) fn new(ports: &[u16]) -> Result<Self, LabError> {
        let certificates = Certificates::new()
            .map_err(|e| LabError::io("make certificates")(std::io::Error::other(e)))?;
        let address = |i: usize| format!("127.0.0.1:{}", ports[i]);
        let mut listeners = Vec::new();
        let mut protocols = Vec::new();
        for (i, (name, protocol)) in LISTENERS.iter().enumerate() {
            listeners.push(format!("{name}://{}", address(i)));
            protocols.push(format!("{name}:{protocol}"));
        }
        let format = ["SCRAM-SHA-256", "SCRAM-SHA-512"]
            .iter()
            .flat_map(|mechanism| {
                let (user, password) = SCRAM;
                let user = format!("{mechanism}=[name={user},password={password}]");
                ["--add-scram".to_owned(), user]
            });
        Ok(Self {
            listeners: listeners.join(","),
            protocols: protocols.join(","),
            properties: properties(&certificates),
            format: format.collect(),
            secured: Secured {
                tls: address(0),
                mutual: address(1),
                login: address(2),
                tls_login: address(3),
                ca: certificates.ca,
                certificate: certificates.client.0,
                key: certificates.client.1,
            },
        })
    }
}

fn properties(certificates: &Certificates) -> String {
    // In a properties file a line's end is `\n`.
    let pem = |text: &str| text.trim_end().replace('\r', "").replace('\n', "\\n");
    let mut text = String::new();
    let (chain, key) = &certificates.server;
    // Infallible: a String takes all.
    for (name, value) in [
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.certificate.chain", &pem(chain)),
        ("ssl.keystore.key", &pem(key)),
        ("ssl.truststore.type", "PEM"),
        ("ssl.truststore.certificates", &pem(&certificates.ca)),
        ("listener.name.mutual.ssl.client.auth", "required"),
        (
            "sasl.enabled.mechanisms",
            "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
        ),
    ] {
        let _ = writeln!(text, "{name}={value}");
    }
    let security = "org.apache.kafka.common.security";
    let (user, password) = PLAIN;
    for listener in ["login", "tlslogin"] {
        for (mechanism, module) in [
            (
                "plain",
                format!("plain.PlainLoginModule required user_{user}=\"{password}\";"),
            ),
            (
                "scram-sha-256",
                "scram.ScramLoginModule required;".to_owned(),
            ),
            (
                "scram-sha-512",
                "scram.ScramLoginModule required;".to_owned(),
            ),
            (
                "oauthbearer",
                "oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"broker\";"
                    .to_owned(),
            ),
        ] {
            let _ = writeln!(
                text,
                "listener.name.{listener}.{mechanism}.sasl.jaas.config={security}.{module}"
            );
        }
    }
    text
}

/// PEM: certificates with their keys, signed by one authority.
struct Certificates {
    ca: String,
    server: (String, String),
    client: (String, String),
}

impl Certificates {
    fn new() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut authority = named("the lab's authority", &[])?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = authority.self_signed(&key)?.pem();
        let issuer = Issuer::new(authority, key);
        let sign = |name: &str, of: &[&str], usage| {
            let mut params = named(name, of)?;
            params.extended_key_usages = vec![usage];
            let key = KeyPair::generate()?;
            let certificate = params.signed_by(&key, &issuer)?;
            Ok::<_, rcgen::Error>((certificate.pem(), key.serialize_pem()))
        };
        Ok(Self {
            ca,
            server: sign(
                "broker",
                &["127.0.0.1", "localhost"],
                ExtendedKeyUsagePurpose::ServerAuth,
            )?,
            client: sign("client", &[], ExtendedKeyUsagePurpose::ClientAuth)?,
        })
    }
}

fn named(name: &str, of: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let of: Vec<_> = of.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(of)?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}
