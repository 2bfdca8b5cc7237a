//! The app's contract in files.

use crate::app::App;
use fastkafka_asyncapi::{self as asyncapi, Document, Format, Security, Source};
use fastkafka_core::{Broker, Connection, Plan, SaslMechanism, SecurityProtocol};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The name of the files of [`App::create_docs`], before the dot.
pub(crate) const NAME: &str = "asyncapi";

impl App {
    /// The app's AsyncAPI document: what it reads and writes, by the registry that runs it. It needs no
    /// broker, and an app with problems has one all the same.
    ///
    /// Settings count wherever they come from: a group that the environment names is in it.
    ///
    /// ```
    /// use fastkafka::{App, Broker};
    ///
    /// let app = App::builder()
    ///     .title("Billing")
    ///     .broker("production", Broker::new("kafka-1:9092"))
    ///     .build();
    /// let document = app.asyncapi();
    /// assert_eq!(document.info.title, "Billing");
    /// assert_eq!(document.servers["production"].host, "kafka-1:9092");
    /// assert!(document.to_yaml().starts_with("asyncapi: \"3.0.0\""));
    /// ```
    pub fn asyncapi(&self) -> Document {
        let own = &self.inner.core.brokers;
        let plan = self.sketch();
        // The app's own are there also while no function is on them.
        let others = plan
            .clusters
            .iter()
            .filter(|known| known.name != own.name());
        let named = [own]
            .into_iter()
            .chain(others.clone().map(|cluster| &cluster.brokers))
            .flat_map(|brokers| {
                let all = brokers.iter();
                all.map(|(name, broker)| described(brokers.name(), name, broker))
            });
        let addressed = others.filter(|cluster| cluster.is_address).map(|cluster| {
            let broker = Broker::new(&*cluster.name).connection(|_| said_of(&plan, &cluster.name));
            described(&cluster.name, "", &broker)
        });
        let topics = self.inner.topics.iter();
        Document::new(&Source {
            app: &self.inner.core,
            client_id: &self.inner.client_id,
            brokers: named.chain(addressed).collect(),
            topics: topics
                .map(|(name, topic)| (name.clone(), topic.declaration()))
                .collect(),
        })
    }

    /// Writes the document in all its forms into a directory, which is made if it is missing:
    /// `asyncapi.json`, `asyncapi.yaml`, `asyncapi.md`, and a page for browsers, `asyncapi.html`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn create_docs(&self, directory: impl AsRef<Path>) -> Result<(), DocsError> {
        let directory = directory.as_ref();
        std::fs::create_dir_all(directory)
            .map_err(|error| DocsError::write(directory.to_owned(), error))?;
        for (format, text) in forms(&self.asyncapi()) {
            let path = directory.join(format!("{NAME}.{format}"));
            std::fs::write(&path, text).map_err(|error| DocsError::write(path, error))?;
        }
        Ok(())
    }

    /// Makes sure that a file says what the app is: for a test beside the file. Its form follows from
    /// its name.
    ///
    /// ```no_run
    /// # fn app() -> fastkafka::App { fastkafka::App::builder().build() }
    /// #[test]
    /// fn the_contract_is_fresh() {
    ///     app().check_docs(concat!(env!("CARGO_MANIFEST_DIR"), "/asyncapi.md")).unwrap();
    /// }
    /// ```
    ///
    /// # Errors
    /// When it says something else; the error names the command that renews it. When it cannot be
    /// read, or its name ends with none of `json`, `yaml`, `html` and `md`.
    pub fn check_docs(&self, path: impl AsRef<Path>) -> Result<(), DocsError> {
        let package = std::env::var("CARGO_PKG_NAME").ok();
        let command = package.map_or_else(
            || "<service>".to_owned(),
            |package| format!("cargo run -p {package} --"),
        );
        check_file(&self.asyncapi(), path.as_ref(), &command)
    }
}

/// What a function says of a cluster that has only an address.
fn said_of(plan: &Plan, cluster: &str) -> Connection {
    let groups = plan.groups.iter();
    let groups = groups.map(|group| (&group.cluster, group.settings.connection()));
    let outputs = plan.outputs.iter();
    let outputs = outputs.map(|output| (&output.cluster, output.settings.connection()));
    let mut said = groups.chain(outputs);
    let said = said.find(|(of, _)| *of == cluster);
    said.map(|(_, connection)| connection).unwrap_or_default()
}

