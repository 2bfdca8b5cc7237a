//! The broker processes: their start, their faults, their end.

mod builder;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::helper::Helper;
use crate::install::install_toxiproxy;
use crate::security::Secured;
use crate::toxiproxy::Control;
use crate::{LabError, Proxy};

pub use builder::Builder;

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
    /// its logs stay in `runs` of [`cache`](crate::cache), since nobody can tell whether they are still wanted.
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
        Builder::new()
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

    /// Where a node keeps the log of a partition, if it has a replica of it.
    #[must_use]
    pub fn partition_directory(&self, node: u32, topic: &str, partition: i32) -> Option<PathBuf> {
        let run = self.directory.path();
        let folder = run.join(format!("data/{node}/{topic}-{partition}"));
        folder.exists().then_some(folder)
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
        self.terminate_broker(FIRST)
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

    /// As [`terminate`](Self::terminate), for any node.
    ///
    /// # Errors
    ///
    /// It has not ended within 60 s.
    pub fn terminate_broker(&mut self, node: u32) -> Result<(), LabError> {
        self.helper
            .request(&json!({"do": "terminate", "node": node}))
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

impl Drop for Kafka {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.directory.disable_cleanup(true);
            // A panic here would be the second.
            let _ = writeln!(
                std::io::stderr(),
                "kafka-lab: the broker's log is kept in {}",
                self.log().display()
            );
        }
    }
}
