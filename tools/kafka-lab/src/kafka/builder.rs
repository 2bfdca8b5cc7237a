//! How a broker is started: its ports, its properties, its command line.

use super::{FIRST, Kafka, Node, Route};
use crate::helper::{Helper, Launch, java_options};
use crate::install::{Install, install};
use crate::security::{self, Setup};
use crate::{LabError, cache, port};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt::Write as _;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;

const PROPERTIES: &str = include_str!("../../config/server.properties");

/// How a broker is to be started.
#[derive(Clone, Debug)]
pub struct Builder {
    brokers: u32,
    proxied: usize,
    secured: bool,
    partitions: u32,
    properties: Vec<(String, String)>,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            brokers: 1,
            proxied: 0,
            secured: false,
            partitions: 4,
            properties: Vec::new(),
        }
    }

    /// Nodes 1 to `brokers`, default 1. Node 1 is the controller and keeps the groups; topics get
    /// `default.replication.factor` replicas, 1 unless that [`property`](Self::property) is set.
    ///
    /// A topic with two replicas and `min.insync.replicas=2` refuses records while node 2 is
    /// [killed](Kafka::kill_broker). One broker alone never does: Kafka 4.1 caps the minimum at the
    /// number of replicas.
    ///
    /// # Panics
    ///
    /// With no brokers.
    #[must_use]
    pub fn brokers(mut self, brokers: u32) -> Self {
        assert!(brokers > 0, "a cluster has a broker");
        self.brokers = brokers;
        self
    }

    /// Gives node 1 so many further listeners, each behind a [`Proxy`](crate::Proxy). Needs Go, 1.19 or later.
    #[must_use]
    pub fn proxied(mut self, count: usize) -> Self {
        self.proxied = count;
        self
    }

    /// Gives node 1 listeners that want TLS or a login: [`Kafka::secured`].
    #[must_use]
    pub fn secured(mut self) -> Self {
        self.secured = true;
        self
    }

    /// Lets brokers check rights: [`Kafka::deny_group`]. What nobody has denied is allowed.
    #[must_use]
    pub fn authorized(self) -> Self {
        let authorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer";
        self.property("authorizer.class.name", authorizer)
            .property("allow.everyone.if.no.acl.found", "true")
    }

    /// `num.partitions`: what a topic gets whose creator does not say. Default 4.
    #[must_use]
    pub fn partitions(mut self, partitions: u32) -> Self {
        self.partitions = partitions;
        self
    }

    /// Sets a [broker property](https://kafka.apache.org/documentation/#brokerconfigs), over the lab's own value.
    #[must_use]
    pub fn property(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.push((key.into(), value.into()));
        self
    }

    /// Starts the broker and returns when it serves metadata and consumer groups.
    ///
    /// # Errors
    ///
    /// [`LabError::Missing`] without Java or Maven (or Go), [`LabError::Install`] when Kafka can not be fetched,
    /// [`LabError::NotStarted`] when the broker ends or is not ready within 60 s.
    pub fn start(&self) -> Result<Kafka, LabError> {
        const ATTEMPTS: u32 = 5;
        let install = install()?;
        let mut attempt = 1;
        loop {
            match self.launch(&install) {
                // Somebody took one of the ports between our look and the broker's bind.
                Err(LabError::NotStarted { tail, .. })
                    if attempt < ATTEMPTS
                        && tail.to_lowercase().contains("address already in use") =>
                {
                    attempt += 1;
                }
                started => return started,
            }
        }
    }

    fn launch(&self, install: &Install) -> Result<Kafka, LabError> {
        let runs = cache().join("runs");
        let directory = fs::create_dir_all(&runs)
            .and_then(|()| runs.canonicalize())
            .and_then(|runs| tempfile::Builder::new().prefix("broker-").tempdir_in(runs))
            .map_err(LabError::io(format!("write to {}", runs.display())))?;
        let data = directory.path().join("data");
        let ports = port::free(1 + self.brokers as usize + 1 + 2 * self.proxied + security::PORTS);
        let (controller_port, ports) = ports.split_first().expect("at least two");
        let (ports, rest) = ports.split_at(self.brokers as usize);
        let (toxiproxy_port, rest) = rest.split_first().expect("one more");
        let (rest, secure_ports) = rest.split_at(2 * self.proxied);
        let secure = self.secured.then(|| Setup::new(secure_ports)).transpose()?;
        let routes: Vec<_> = rest.chunks(2).map(|two| Route(two[0], two[1])).collect();
        let cluster = cluster_id();
        let mut nodes = Vec::new();
        for (id, port) in (FIRST..).zip(ports) {
            let data = data.join(id.to_string());
            let properties = directory.path().join(format!("server-{id}.properties"));
            fs::write(
                &properties,
                self.properties(id, *port, *controller_port, &routes, secure.as_ref(), &data),
            )
            .map_err(LabError::io(format!("write {}", properties.display())))?;
            let mut command = vec!["java".into(), "-Xmx512m".into(), "-XX:+UseSerialGC".into()];
            command.extend(java_options(install));
            command.extend(["Broker".into(), properties.into(), data.into()]);
            command.push(cluster.clone().into());
            if let Some(secure) = &secure {
                command.extend(secure.format.iter().map(Into::into));
            }
            nodes.push(Node {
                id,
                command: command
                    .iter()
                    .map(|word| word.to_string_lossy().into_owned())
                    .collect(),
                log: directory.path().join(format!("broker-{id}.log")),
                pid: 0,
            });
        }
        let bootstrap = format!("127.0.0.1:{}", ports[0]);
        let helper = Helper::spawn(&Launch {
            install,
            bootstrap: &bootstrap,
            data: &data,
            log: directory.path().join("helper.log"),
        })?;
        let mut kafka = Kafka {
            helper,
            directory,
            bootstrap,
            nodes,
            proxies: Vec::new(),
            secured: secure.map(|secure| secure.secured),
        };
        // One after another: the first is to have the groups' topic for itself.
        for node in FIRST..=self.brokers {
            kafka.start_broker(node)?;
        }
        if !routes.is_empty() {
            kafka.start_proxies(*toxiproxy_port, &routes)?;
        }
        Ok(kafka)
    }

    fn properties(
        &self,
        node: u32,
        port: u16,
        controller_port: u16,
        routes: &[Route],
        secure: Option<&Setup>,
        data: &Path,
    ) -> String {
        // Infallible: a String takes all.
        let mut listeners = format!("PLAINTEXT://127.0.0.1:{port}");
        let mut advertised = listeners.clone();
        let mut protocols = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned();
        let mut roles = "broker".to_owned();
        if node == FIRST {
            roles.push_str(",controller");
            let _ = write!(listeners, ",CONTROLLER://127.0.0.1:{controller_port}");
            for (i, Route(listener, proxy)) in routes.iter().enumerate() {
                let _ = write!(listeners, ",PROXIED{i}://127.0.0.1:{listener}");
                let _ = write!(advertised, ",PROXIED{i}://127.0.0.1:{proxy}");
                let _ = write!(protocols, ",PROXIED{i}:PLAINTEXT");
            }
            if let Some(secure) = secure {
                let _ = write!(listeners, ",{}", secure.listeners);
                let _ = write!(advertised, ",{}", secure.listeners);
                let _ = write!(protocols, ",{}", secure.protocols);
            }
        }
        let mut text = PROPERTIES
            .replace("{roles}", &roles)
            .replace("{node}", &node.to_string())
            .replace("{listeners}", &listeners)
            .replace("{advertised}", &advertised)
            .replace("{protocols}", &protocols)
            .replace("{controller_port}", &controller_port.to_string())
            .replace("{data}", &data.display().to_string())
            .replace("{partitions}", &self.partitions.to_string());
        text.push_str(secure.map_or("", |secure| &secure.properties));
        for (key, value) in &self.properties {
            let _ = writeln!(text, "{key}={value}");
        }
        text
    }
}

/// 16 bytes as Kafka writes them. The first is 0, for an id must not begin with a dash.
fn cluster_id() -> String {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&RandomState::new().hash_one(()).to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_stands_after_the_labs_own() {
        let text = Kafka::builder()
            .partitions(7)
            .property("num.partitions", "9")
            .properties(
                FIRST,
                15_001,
                15_002,
                &[Route(15_003, 15_004)],
                None,
                Path::new("/data"),
            );

        let lines: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("num.partitions="))
            .collect();
        assert_eq!(lines, ["num.partitions=7", "num.partitions=9"]);
        assert!(text.contains("1@127.0.0.1:15002\n"), "{text}");
        let advertised = "PLAINTEXT://127.0.0.1:15001,PROXIED0://127.0.0.1:15004\n";
        assert!(text.contains(advertised), "{text}");
        assert!(!text.contains("={"), "{text}");
    }
}
