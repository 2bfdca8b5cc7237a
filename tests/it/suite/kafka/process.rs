//! Apps as processes: started, watched through their log, ended, never left behind.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a test waits for what has to happen anyway. The usual wait is far shorter.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Asks `ready` until it answers, and panics with `what` at the deadline.
pub(crate) fn within<T>(patience: Duration, what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ready() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        // The witness is asked again soon, but leaves the machine to those who work.
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// As [`within`] with [`PATIENCE`].
pub(crate) fn eventually<T>(what: &str, ready: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, ready)
}

const ORDERS: &str = env!("CARGO_BIN_EXE_orders-app");
const FLIGHTS: &str = env!("CARGO_BIN_EXE_flights-app");

/// A process of an app. Dropped, it is killed; when the test panics its log is printed.
pub(crate) struct Process {
    child: Child,
    name: String,
    log: PathBuf,
    began: Instant,
    /// What it was asked for so far.
    wishes: u32,
    /// Of the log, when nobody else keeps it.
    directory: Option<tempfile::TempDir>,
}

impl Process {
    pub(crate) fn orders(setting: &str, bootstrap: &str) -> Self {
        Self::start(ORDERS, &[setting, "run", "--kafka-broker", bootstrap])
    }

    pub(crate) fn orders_from(setting: &str, bootstrap: &str, time: &str) -> Self {
        let arguments = [setting, "run", "--kafka-broker", bootstrap, "--from", time];
        Self::start(ORDERS, &arguments)
    }

    pub(crate) fn flights(bootstrap: &str) -> Self {
        Self::start(FLIGHTS, &["run", "--kafka-broker", bootstrap])
    }

    /// With variables of the environment. Its log stays where it is.
    pub(crate) fn flights_with(broker: &str, log: PathBuf, variables: &[(&str, &str)]) -> Self {
        Self::spawn(FLIGHTS, &["run", "--kafka-broker", broker], log, variables)
    }

    pub(crate) fn start(program: &str, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let mut process = Self::spawn(program, arguments, log, &[]);
        process.directory = Some(directory);
        process
    }

    /// The orders app with variables of the environment.
    pub(crate) fn orders_with(setting: &str, bootstrap: &str, variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let arguments = [setting, "run", "--kafka-broker", bootstrap];
        let mut process = Self::spawn(env!("CARGO_BIN_EXE_orders-app"), &arguments, log, variables);
        process.directory = Some(directory);
        process
    }

    fn spawn(program: &str, arguments: &[&str], log: PathBuf, variables: &[(&str, &str)]) -> Self {
        let file = File::create(&log).unwrap();
        let child = Command::new(program)
            .args(arguments)
            .env("NO_COLOR", "1")
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let name = format!("{} {}", arguments[0], child.id());
        Self {
            child,
            name,
            log,
            began: Instant::now(),
            wishes: 0,
            directory: None,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Waits for a line of the log that holds `text`, and returns it.
    pub(crate) fn says(&mut self, text: &str) -> String {
        eventually(&format!("{} says `{text}`", self.name), || {
            let line = self.line(text);
            assert!(
                line.is_some() || self.child.try_wait().unwrap().is_none(),
                "{} ended and never said `{text}`",
                self.name
            );
            line
        })
    }

    /// Asks an orders app for something, such as `pause 0`, and returns what came of it.
    pub(crate) fn wish(&mut self, wish: &str) -> String {
        self.wishes += 1;
        let stdin = self.child.stdin.as_mut().unwrap();
        writeln!(stdin, "{} {wish}", self.wishes).unwrap();
        let answer = format!("wish {}: ", self.wishes);
        let line = self.says(&answer);
        line.strip_prefix(&answer).unwrap().to_owned()
    }

    /// The health of an orders app.
    pub(crate) fn health(&mut self) -> serde_json::Value {
        serde_json::from_str(&self.wish("health")).unwrap()
    }

    /// The codes of its problems and what they are of, such as `topic-refused listed.b`.
    pub(crate) fn problems(&mut self) -> Vec<String> {
        let health = self.health();
        let problems = health["problems"].as_array().unwrap().iter();
        problems
            .map(|problem| {
                let part = |name: &str| problem[name].as_str().unwrap_or_default();
                format!("{} {}", part("code"), part("topic"))
            })
            .collect()
    }

    /// The first line of the log that holds `text`. The process may be about to write the rest of its last line.
    pub(crate) fn line(&self, text: &str) -> Option<String> {
        let log = self.log();
        let mut lines = log
            .split_inclusive('\n')
            .filter_map(|line| line.strip_suffix('\n'));
        lines.find(|line| line.contains(text)).map(str::to_owned)
    }

    pub(crate) fn is_started(&mut self) {
        self.says(" is started");
    }

    /// Panics once it has ended.
    pub(crate) fn lives(&mut self) {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "{self} ended by itself: {ended:?}");
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// SIGKILL, and gone when this returns.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The exit code, which has to come within `patience`.
    pub(crate) fn exits_within(&mut self, patience: Duration) -> i32 {
        let what = format!("{} exits", self.name);
        let status = within(patience, &what, || self.child.try_wait().unwrap());
        status.code().expect("it was not ended by a signal")
    }

    /// SIGTERM, and a clean end.
    pub(crate) fn stop(mut self) {
        self.terminate();
        let code = self.exits_within(PATIENCE);
        assert_eq!(code, 0, "{} ends cleanly", self.name);
    }
}

impl std::fmt::Display for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.log.display())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() && self.directory.is_some() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            let tail = lines[lines.len().saturating_sub(60)..].join("\n");
            eprintln!("--- log of {}:\n{tail}\n---", self.name);
        }
    }
}
