//! The broker processes: their start, their faults, their end.

use std::fmt::Write as _;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tempfile::TempDir;

use crate::helper::{Helper, Launch, java_options};
use crate::install::{Install, install, install_toxiproxy};
use crate::security::{self, Secured, Setup};
use crate::toxiproxy::Control;
use crate::{LabError, Proxy, cache, port};

const PROPERTIES: &str = include_str!("../config/server.properties");
/// The node that is the controller too.
const FIRST: u32 = 1;
/// The helper keeps processes by node; no broker has this one.
const TOXIPROXY: u32 = 0;

/// A running broker, which is its own controller, or a small cluster: [`Builder::brokers`].
///
/// Dropping it ends the processes and removes their data. The logs stay when the test panicked: stderr says where.
#[derive(Debug)]
pub struct Kafka {
    // Dropped first: the helper writes to the directory until it has ended.
    helper: Helper,
    directory: TempDir,
    bootstrap: String,
    nodes: Vec<Node>,
    proxies: Vec<Proxy>,
    secured: Option<Secured>,
}

/// What starts a broker, again and again.
#[derive(Debug)]
struct Node {
    id: u32,
    command: Vec<String>,
    log: PathBuf,
    pid: u32,
}

/// A listener's port and that of the proxy before it, which the broker advertises.
struct Route(u16, u16);

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

    /// Gives node 1 so many further listeners, each behind a [`Proxy`]. Needs Go, 1.19 or later.
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

impl Kafka {
    /// Starts a broker with the lab's defaults; see [`Builder::start`].
    ///
    /// # Errors
    ///
    /// As [`Builder::start`].
    pub fn start() -> Result<Self, LabError> {
        Self::builder().start()
    }

    /// The broker that all tests of a process share, started by the first who asks. It ends with the process;
    /// its logs stay in `runs` of [`cache`], since nobody can tell whether they are still wanted.
    ///
    /// # Errors
    ///
    /// As [`Builder::start`], the same for everybody.
    pub fn shared() -> Result<&'static Self, &'static LabError> {
        static SHARED: OnceLock<Result<Kafka, LabError>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// Chooses how to start.
    #[must_use]
    pub fn builder() -> Builder {
        Builder {
            brokers: 1,
            proxied: 0,
            secured: false,
            partitions: 4,
            properties: Vec::new(),
        }
    }

    /// `127.0.0.1:PORT` of node 1, the same for its whole life.
    #[must_use]
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// The process of node 1; another one after [`restart`](Self::restart).
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.nodes[0].pid
    }

