//! Encryption and authentication between clients and brokers.

use super::value::{Value, words};
use super::{Secret, Text, limits};
use std::any::TypeId;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

/// The protocol between clients and brokers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecurityProtocol {
    /// Readable by everybody on the way. The default.
    #[default]
    Plaintext,
    /// Over TLS.
    Ssl,
    /// With a login, readable by everybody on the way.
    SaslPlaintext,
    /// With a login, over TLS.
    SaslSsl,
}

impl SecurityProtocol {
    /// Over TLS.
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    /// With a login.
    pub fn is_sasl(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

/// The mechanism of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaslMechanism {
    /// User name and password as they are.
    Plain,
    /// Proof of a password, SHA-256.
    ScramSha256,
    /// Proof of a password, SHA-512.
    ScramSha512,
    /// Kerberos.
    Gssapi,
    /// A token of an OAuth server.
    OauthBearer,
}

// Python and Java write them in capital letters, librdkafka takes both.
words! {
    SecurityProtocol {
        "plaintext" = Plaintext, "ssl" = Ssl, "sasl_plaintext" = SaslPlaintext, "sasl_ssl" = SaslSsl
    } {
        "PLAINTEXT" = Plaintext, "SSL" = Ssl, "SASL_PLAINTEXT" = SaslPlaintext, "SASL_SSL" = SaslSsl
    }
    SaslMechanism {
        "PLAIN" = Plain, "SCRAM-SHA-256" = ScramSha256, "SCRAM-SHA-512" = ScramSha512,
        "GSSAPI" = Gssapi, "OAUTHBEARER" = OauthBearer
    } {}
}

/// Certificates for TLS. Each is a path of a PEM file, or the PEM text itself.
///
/// ```
/// use fastkafka_core::Tls;
///
/// let tls = Tls::default().ca("/etc/kafka/ca.pem");
/// let with_a_certificate_of_ones_own = Tls {
///     certificate: Some("/etc/kafka/me.pem".into()),
///     key: Some("/etc/kafka/me.key".into()),
///     ..tls
/// };
/// # let _ = with_a_certificate_of_ones_own;
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Tls {
    /// The authorities that may sign the brokers' certificates; default the system's.
    pub ca: Option<Text>,
    /// The client's own certificate, where brokers ask for one.
    pub certificate: Option<Text>,
    /// Its private key.
    pub key: Option<Secret>,
    /// The password of the key.
    pub key_password: Option<Secret>,
    /// Whether the brokers' certificates are verified; default true.
    pub verify: bool,
}

/// A file of certificates may have a key in it: text is not printed.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.show()).finish()
    }
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            ca: None,
            certificate: None,
            key: None,
            key_password: None,
            verify: true,
        }
    }
}

impl Tls {
    /// Sets who may sign the brokers' certificates.
    #[must_use]
    pub fn ca(mut self, pem: impl Into<Text>) -> Self {
        self.ca = Some(pem.into());
        self
    }

    /// Sets the client's own certificate and its key.
    #[must_use]
    pub fn identity(mut self, certificate: impl Into<Text>, key: impl Into<Secret>) -> Self {
        self.certificate = Some(certificate.into());
        self.key = Some(key.into());
        self
    }

    /// Sets the password of the key.
    #[must_use]
    pub fn key_password(mut self, password: impl Into<Secret>) -> Self {
        self.key_password = Some(password.into());
        self
    }

    /// True for PEM text, which may begin with what a tool has written above it; all else is a path.
    #[doc(hidden)]
    pub fn is_pem(text: &str) -> bool {
        text.contains("-----BEGIN")
    }

    /// Sets whether the brokers' certificates are verified.
    #[must_use]
    pub fn verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }
}

/// In text: `ca=..,certificate=..,key=..,key_password=..,verify=false`.
impl Value for Tls {
    fn read(text: &str) -> Result<Self, String> {
        const TAKES: &str = "`ca=..,certificate=..,key=..,key_password=..,verify=false`";
        let mut tls = Self::default();
        for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
            // What is wrong may be a secret: it is not repeated.
            let (name, value) = pair.split_once('=').ok_or(TAKES)?;
            let value = value.trim().to_owned();
            match name.trim() {
                "ca" => tls.ca = Some(value.into()),
                "certificate" => tls.certificate = Some(value.into()),
                "key" => tls.key = Some(value.into()),
                "key_password" => tls.key_password = Some(value.into()),
                "verify" => tls.verify = bool::read(&value)?,
                _ => return Err(TAKES.to_owned()),
            }
        }
        Ok(tls)
    }

    fn show(&self) -> String {
        let short = |text: &Text| {
            if Self::is_pem(text) {
                "(PEM)".to_owned()
            } else {
                text.to_string()
            }
        };
        let secret = |secret: &Secret| secret.to_string();
        let all = [
            ("ca", self.ca.as_ref().map(short)),
            ("certificate", self.certificate.as_ref().map(short)),
            ("key", self.key.as_ref().map(secret)),
            ("key_password", self.key_password.as_ref().map(secret)),
            ("verify", Some(self.verify.to_string())),
        ];
        let set = all
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", value?)));
        set.collect::<Vec<_>>().join(",")
    }

    fn wrong(&self, key: &str) -> Option<String> {
        let parts = [
            ("ca", self.ca.as_deref()),
            ("certificate", self.certificate.as_deref()),
            ("key", self.key.as_ref().map(Secret::expose)),
            (
                "key_password",
                self.key_password.as_ref().map(Secret::expose),
            ),
        ];
        parts.into_iter().find_map(|(part, text)| {
            let text = text?;
            let wrong = match Self::is_pem(text) {
                true => limits::nul(part, text),
                // A path, or a secret.
                false => limits::secret(part, text),
            }?;
            Some(format!("{wrong} (in `{key}`)"))
        })
    }
}