/// How a broker is reached, without anything secret.
fn described(cluster: &str, name: &str, broker: &Broker) -> asyncapi::Broker {
    let connection = broker.reached_by();
    let protocol = connection.security_protocol.unwrap_or_default();
    let tls = connection.ssl_context.as_ref();
    let certificate = tls.is_some_and(|tls| tls.certificate.is_some()) && protocol.is_tls();
    let mut described = asyncapi::Broker {
        cluster: cluster.to_owned(),
        name: name.to_owned(),
        bootstrap: broker.bootstrap().to_owned(),
        tls: protocol.is_tls(),
        security: certificate.then_some(Security::Certificate),
        description: None,
    };
    let has_login = matches!(
        protocol,
        SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl
    );
    described.security = match connection.sasl_mechanism.filter(|_| has_login) {
        Some(SaslMechanism::Plain) => Some(Security::Plain),
        Some(SaslMechanism::ScramSha256) => Some(Security::ScramSha256),
        Some(SaslMechanism::ScramSha512) => Some(Security::ScramSha512),
        Some(SaslMechanism::Gssapi) => Some(Security::Gssapi),
        Some(SaslMechanism::OauthBearer) => {
            // A scheme of AsyncAPI would have to say where tokens come from; only the provider knows.
            described.description = Some("Clients log in with SASL OAUTHBEARER.".to_owned());
            described.security
        }
        _ => described.security,
    };
    described
}

/// Every form of a document, with links to the others in the page.
pub(crate) fn forms(document: &Document) -> Vec<(Format, String)> {
    let text = |format| match format {
        Format::Html => document.to_html_with(&[
            ("JSON", "asyncapi.json"),
            ("YAML", "asyncapi.yaml"),
            ("Markdown", "asyncapi.md"),
        ]),
        format => document.render(format),
    };
    Format::ALL.map(|format| (format, text(format))).to_vec()
}

/// Compares a file with the document. `command` runs the service's command line.
pub(crate) fn check_file(document: &Document, path: &Path, command: &str) -> Result<(), DocsError> {
    let format = Format::from_path(path).ok_or_else(|| DocsError::Format(path.to_owned()))?;
    let text = std::fs::read_to_string(path).map_err(|error| DocsError::Read {
        path: path.to_owned(),
        error,
    })?;
    // Git may have written line ends in the machine's own way.
    let text = text.replace("\r\n", "\n");
    let wanted = document.render(format);
    // A page of `create_docs` has links that a single one has not.
    let with_links = || {
        forms(document)
            .into_iter()
            .any(|(other, form)| other == format && form == text)
    };
    if text == wanted || with_links() {
        return Ok(());
    }
    let same = text
        .lines()
        .zip(wanted.lines())
        .take_while(|(is, should)| is == should);
    Err(DocsError::Stale {
        path: path.to_owned(),
        line: same.count() + 1,
        renew: format!("{command} docs generate --out {}", path.display()),
    })
}

/// What is wrong with a file of documentation.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum DocsError {
    /// It does not say what the app is.
    #[error("{} is stale from line {line} on; renew it with `{renew}`", path.display())]
    Stale {
        /// The file.
        path: PathBuf,
        /// The first line that differs, from 1.
        line: usize,
        /// The command that renews it.
        renew: String,
    },
    /// It cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Its name does not tell its form.
    #[error("{} must end with .json, .yaml, .html or .md", .0.display())]
    Format(PathBuf),
}

impl DocsError {
    pub(crate) fn write(path: PathBuf, error: io::Error) -> Self {
        Self::Write { path, error }
    }
}

/// As it reads: `unwrap` prints it.
impl fmt::Debug for DocsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::Tls;

    fn server(mechanism: SaslMechanism, protocol: SecurityProtocol) -> asyncapi::Broker {
        let broker = Broker::new("kafka-1:9093").connection(|connection| {
            connection
                .security_protocol(protocol)
                .sasl_mechanism(mechanism)
                .sasl_plain_username("billing")
                .sasl_plain_password("s3cret".to_owned())
        });
        described("", "production", &broker)
    }

    #[test]
    fn a_broker_says_how_it_is_reached_and_nothing_secret() {
        let scram = server(SaslMechanism::ScramSha512, SecurityProtocol::SaslSsl);
        assert_eq!(
            (&scram.security, scram.tls),
            (&Some(Security::ScramSha512), true)
        );
        assert!(!format!("{scram:?}").contains("s3cret"));
        let plain = server(SaslMechanism::Plain, SecurityProtocol::SaslPlaintext);
        assert_eq!((plain.security, plain.tls), (Some(Security::Plain), false));
        let oauth = server(SaslMechanism::OauthBearer, SecurityProtocol::SaslSsl);
        assert_eq!(oauth.security, None);
        assert!(
            oauth
                .description
                .is_some_and(|text| text.contains("OAUTHBEARER"))
        );
        let mutual = Broker::new("kafka-1:9093").connection(|connection| {
            connection
                .security_protocol(SecurityProtocol::Ssl)
                .ssl_context(Tls::default().identity("client.pem", "client.key"))
        });
        let mutual = described("", "production", &mutual);
        assert_eq!(
            (mutual.security, mutual.tls),
            (Some(Security::Certificate), true)
        );
    }
}