    /// The log of node 1; those of others lie beside it.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.nodes[0].log
    }

    /// The ways to node 1 that [`Builder::proxied`] asked for.
    #[must_use]
    pub fn proxies(&self) -> &[Proxy] {
        &self.proxies
    }

    /// The listeners that [`Builder::secured`] asked for.
    ///
    /// # Panics
    ///
    /// Without it.
    #[must_use]
    pub fn secured(&self) -> &Secured {
        self.secured.as_ref().expect("it was asked for")
    }

    /// Stops node 1 in its tracks (SIGSTOP): connections stay open and nobody answers.
    ///
    /// # Errors
    ///
    /// The broker is not running.
    #[cfg(unix)]
    pub fn pause(&self) -> Result<(), LabError> {
        self.signal(rustix::process::Signal::STOP)?;
        // The signal is on its way; a test that goes on before it arrives tests nothing.
        #[cfg(target_os = "linux")]
        while !threads_stopped(self.pid()).map_err(LabError::io("pause the broker"))? {
            std::thread::yield_now();
        }
        Ok(())
    }

    /// Lets a paused node 1 go on (SIGCONT).
    ///
    /// # Errors
    ///
    /// The broker is not running.
    #[cfg(unix)]
    pub fn resume(&self) -> Result<(), LabError> {
        self.signal(rustix::process::Signal::CONT)
    }

    /// Ends node 1 without warning (SIGKILL). Its data and its port stay for [`restart`](Self::restart).
    ///
    /// # Errors
    ///
    /// [`LabError::HelperGone`].
    pub fn kill(&mut self) -> Result<(), LabError> {
        self.kill_broker(FIRST)
    }

    /// Ends node 1 as an operator does (SIGTERM), and returns when it is gone. Its data and its port stay
    /// for [`restart`](Self::restart).
    ///
    /// # Errors
    ///
    /// It has not ended within 60 s.
    pub fn terminate(&mut self) -> Result<(), LabError> {
        self.helper
            .request(&json!({"do": "terminate", "node": FIRST}))
    }

    /// Kills node 1 unless that has happened, and starts it again on the same data and port.
    ///
    /// # Errors
    ///
    /// [`LabError::NotStarted`].
    pub fn restart(&mut self) -> Result<(), LabError> {
        self.restart_broker(FIRST)
    }

    /// As [`kill`](Self::kill), for any node.
    ///
    /// # Errors
    ///
    /// [`LabError::HelperGone`].
    pub fn kill_broker(&mut self, node: u32) -> Result<(), LabError> {
        self.helper.request(&json!({"do": "kill", "node": node}))
    }

    /// As [`restart`](Self::restart), for any node.
    ///
    /// # Errors
    ///
    /// [`LabError::NotStarted`].
    ///
    /// # Panics
    ///
    /// The cluster has no such node.
    pub fn restart_broker(&mut self, node: u32) -> Result<(), LabError> {
        self.kill_broker(node)?;
        self.start_broker(node)
    }

    pub(crate) fn helper(&self) -> &Helper {
        &self.helper
    }

    fn start_broker(&mut self, node: u32) -> Result<(), LabError> {
        let broker = self
            .nodes
            .iter_mut()
            .find(|broker| broker.id == node)
            .unwrap_or_else(|| panic!("the cluster has no node {node}"));
        broker.pid = self.helper.request(&json!({
            "do": "start", "node": node, "command": broker.command, "log": broker.log,
        }))?;
        let log = broker.log.clone();
        let ready = self
            .helper
            .request(&json!({"do": "await_ready", "node": node}));
        ready.map_err(|error| match error {
            LabError::Refused { message, .. } => self.not_started(message, log),
            other => other,
        })
    }

    /// By the helper, which ends it with the brokers.
    fn start_proxies(&mut self, port: u16, routes: &[Route]) -> Result<(), LabError> {
        const PATIENCE: Duration = Duration::from_secs(60);
        let log = self.directory.path().join("toxiproxy.log");
        let port_text = port.to_string();
        let program = install_toxiproxy()?;
        let program = program.to_string_lossy();
        let command = [&*program, "-host", "127.0.0.1", "-port", &port_text];
        let _: u32 = self.helper.request(&json!({
            "do": "start", "node": TOXIPROXY, "command": command, "log": log,
        }))?;
        let control = Control::new(port);
        let deadline = Instant::now() + PATIENCE;
        while !control.answers() {
            if Instant::now() > deadline {
                return Err(self.not_started("toxiproxy does not answer".into(), log));
            }
            std::thread::yield_now();
        }
        for (i, Route(listener, proxy)) in routes.iter().enumerate() {
            let (listen, upstream) = (
                format!("127.0.0.1:{proxy}"),
                format!("127.0.0.1:{listener}"),
            );
            let created = Proxy::create(&control, format!("way-{i}"), listen, &upstream);
            let proxy =
                created.map_err(|error| self.not_started(error.to_string(), log.clone()))?;
            self.proxies.push(proxy);
        }
        Ok(())
    }

    fn not_started(&mut self, reason: String, log: PathBuf) -> LabError {
        const LINES: usize = 30;
        self.directory.disable_cleanup(true);
        let text = fs::read_to_string(&log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(LINES)..].join("\n");
        LabError::NotStarted { reason, log, tail }
    }

    #[cfg(unix)]
    fn signal(&self, signal: rustix::process::Signal) -> Result<(), LabError> {
        let pid = i32::try_from(self.pid())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .expect("is the pid of a process");
        rustix::process::kill_process(pid, signal).map_err(LabError::io(format!(
            "send a signal to the broker, {pid:?}"
        )))
    }
}

#[cfg(target_os = "linux")]
fn threads_stopped(pid: u32) -> std::io::Result<bool> {
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end meanwhile.
        let stat = fs::read_to_string(thread?.path().join("stat")).unwrap_or_default();
        let state = stat
            .rsplit_once(") ")
            .and_then(|(_, rest)| rest.chars().next());
        if !matches!(state, None | Some('T')) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// 16 bytes as Kafka writes them. The first is 0, for an id must not begin with a dash.
fn cluster_id() -> String {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&RandomState::new().hash_one(()).to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Drop for Kafka {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.directory.disable_cleanup(true);
            eprintln!(
                "kafka-lab: the broker's log is kept in {}",
                self.log().display()
            );
        }
    }
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