/// A token of an OAuth server.
#[derive(Clone, Debug)]
pub struct OauthToken {
    /// As it is sent: three parts in base64, joined by dots.
    pub token: Secret,
    /// The principal that it belongs to.
    pub principal: String,
    /// Until when it is good.
    pub expires_at: SystemTime,
}

/// The future of a token.
pub type TokenFuture<'a> =
    Pin<Box<dyn Future<Output = Result<OauthToken, Box<dyn Error + Send + Sync>>> + Send + 'a>>;

/// Makes tokens for `sasl_mechanism = "OAUTHBEARER"`.
///
/// Called before the app connects, and again when three quarters of a token's life are over; when it
/// fails, every few seconds, and the brokers close the connection when the old token ends. An
/// `async fn() -> Result<OauthToken, E>` is one.
pub trait TokenProvider: Send + Sync + 'static {
    /// Asks for a token.
    fn token(&self) -> TokenFuture<'_>;
}

impl<F, R, E> TokenProvider for F
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = Result<OauthToken, E>> + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    fn token(&self) -> TokenFuture<'_> {
        let token = self();
        Box::pin(async move { token.await.map_err(Into::into) })
    }
}

/// A [`TokenProvider`] as a setting.
#[derive(Clone)]
pub struct Tokens {
    provider: Arc<dyn TokenProvider>,
    /// Two values of a type without fields are one provider.
    unit: Option<TypeId>,
}

impl Tokens {
    /// The tokens of `provider`.
    pub fn new<P: TokenProvider>(provider: P) -> Self {
        Self {
            unit: (size_of::<P>() == 0).then(TypeId::of::<P>),
            provider: Arc::new(provider),
        }
    }

    /// The provider of the tokens.
    pub fn provider(&self) -> &Arc<dyn TokenProvider> {
        &self.provider
    }
}

impl PartialEq for Tokens {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.provider, &other.provider)
            || (self.unit.is_some() && self.unit == other.unit)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

impl Value for Tokens {
    fn read(_: &str) -> Result<Self, String> {
        Err("a function, which only code can name".to_owned())
    }

    fn show(&self) -> String {
        "a function".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_read_from_text_and_their_secrets_not_shown() {
        let tls = Tls::read("ca=/ca.pem, key=/me.key,key_password=s3=cret,verify=false").unwrap();
        let expected = Tls {
            ca: Some("/ca.pem".into()),
            key: Some("/me.key".into()),
            key_password: Some("s3=cret".into()),
            verify: false,
            ..Tls::default()
        };
        assert_eq!(tls, expected);
        assert_eq!(
            tls.show(),
            "ca=/ca.pem,key=***,key_password=***,verify=false"
        );
        assert!(!format!("{tls:?}").contains("cret"));
        let wrong = Tls::read("password=s3cret").unwrap_err();
        assert!(!wrong.contains("s3cret"));
        // As `openssl pkcs12` writes it.
        let pem = "\nBag Attributes\n    friendlyName: me\n-----BEGIN CERTIFICATE-----\ns3cret";
        let tls = Tls::default().identity(pem, pem);
        assert_eq!(tls.show(), "certificate=(PEM),key=***,verify=true");
        assert!(!format!("{tls:?}").contains("cret"));
        assert_eq!(tls.wrong("ssl_context"), None);
    }

    #[test]
    fn protocols_are_written_in_small_or_capital_letters() {
        let read = SecurityProtocol::read;
        assert_eq!(read("SASL_SSL"), Ok(SecurityProtocol::SaslSsl));
        assert_eq!(read("sasl_ssl").unwrap().show(), "sasl_ssl");
    }

    #[test]
    fn one_function_is_one_provider() {
        async fn mine() -> Result<OauthToken, String> {
            Err("none".into())
        }
        let captured = String::new();
        let other = move || {
            let why = captured.clone();
            async move { Err::<OauthToken, _>(why) }
        };
        assert_eq!(Tokens::new(mine), Tokens::new(mine));
        assert_ne!(Tokens::new(mine), Tokens::new(other.clone()));
        assert_ne!(Tokens::new(other.clone()), Tokens::new(other));
    }
}
